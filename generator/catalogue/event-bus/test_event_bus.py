import threading

import pytest

from event_bus import MAX_FAILURES_KEPT, MAX_TOPIC_LENGTH, EventBus, Message, matches


@pytest.fixture
def bus():
    return EventBus()


def test_subscribers_of_a_topic_get_its_messages_in_order(bus):
    seen = []
    bus.subscribe("orders.paid", lambda message: seen.append(("first", message)))
    bus.subscribe("orders.paid", lambda message: seen.append(("second", message)))
    bus.subscribe("orders.shipped", seen.append)
    assert bus.publish("orders.paid", 7) == 2
    assert seen == [("first", Message("orders.paid", 7)), ("second", Message("orders.paid", 7))]


def test_without_subscribers_nothing_happens(bus):
    assert bus.publish("silence") == 0


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*", "a.b.c", False),
        ("*.b", "a.b", True),
        ("a.*.c", "a.x.c", True),
        ("a.*.c", "a.x.d", False),
        ("a.#", "a", True),
        ("a.#", "a.b.c", True),
        ("a.#", "b.c", False),
        ("*.#", "a.b", True),
        ("#", "a.b.c", True),
    ],
)
def test_wildcards(bus, pattern, topic, expected):
    assert matches(pattern.split("."), topic.split(".")) is expected
    bus.subscribe(pattern, lambda message: None)
    assert bus.publish(topic) == int(expected)


def test_exact_and_wildcard_subscribers_keep_their_order(bus):
    seen = []
    for name, pattern in (("one", "a.*"), ("two", "a.b"), ("three", "#")):
        bus.subscribe(pattern, lambda message, name=name: seen.append(name))
    bus.publish("a.b")
    assert seen == ["one", "two", "three"]


def test_a_failing_subscriber_does_not_affect_the_others():
    reported, seen = [], []
    bus = EventBus(on_error=reported.append)
    bus.subscribe("a.*", lambda message: 1 / 0)
    bus.subscribe("a.b", lambda message: seen.append(message.payload))
    assert bus.publish("a.b", "x") == 1
    assert seen == ["x"]
    assert reported == bus.failures()
    assert (reported[0].pattern, reported[0].message) == ("a.*", Message("a.b", "x"))
    assert isinstance(reported[0].error, ZeroDivisionError)


def test_failures_are_bounded(bus):
    bus.subscribe("a", lambda message: 1 / 0)
    for number in range(MAX_FAILURES_KEPT + 5):
        bus.publish("a", number)
    assert len(bus.failures()) == MAX_FAILURES_KEPT
    assert bus.failures()[0].message.payload == 5


def test_cancelling_and_the_context_manager(bus):
    exact, wild = bus.subscribe("a", print), bus.subscribe("*", print)
    assert exact.cancel() and wild.cancel()
    assert not exact.cancel() and not wild.cancel()
    seen = []
    with bus.subscribe("a", seen.append):
        bus.publish("a", 1)
    bus.publish("a", 2)
    assert seen == [Message("a", 1)]


def test_changes_during_a_delivery_count_from_the_next_message(bus):
    seen = []

    def subscribe_another(message):
        seen.append("first")
        bus.subscribe("a", lambda later: seen.append("late"))
        first.cancel()

    first = bus.subscribe("a", subscribe_another)
    bus.publish("a")
    bus.publish("a")
    assert seen == ["first", "late"]


def test_a_handler_may_publish(bus):
    seen = []
    bus.subscribe("a", lambda message: bus.publish("b", message.payload + 1))
    bus.subscribe("b", lambda message: seen.append(message.payload))
    bus.publish("a", 1)
    assert seen == [2]


@pytest.mark.parametrize("topic", ["", ".", "a..b", "a.", ".a", "x" * (MAX_TOPIC_LENGTH + 1)])
def test_malformed_topics_and_patterns_are_refused(bus, topic):
    with pytest.raises(ValueError, match="words joined by single dots"):
        bus.publish(topic)
    with pytest.raises(ValueError, match="words joined by single dots"):
        bus.subscribe(topic, print)


def test_misplaced_wildcards_are_refused(bus):
    with pytest.raises(ValueError, match="must not contain wildcards"):
        bus.publish("a.*")
    with pytest.raises(ValueError, match="at the end only"):
        bus.subscribe("a.#.b", print)
    with pytest.raises(ValueError, match="a whole word"):
        bus.subscribe("a.b*", print)
    with pytest.raises(TypeError, match="callable"):
        bus.subscribe("a", None)


def test_threads_may_subscribe_and_publish_together(bus):
    seen = []
    bus.subscribe("a", seen.append)

    def work():
        for _ in range(100):
            with bus.subscribe("a.*", print):
                bus.publish("a")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 400
    assert bus.failures() == []

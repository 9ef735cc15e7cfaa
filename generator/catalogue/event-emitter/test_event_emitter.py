import threading

import pytest

from event_emitter import EventEmitter, ListenerErrors


@pytest.fixture
def emitter():
    return EventEmitter()


def test_listeners_get_the_arguments_in_the_order_of_subscription(emitter):
    seen = []
    emitter.on("saved", lambda name, *, size: seen.append(("first", name, size)))
    emitter.on("saved", lambda name, *, size: seen.append(("second", name, size)))
    assert emitter.emit("saved", "file", size=3) == 2
    assert seen == [("first", "file", 3), ("second", "file", 3)]


def test_nobody_listening_is_fine(emitter):
    assert emitter.emit("silence") == 0


def test_higher_priorities_come_first(emitter):
    seen = []
    for name, priority in (("low", -1), ("high", 5), ("normal", 0)):
        emitter.on("event", lambda name=name: seen.append(name), priority=priority)
    emitter.emit("event")
    assert seen == ["high", "normal", "low"]


def test_once_is_once_even_when_the_listener_emits_again(emitter):
    seen = []

    def listener():
        seen.append(1)
        emitter.emit("event")

    emitter.once("event", listener)
    emitter.emit("event")
    assert seen == [1]
    assert emitter.listener_count("event") == 0


def test_two_ways_to_unsubscribe(emitter):
    seen = []
    stop = emitter.on("event", seen.append)
    emitter.on("event", seen.append)
    assert stop()
    assert not stop()
    emitter.emit("event", "x")
    assert seen == ["x"]
    assert emitter.off("event", seen.append)
    assert not emitter.off("event", seen.append)
    assert emitter.emit("event", "y") == 0


def test_changes_during_an_event_count_from_the_next_one(emitter):
    seen = []

    def late():
        seen.append("late")

    def first():
        seen.append("first")
        emitter.on("event", late)
        emitter.off("event", first)

    emitter.on("event", first)
    emitter.emit("event")
    emitter.emit("event")
    assert seen == ["first", "late"]


def test_a_failing_listener_does_not_silence_the_others(emitter):
    seen = []

    def failing():
        raise RuntimeError("broken")

    emitter.on("event", failing)
    emitter.on("event", lambda: seen.append("reached"))
    with pytest.raises(ListenerErrors) as caught:
        emitter.emit("event")
    assert seen == ["reached"]
    assert [str(error) for error in caught.value.errors] == ["broken"]


def test_listening_to_everything(emitter):
    seen = []
    emitter.on(EventEmitter.ANY, lambda: seen.append("any"))
    emitter.on("a", lambda: seen.append("a"), priority=1)
    emitter.emit("a")
    emitter.emit("b")
    assert seen == ["a", "any", "any"]
    assert emitter.emit(EventEmitter.ANY) == 1


def test_only_callables_can_listen(emitter):
    with pytest.raises(TypeError):
        emitter.on("event", "not callable")


def test_among_threads_a_single_use_listener_is_called_once(emitter):
    seen = []
    for _ in range(50):
        emitter.once("event", lambda: seen.append(1))
    threads = [threading.Thread(target=emitter.emit, args=("event",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 50

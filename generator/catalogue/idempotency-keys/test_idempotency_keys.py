import threading

import pytest

from idempotency_keys import (
    IN_FLIGHT_TIMEOUT_SECONDS,
    MAX_KEY_CHARS,
    RETENTION_SECONDS,
    IdempotencyStore,
    KeyReused,
    Lease,
    LeaseLost,
    Replay,
    RequestInFlight,
    fingerprint,
)

REQUEST = fingerprint("POST", "/payments", {"amount": 100, "to": "grace"})
OTHER = fingerprint("POST", "/payments", {"amount": 999, "to": "grace"})


class Clock:
    def __init__(self):
        self.now = 10.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return IdempotencyStore(retention_seconds=3600, in_flight_seconds=30, clock=clock)


def test_a_repeated_request_runs_once_and_gets_the_same_answer(store):
    calls = []

    def pay():
        calls.append(1)
        return {"payment": len(calls)}

    assert store.run("ada:1", REQUEST, pay) == {"payment": 1}
    assert store.run("ada:1", REQUEST, pay) == {"payment": 1}
    assert calls == [1]


def test_other_keys_run_their_own_request(store):
    assert store.run("ada:1", REQUEST, lambda: "first") == "first"
    assert store.run("ada:2", REQUEST, lambda: "second") == "second"


def test_none_is_an_answer(store):
    store.run("ada:1", REQUEST, lambda: None)
    assert store.begin("ada:1", REQUEST) == Replay(None)


def test_a_second_request_meanwhile_is_told_to_wait(store):
    lease = store.begin("ada:1", REQUEST)
    assert isinstance(lease, Lease)
    with pytest.raises(RequestInFlight):
        store.begin("ada:1", REQUEST)
    store.complete(lease, "done")
    assert store.begin("ada:1", REQUEST) == Replay("done")


def test_a_key_cannot_be_used_for_another_request(store):
    lease = store.begin("ada:1", REQUEST)
    with pytest.raises(KeyReused):
        store.begin("ada:1", OTHER)
    store.complete(lease, "done")
    with pytest.raises(KeyReused):
        store.run("ada:1", OTHER, lambda: "never")


def test_a_failed_request_may_be_repeated(store):
    with pytest.raises(ZeroDivisionError):
        store.run("ada:1", REQUEST, lambda: 1 / 0)
    assert store.run("ada:1", REQUEST, lambda: "second attempt") == "second attempt"


def test_a_crashed_request_blocks_its_key_no_longer_than_its_lease(store, clock):
    store.begin("ada:1", REQUEST)
    clock.now += 29.9
    with pytest.raises(RequestInFlight):
        store.begin("ada:1", REQUEST)
    clock.now += 0.1
    assert isinstance(store.begin("ada:1", REQUEST), Lease)


def test_a_late_attempt_cannot_overwrite_the_one_that_replaced_it(store, clock):
    late = store.begin("ada:1", REQUEST)
    clock.now += 30
    lease = store.begin("ada:1", REQUEST)
    for finish in (lambda: store.complete(late, "late"), lambda: store.release(late)):
        with pytest.raises(LeaseLost):
            finish()
    store.complete(lease, "second")
    assert store.begin("ada:1", REQUEST) == Replay("second")


def test_an_attempt_that_is_slow_but_alone_may_still_complete(store, clock):
    lease = store.begin("ada:1", REQUEST)
    clock.now += 300
    store.complete(lease, "slow")
    assert store.begin("ada:1", REQUEST) == Replay("slow")


def test_a_lease_ends_once(store):
    lease = store.begin("ada:1", REQUEST)
    store.complete(lease, "done")
    with pytest.raises(LeaseLost):
        store.complete(lease, "again")
    with pytest.raises(LeaseLost):
        store.release(lease)


def test_a_lost_lease_does_not_hide_the_error_of_the_handler(store, clock):
    def slow_failure():
        clock.now += 30
        store.begin("ada:1", REQUEST)
        raise ConnectionError("bank is down")

    with pytest.raises(ConnectionError):
        store.run("ada:1", REQUEST, slow_failure)


def test_answers_are_forgotten_after_the_retention(store, clock):
    store.run("ada:1", REQUEST, lambda: "old")
    clock.now += 3600
    assert store.run("ada:1", OTHER, lambda: "new") == "new"


def test_purge_drops_what_has_expired(store, clock):
    store.run("ada:1", REQUEST, lambda: 1)
    clock.now += 3000
    store.run("ada:2", REQUEST, lambda: 2)
    store.begin("ada:3", REQUEST)
    clock.now += 600
    assert (store.purge(), len(store)) == (2, 1)


def test_fingerprints_tell_requests_apart_by_content():
    same = fingerprint("post", "/payments", {"to": "grace", "amount": 100})
    assert same == REQUEST
    others = {fingerprint("PUT", "/payments", {}), fingerprint("POST", "/x", {}), fingerprint("POST", "/payments", {})}
    assert len(others | {REQUEST, OTHER}) == 5


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY_CHARS + 1), None, 7])
def test_unusable_keys_are_refused(store, key):
    with pytest.raises(ValueError, match="idempotency key"):
        store.begin(key, REQUEST)


@pytest.mark.parametrize("setting", [{"retention_seconds": 0}, {"in_flight_seconds": -1}])
def test_senseless_times_are_refused(setting):
    with pytest.raises(ValueError, match="positive"):
        IdempotencyStore(**setting)


def test_defaults_come_from_the_constants(clock):
    store = IdempotencyStore(clock=clock)
    store.begin("ada:1", REQUEST)
    clock.now += IN_FLIGHT_TIMEOUT_SECONDS
    store.run("ada:1", REQUEST, lambda: "done")
    clock.now += RETENTION_SECONDS
    assert isinstance(store.begin("ada:1", REQUEST), Lease)


def test_of_many_threads_one_runs_the_request(store):
    calls, barrier = [], threading.Barrier(8)

    def attempt():
        barrier.wait()
        try:
            store.run("ada:1", REQUEST, lambda: calls.append(1))
        except RequestInFlight:
            pass

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]

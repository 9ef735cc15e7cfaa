import threading

import pytest

from session_store import ABSOLUTE_TIMEOUT_SECONDS, IDLE_TIMEOUT_SECONDS, SessionStore


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return SessionStore(idle_seconds=600, absolute_seconds=3600, clock=clock)


def test_a_session_carries_its_user_and_data(store):
    session = store.get(store.create("ada", {"theme": "dark"}))
    assert (session.user_id, dict(session.data)) == ("ada", {"theme": "dark"})


def test_identifiers_are_long_and_never_repeat(store):
    identifiers = {store.create("ada") for _ in range(200)}
    assert len(identifiers) == 200
    assert min(map(len, identifiers)) >= 43


def test_an_idle_session_expires(store, clock):
    session_id = store.create("ada")
    clock.now += 599
    assert store.get(session_id)
    clock.now += 600
    assert store.get(session_id) is None


def test_use_never_extends_a_session_beyond_its_absolute_lifetime(store, clock):
    session_id = store.create("ada")
    for _ in range(7):
        clock.now += 500
        assert store.get(session_id)
    clock.now += 100
    assert store.get(session_id) is None


def test_rotation_replaces_the_identifier_and_keeps_the_rest(store, clock):
    old = store.create("ada", {"cart": 3})
    clock.now += 500
    new = store.rotate(old)
    assert new != old
    assert store.get(old) is None
    assert store.get(new).data["cart"] == 3
    clock.now += 500
    store.get(new)
    assert store.get(new).created_at == clock.now - 1000


def test_rotation_does_not_extend_the_absolute_lifetime(store, clock):
    session_id = store.create("ada")
    for _ in range(7):
        clock.now += 500
        assert store.get(session_id)
        session_id = store.rotate(session_id)
    clock.now += 100
    assert store.get(session_id) is None


def test_updates_merge_and_snapshots_stay_as_they_were(store):
    session_id = store.create("ada", {"step": 1})
    before = store.get(session_id)
    after = store.update(session_id, {"step": 2, "plan": "pro"})
    assert (dict(before.data), dict(after.data)) == ({"step": 1}, {"step": 2, "plan": "pro"})
    with pytest.raises(TypeError):
        after.data["step"] = 9


def test_sign_out_ends_one_session_and_a_changed_password_all(store):
    first, second, other = store.create("ada"), store.create("ada"), store.create("grace")
    assert store.revoke(first)
    assert not store.revoke(first)
    assert store.revoke_user("ada") == 1
    assert store.get(second) is None
    assert store.get(other)


@pytest.mark.parametrize("garbage", ["", "unknown", None, 7, "x" * 10_000])
def test_garbage_finds_no_session(store, garbage):
    assert store.get(garbage) is None
    assert not store.revoke(garbage)
    with pytest.raises(KeyError, match="unknown or has expired"):
        store.rotate(garbage)
    with pytest.raises(KeyError):
        store.update(garbage, {})


def test_expired_sessions_are_purged(store, clock):
    store.create("ada")
    clock.now += 300
    store.create("grace")
    assert len(store) == 2
    clock.now += 300
    assert store.purge() == 1
    assert len(store) == 1


def test_the_store_holds_no_usable_identifier(store):
    session_id = store.create("ada")
    assert session_id not in repr(vars(store))


def test_defaults_come_from_the_constants(clock):
    store = SessionStore(clock=clock)
    session_id = store.create("ada")
    clock.now += min(IDLE_TIMEOUT_SECONDS, ABSOLUTE_TIMEOUT_SECONDS)
    assert store.get(session_id) is None


@pytest.mark.parametrize("settings", [{"idle_seconds": 0}, {"absolute_seconds": -1}])
def test_senseless_timeouts_are_refused(settings):
    with pytest.raises(ValueError, match="positive"):
        SessionStore(**settings)


def test_a_session_needs_a_user(store):
    with pytest.raises(ValueError, match="user_id"):
        store.create("")


def test_only_one_of_many_threads_rotates_a_session(store):
    session_id = store.create("ada")
    rotated = []

    def worker():
        try:
            rotated.append(store.rotate(session_id))
        except KeyError:
            pass

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rotated) == 1

import threading

import pytest

from ttl_cache import MAX_ENTRIES, TTL_SECONDS, TTLCache


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return TTLCache(10, 3, clock=clock)


def test_an_entry_lives_for_its_time_and_no_longer(cache, clock):
    cache.set("a", 1)
    clock.now += 9.99
    assert cache.get("a") == 1
    clock.now += 0.01
    assert cache.get("a") is None
    assert "a" not in cache


def test_reading_does_not_extend_an_entry(cache, clock):
    cache.set("a", 1)
    for _ in range(3):
        clock.now += 4
        cache.get("a")
    assert cache.get("a", "gone") == "gone"


def test_storing_again_does(cache, clock):
    cache.set("a", 1)
    clock.now += 9
    cache.set("a", 2)
    clock.now += 9
    assert cache.get("a") == 2


def test_an_entry_may_have_a_lifetime_of_its_own(cache, clock):
    cache.set("short", 1, ttl_seconds=1)
    cache.set("long", 2, ttl_seconds=100)
    clock.now += 1
    assert "short" not in cache
    assert cache.remaining_seconds("long") == 99
    assert cache.remaining_seconds("short") == cache.remaining_seconds("never") == 0


def test_a_full_cache_drops_what_would_expire_first(cache):
    cache.set("long", 1, ttl_seconds=100)
    cache.set("short", 2, ttl_seconds=5)
    cache.set("middle", 3, ttl_seconds=50)
    cache.set("new", 4)
    assert [key in cache for key in ("long", "short", "middle", "new")] == [True, False, True, True]


def test_replacing_a_key_of_a_full_cache_drops_nothing(cache):
    for key in "abc":
        cache.set(key, 1)
    cache.set("b", 2)
    assert [cache.get(key) for key in "abc"] == [1, 2, 1]


def test_a_replaced_entry_is_judged_by_its_new_expiry(cache):
    cache.set("a", 1, ttl_seconds=1)
    cache.set("a", 2, ttl_seconds=100)
    cache.set("b", 1)
    cache.set("c", 1)
    cache.set("d", 1)
    assert cache.get("a") == 2
    assert "b" not in cache


def test_expired_entries_make_room_before_live_ones_leave(cache, clock):
    cache.set("dead", 1, ttl_seconds=1)
    cache.set("a", 1)
    cache.set("b", 1)
    clock.now += 2
    cache.set("c", 1)
    assert len(cache) == 3


def test_none_is_a_value(cache):
    cache.set("a", None)
    assert "a" in cache
    assert cache.get_or_compute("a", lambda: 1) is None


def test_a_miss_is_computed_once_and_a_failure_stores_nothing(cache):
    calls = []
    for _ in range(2):
        assert cache.get_or_compute("a", lambda: calls.append(1) or 7) == 7
    assert calls == [1]
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute("b", lambda: 1 / 0)
    assert "b" not in cache


def test_delete_and_clear(cache, clock):
    cache.set("a", 1)
    assert cache.delete("a")
    assert not cache.delete("a")
    cache.set("b", 1)
    clock.now += 10
    assert not cache.delete("b")
    cache.set("c", 1)
    cache.clear()
    assert len(cache) == 0


def test_purge_counts_what_it_drops(cache, clock):
    cache.set("a", 1)
    cache.set("a", 2)
    cache.set("b", 1, ttl_seconds=60)
    clock.now += 10
    assert (cache.purge(), cache.purge(), len(cache)) == (1, 0, 1)


def test_storing_one_key_again_and_again_stays_small(cache):
    for number in range(5000):
        cache.set("a", number)
    assert len(cache._queue) < 100
    assert cache.get("a") == 4999


@pytest.mark.parametrize("settings", [(0,), (-1,), (1, 0)])
def test_senseless_settings_are_refused(settings):
    with pytest.raises(ValueError, match="must be"):
        TTLCache(*settings)
    with pytest.raises(ValueError, match="ttl_seconds"):
        TTLCache().set("a", 1, ttl_seconds=0)


def test_defaults_come_from_the_constants(clock):
    cache = TTLCache(clock=clock)
    for number in range(MAX_ENTRIES + 1):
        cache.set(number, number)
    assert len(cache) == MAX_ENTRIES
    clock.now += TTL_SECONDS
    assert len(cache) == 0


def test_threads_together_stay_within_the_bound():
    cache = TTLCache(60, 50)
    workers = [
        threading.Thread(target=lambda start=start: [cache.set(start + n, n) for n in range(500)])
        for start in range(0, 2000, 500)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(cache) == 50

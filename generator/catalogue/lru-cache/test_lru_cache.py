import inspect
import threading

import pytest

from lru_cache import CAPACITY, LRUCache


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_least_recently_used_entry_leaves_first():
    cache = LRUCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert "b" not in cache
    assert (cache.get("a"), cache.get("c"), len(cache)) == (1, 3, 2)


def test_the_default_capacity_is_the_constant():
    assert inspect.signature(LRUCache).parameters["capacity"].default == CAPACITY


def test_overwriting_renews_an_entry_and_does_not_evict():
    cache = LRUCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.put("a", 10)
    assert len(cache) == 2
    cache.put("c", 3)
    assert ("a" in cache, "b" in cache) == (True, False)


def test_looking_without_reading_is_no_use():
    cache = LRUCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert "a" in cache
    cache.put("c", 3)
    assert "a" not in cache


def test_entries_expire_at_their_time(clock):
    cache = LRUCache(4, ttl_seconds=10, clock=clock)
    cache.put("a", 1)
    clock.now = 9.9
    assert cache.get("a") == 1
    clock.now = 10
    assert cache.get("a", "gone") == "gone"
    assert len(cache) == 0


def test_an_entry_can_have_a_lifetime_of_its_own(clock):
    cache = LRUCache(4, ttl_seconds=10, clock=clock)
    cache.put("short", 1, ttl_seconds=1)
    cache.put("for ever", 2, ttl_seconds=None)
    clock.now = 1000
    assert "short" not in cache
    assert cache.get("for ever") == 2


def test_expired_entries_are_evicted_before_live_ones(clock):
    cache = LRUCache(2, clock=clock)
    cache.put("live", 1)
    cache.put("dying", 2, ttl_seconds=5)
    clock.now = 6
    cache.put("new", 3)
    assert cache.get("live") == 1


def test_none_is_a_value_and_counters_count():
    cache = LRUCache(2)
    cache.put("a", None)
    assert cache.get("a", "default") is None
    assert cache.get("b", "default") == "default"
    assert (cache.hits, cache.misses) == (1, 1)
    cache.clear()
    assert (cache.hits, cache.misses, len(cache)) == (0, 0, 0)


def test_compute_runs_once_and_a_failure_stores_nothing():
    cache = LRUCache(2)
    calls = []

    def failing():
        raise RuntimeError("no value")

    with pytest.raises(RuntimeError):
        cache.get_or_compute("a", failing)
    assert cache.get_or_compute("a", lambda: calls.append(1) or "value") == "value"
    assert cache.get_or_compute("a", lambda: calls.append(2)) == "value"
    assert calls == [1]


def test_delete_says_whether_it_found_something(clock):
    cache = LRUCache(2, ttl_seconds=1, clock=clock)
    cache.put("a", 1)
    assert cache.delete("a")
    assert not cache.delete("a")
    cache.put("b", 1)
    clock.now = 2
    assert not cache.delete("b")


@pytest.mark.parametrize("capacity, ttl", [(0, None), (-1, None), (1, 0), (1, -5)])
def test_senseless_settings_are_refused(capacity, ttl):
    with pytest.raises(ValueError):
        LRUCache(capacity, ttl)


def test_threads_never_push_it_over_its_capacity():
    cache = LRUCache(16)

    def worker(offset):
        for number in range(500):
            cache.put((offset, number % 40), number)
            cache.get((offset, number % 7))

    threads = [threading.Thread(target=worker, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 16
    assert cache.hits + cache.misses == 2000

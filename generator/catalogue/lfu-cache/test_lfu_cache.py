import random
import threading

import pytest

from lfu_cache import CAPACITY, LFUCache


@pytest.fixture
def cache():
    cache = LFUCache(3)
    for key in "abc":
        cache.put(key, key.upper())
    return cache


def test_the_least_frequently_used_entry_leaves(cache):
    for key in "aab":
        cache.get(key)
    cache.put("d", "D")
    assert [key in cache for key in "abcd"] == [True, True, False, True]


def test_of_equally_used_entries_the_least_recently_used_leaves(cache):
    for key in "bac":
        cache.get(key)
    cache.put("d", "D")
    assert "b" not in cache
    cache.put("e", "E")
    assert "d" not in cache


def test_replacing_a_value_counts_as_a_use(cache):
    cache.put("a", "new")
    assert (cache.get("a"), cache.uses("a")) == ("new", 3)
    assert len(cache) == 3


def test_neither_in_nor_uses_counts_as_a_use(cache):
    for _ in range(5):
        assert "a" in cache
        assert cache.uses("a") == 1
    cache.put("d", "D")
    assert "a" not in cache


def test_misses_return_the_default_and_are_counted(cache):
    assert cache.get("z") is None
    assert cache.get("z", 7) == 7
    cache.get("a")
    assert (cache.hits, cache.misses) == (1, 2)


def test_an_evicted_key_starts_anew(cache):
    for key in "aabbcc":
        cache.get(key)
    cache.put("d", "D")
    cache.put("a", "again")
    assert cache.uses("a") == 1
    assert "d" not in cache


def test_deleting_the_least_used_entry_leaves_a_sound_cache(cache):
    for key in "aab":
        cache.get(key)
    assert cache.delete("c")
    assert not cache.delete("c")
    cache.put("d", "D")
    cache.put("e", "E")
    assert [key in cache for key in "abde"] == [True, True, False, True]


def test_a_miss_is_computed_once_and_a_failure_stores_nothing(cache):
    calls = []
    for _ in range(2):
        assert cache.get_or_compute("n", lambda: calls.append(1) or None) is None
    assert calls == [1]
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute("m", lambda: 1 / 0)
    assert "m" not in cache


def test_clear_forgets_counters_too(cache):
    cache.get("a")
    cache.clear()
    assert (len(cache), cache.hits, cache.misses, cache.uses("a")) == (0, 0, 0, 0)
    cache.put("a", 1)
    assert cache.get("a") == 1


def test_one_entry_is_enough():
    cache = LFUCache(1)
    for number in range(5):
        cache.put(number, number)
        assert cache.get(number) == number
    assert len(cache) == 1


def test_the_default_capacity_comes_from_the_constant():
    cache = LFUCache()
    for number in range(CAPACITY + 1):
        cache.put(number, number)
    assert len(cache) == CAPACITY
    assert 0 not in cache or CAPACITY == 1


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True, "3", None])
def test_senseless_capacities_are_refused(capacity):
    with pytest.raises(ValueError, match="capacity"):
        LFUCache(capacity)


class PlainCache:
    """The same rules, stated without regard to speed."""

    def __init__(self, capacity):
        self.capacity, self.rows, self.time = capacity, {}, 0

    def use(self, key, value=None):
        self.time += 1
        if key in self.rows:
            uses, _, old = self.rows[key]
            self.rows[key] = (uses + 1, self.time, old if value is None else value)
        elif value is not None:
            if len(self.rows) >= self.capacity:
                del self.rows[min(self.rows, key=lambda row: self.rows[row][:2])]
            self.rows[key] = (1, self.time, value)
        return self.rows[key][2] if key in self.rows else None


def test_random_use_agrees_with_the_plain_rules():
    source = random.Random(7)
    for capacity in (1, 2, 5):
        cache, plain = LFUCache(capacity), PlainCache(capacity)
        for step in range(2000):
            key = source.randrange(8)
            if source.random() < 0.4:
                cache.put(key, step + 1)
                plain.use(key, step + 1)
            else:
                assert cache.get(key) == plain.use(key)


def test_threads_together_stay_within_the_capacity():
    cache = LFUCache(10)
    workers = [
        threading.Thread(target=lambda: [cache.get_or_compute(n % 30, int) for n in range(600)]) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(cache) == 10
    assert cache.hits + cache.misses == 2400

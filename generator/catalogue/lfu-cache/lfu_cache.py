"""A bounded, thread-safe cache that drops the least frequently used entry; all operations take constant time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

CAPACITY = 128

_MISSING = object()


class LFUCache(Generic[Key, Value]):
    """Hold at most `capacity` entries; of those used equally often the least recently used leaves first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise ValueError("capacity must be a whole number of at least 1")
        self._capacity = capacity
        self._lock = threading.RLock()
        self._entries: dict[Key, tuple[Value, int]] = {}  # key -> (value, uses)
        # uses -> keys in the order of their last use, the oldest first. No bucket is empty.
        self._buckets: dict[int, OrderedDict[Key, None]] = {}
        self._least_uses = 0
        self.hits = 0
        self.misses = 0

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of `key` and count a use, or return `default`."""
        with self._lock:
            if key not in self._entries:
                self.misses += 1
                return default
            self.hits += 1
            value, uses = self._entries[key]
            self._move(key, value, uses)
            return value

    def put(self, key: Key, value: Value) -> None:
        """Store `value`. Replacing a value counts as a use; a new key starts with one."""
        with self._lock:
            if key in self._entries:
                self._move(key, value, self._entries[key][1])
                return
            if len(self._entries) >= self._capacity:
                self._evict()
            self._entries[key] = (value, 1)
            self._buckets.setdefault(1, OrderedDict())[key] = None
            self._least_uses = 1

    def get_or_compute(self, key: Key, compute: Callable[[], Value]) -> Value:
        """Return the value of `key`, calling `compute()` for it on a miss; a failure stores nothing."""
        with self._lock:
            value: Value = self.get(key, _MISSING)
            if value is _MISSING:
                value = compute()
                self.put(key, value)
            return value

    def _move(self, key: Key, value: Value, uses: int) -> None:
        self._leave_bucket(key, uses)
        # The key itself is now in the next bucket, so the least count grows by one at most.
        if uses == self._least_uses and uses not in self._buckets:
            self._least_uses = uses + 1
        self._entries[key] = (value, uses + 1)
        self._buckets.setdefault(uses + 1, OrderedDict())[key] = None

    def _leave_bucket(self, key: Key, uses: int) -> None:
        bucket = self._buckets[uses]
        del bucket[key]
        if not bucket:
            del self._buckets[uses]

    def _evict(self) -> None:
        key = next(iter(self._buckets[self._least_uses]))
        self._leave_bucket(key, self._least_uses)
        del self._entries[key]

    def delete(self, key: Key) -> bool:
        """Forget `key` and its uses; return whether it was there."""
        with self._lock:
            if key not in self._entries:
                return False
            _, uses = self._entries.pop(key)
            self._leave_bucket(key, uses)
            if self._least_uses not in self._buckets:
                self._least_uses = min(self._buckets, default=0)
            return True

    def uses(self, key: Key) -> int:
        """Return how often `key` was used since it was stored; 0 if it is not there. Asking is no use."""
        with self._lock:
            return self._entries[key][1] if key in self._entries else 0

    def clear(self) -> None:
        """Forget everything, the counters included."""
        with self._lock:
            self._entries.clear()
            self._buckets.clear()
            self._least_uses = self.hits = self.misses = 0

    def __contains__(self, key: Key) -> bool:
        with self._lock:
            return key in self._entries

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

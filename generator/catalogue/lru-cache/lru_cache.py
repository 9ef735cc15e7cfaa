"""A bounded, thread-safe cache: least recently used entries leave first, old ones expire."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

CAPACITY = 128

_MISSING = object()


class LRUCache(Generic[Key, Value]):
    """Hold at most `capacity` entries, each for at most `ttl_seconds` (None: for ever)."""

    def __init__(
        self,
        capacity: int = CAPACITY,
        ttl_seconds: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        if ttl_seconds is not None and ttl_seconds <= 0:
            raise ValueError("ttl_seconds must be positive, or None")
        self._capacity = capacity
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._lock = threading.RLock()
        # key -> (value, time at which it expires or None); the least recently used comes first.
        self._entries: OrderedDict[Key, tuple[Value, float | None]] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def _live(self, key: Key) -> tuple[Value, float | None] | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[1] is not None and self._clock() >= entry[1]:
            del self._entries[key]
            return None
        return entry

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of `key` and mark it as used, or return `default`."""
        with self._lock:
            entry = self._live(key)
            if entry is None:
                self.misses += 1
                return default
            self.hits += 1
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, ttl_seconds: Any = _MISSING) -> None:
        """Store `value` under `key`; `ttl_seconds` replaces the cache's own for this entry."""
        lifetime = self._ttl_seconds if ttl_seconds is _MISSING else ttl_seconds
        if lifetime is not None and lifetime <= 0:
            raise ValueError("ttl_seconds must be positive, or None")
        with self._lock:
            expires_at = None if lifetime is None else self._clock() + lifetime
            self._entries[key] = (value, expires_at)
            self._entries.move_to_end(key)
            if len(self._entries) > self._capacity:
                self._evict()

    def _evict(self) -> None:
        # An expired entry is worth less than any live one, however recently it was used.
        self.purge()
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def get_or_compute(self, key: Key, compute: Callable[[], Value]) -> Value:
        """Return the value of `key`, calling `compute()` for it on a miss; a failure stores nothing."""
        with self._lock:
            value: Value = self.get(key, _MISSING)
            if value is _MISSING:
                value = compute()
                self.put(key, value)
            return value

    def purge(self) -> int:
        """Drop every expired entry and return how many there were."""
        with self._lock:
            now = self._clock()
            expired = [key for key, (_, at) in self._entries.items() if at is not None and now >= at]
            for key in expired:
                del self._entries[key]
            return len(expired)

    def delete(self, key: Key) -> bool:
        """Forget `key`; say whether it was there."""
        with self._lock:
            found = self._live(key) is not None
            self._entries.pop(key, None)
            return found

    def clear(self) -> None:
        """Forget everything, the counters included."""
        with self._lock:
            self._entries.clear()
            self.hits = self.misses = 0

    def __contains__(self, key: Key) -> bool:
        with self._lock:
            return self._live(key) is not None

    def __len__(self) -> int:
        self.purge()
        return len(self._entries)

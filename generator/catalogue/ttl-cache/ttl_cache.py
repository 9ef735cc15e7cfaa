"""A bounded, thread-safe cache whose entries expire a fixed time after they were stored."""

import heapq
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

TTL_SECONDS = 300
MAX_ENTRIES = 10000

_MISSING = object()


class TTLCache(Generic[Key, Value]):
    """Hold each entry for `ttl_seconds`; when full, the entry that would expire first leaves."""

    def __init__(
        self,
        ttl_seconds: float = TTL_SECONDS,
        max_entries: int = MAX_ENTRIES,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if ttl_seconds <= 0:
            raise ValueError("ttl_seconds must be positive")
        if max_entries < 1:
            raise ValueError("max_entries must be at least 1")
        self._ttl_seconds = ttl_seconds
        self._max_entries = max_entries
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[Key, tuple[Value, float, int]] = {}  # key -> (value, expiry, serial)
        # (expiry, serial, key) of every entry, the first to expire on top; rows of replaced entries are stale.
        self._queue: list[tuple[float, int, Key]] = []
        self._serial = 0

    def set(self, key: Key, value: Value, ttl_seconds: float | None = None) -> None:
        """Store `value`; `ttl_seconds` replaces the cache's own for this entry."""
        lifetime = self._ttl_seconds if ttl_seconds is None else ttl_seconds
        if lifetime <= 0:
            raise ValueError("ttl_seconds must be positive")
        with self._lock:
            self.purge()
            if key not in self._entries and len(self._entries) >= self._max_entries:
                self._evict()
            self._serial += 1
            expiry = self._clock() + lifetime
            self._entries[key] = (value, expiry, self._serial)
            heapq.heappush(self._queue, (expiry, self._serial, key))
            self._compact()

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of `key` if it is there and has not expired, else `default`. Reading extends nothing."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or self._clock() >= entry[1]:
                return default
            return entry[0]

    def get_or_compute(self, key: Key, compute: Callable[[], Value]) -> Value:
        """Return the value of `key`, calling `compute()` for it on a miss; a failure stores nothing."""
        with self._lock:
            value: Value = self.get(key, _MISSING)
            if value is _MISSING:
                value = compute()
                self.set(key, value)
            return value

    def remaining_seconds(self, key: Key) -> float:
        """Return how long `key` will live on; 0 if it is not there."""
        with self._lock:
            entry = self._entries.get(key)
            return 0.0 if entry is None else max(0.0, entry[1] - self._clock())

    def delete(self, key: Key) -> bool:
        """Remove `key`; return whether it was there and alive."""
        with self._lock:
            entry = self._entries.pop(key, None)
            return entry is not None and self._clock() < entry[1]

    def clear(self) -> None:
        """Remove everything."""
        with self._lock:
            self._entries.clear()
            self._queue.clear()

    def purge(self) -> int:
        """Drop every expired entry and return how many there were. `set` does this as well."""
        with self._lock:
            now = self._clock()
            count = 0
            while self._queue and self._queue[0][0] <= now:
                count += self._pop_row()
            return count

    def _pop_row(self) -> bool:
        """Take the top row off the queue, and its entry if the row is not stale; return whether it was not."""
        _, serial, key = heapq.heappop(self._queue)
        entry = self._entries.get(key)
        is_current = entry is not None and entry[2] == serial
        if is_current:
            del self._entries[key]
        return is_current

    def _evict(self) -> None:
        while not self._pop_row():
            pass

    def _compact(self) -> None:
        # Without this, storing one key again and again would grow the queue without bound.
        if len(self._queue) > 2 * len(self._entries) + 64:
            self._queue = [(expiry, serial, key) for key, (_, expiry, serial) in self._entries.items()]
            heapq.heapify(self._queue)

    def __contains__(self, key: Key) -> bool:
        return self.remaining_seconds(key) > 0

    def __len__(self) -> int:
        """Return the number of live entries."""
        with self._lock:
            self.purge()
            return len(self._entries)

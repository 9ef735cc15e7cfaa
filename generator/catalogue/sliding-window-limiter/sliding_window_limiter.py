"""A thread-safe sliding window rate limiter: never more than a limit of actions in any window of time."""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

LIMIT = 100
WINDOW_SECONDS = 60
MAX_KEYS = 10000


@dataclass(frozen=True)
class Decision:
    """Whether an action may happen, how many more may now, and when the next one may."""

    allowed: bool
    remaining: int
    retry_after_seconds: float


class SlidingWindowLimiter:
    """Allow `limit` actions of each key in any `window_seconds`, by remembering the times of those allowed."""

    def __init__(
        self,
        limit: int = LIMIT,
        window_seconds: float = WINDOW_SECONDS,
        *,
        max_keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ValueError("limit must be a whole number of at least 1")
        if window_seconds <= 0:
            raise ValueError("window_seconds must be positive")
        if max_keys < 1:
            raise ValueError("max_keys must be at least 1")
        self._limit = limit
        self._window_seconds = window_seconds
        self._max_keys = max_keys
        self._clock = clock
        self._lock = threading.Lock()
        # key -> times of its allowed actions, the oldest first; the key that asked longest ago comes first.
        self._times: dict[Hashable, deque[float]] = {}

    def acquire(self, key: Hashable) -> Decision:
        """Count an action of `key` if it is allowed. Refused actions do not count. Never blocks."""
        with self._lock:
            now = self._clock()
            times = self._times.pop(key, None) or deque()
            self._drop_old(times, now)
            allowed = len(times) < self._limit
            if allowed:
                times.append(now)
            # Stored again behind the others: the order of the dictionary is the order of use.
            self._times[key] = times
            self._forget_surplus()
            wait = 0.0 if allowed else self._wait(times, now)
            return Decision(allowed, self._limit - len(times), wait)

    def peek(self, key: Hashable) -> Decision:
        """Return what `acquire` would decide, and count nothing; `remaining` includes the action asked about."""
        with self._lock:
            now = self._clock()
            times = deque(self._times.get(key, ()))
            self._drop_old(times, now)
            remaining = self._limit - len(times)
            return Decision(remaining > 0, remaining, 0.0 if remaining else self._wait(times, now))

    def reset(self, key: Hashable) -> None:
        """Forget the actions of `key`, for example after a successful sign-in."""
        with self._lock:
            self._times.pop(key, None)

    def _wait(self, times: deque[float], now: float) -> float:
        return times[0] + self._window_seconds - now

    def _drop_old(self, times: deque[float], now: float) -> None:
        # An action leaves the window exactly `window_seconds` after it happened.
        while times and now - times[0] >= self._window_seconds:
            times.popleft()

    def _forget_surplus(self) -> None:
        # A flood of invented keys must not exhaust memory. The key that asked longest ago goes first.
        while len(self._times) > self._max_keys:
            del self._times[next(iter(self._times))]

    def __len__(self) -> int:
        """Return the number of keys remembered."""
        with self._lock:
            return len(self._times)

"""A thread-safe token bucket for each key: a steady rate with room for bursts."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

LIMIT = 10
PERIOD_SECONDS = 1.0


@dataclass(frozen=True)
class Decision:
    """What `RateLimiter.acquire` decided."""

    allowed: bool
    remaining: int
    retry_after_seconds: float


class RateLimiter:
    """Allow `burst` actions at once and `rate_per_second` in the long run, for each key on its own.

    By default that is `LIMIT` actions at once, and as many in each `PERIOD_SECONDS` in the long run.
    """

    def __init__(
        self,
        rate_per_second: float = LIMIT / PERIOD_SECONDS,
        burst: float = LIMIT,
        *,
        max_keys: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if rate_per_second <= 0:
            raise ValueError("rate_per_second must be positive")
        if burst < 1:
            raise ValueError("burst must be at least 1")
        if max_keys < 1:
            raise ValueError("max_keys must be at least 1")
        self._rate = float(rate_per_second)
        self._burst = float(burst)
        self._max_keys = max_keys
        self._clock = clock
        self._lock = threading.Lock()
        # key -> (tokens, time of that count); the least recently used key comes first.
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def _refill(self, key: Hashable, now: float) -> float:
        tokens, counted_at = self._buckets.pop(key, (self._burst, now))
        elapsed = max(0.0, now - counted_at)
        return min(self._burst, tokens + elapsed * self._rate)

    def acquire(self, key: Hashable, cost: float = 1) -> Decision:
        """Take `cost` tokens from the bucket of `key`, or say how long to wait. Never blocks."""
        if not 0 < cost <= self._burst:
            raise ValueError("cost must be positive and at most the burst")
        with self._lock:
            now = self._clock()
            tokens = self._refill(key, now)
            allowed = tokens >= cost
            if allowed:
                tokens -= cost
            self._buckets[key] = (tokens, now)
            self._forget_surplus()
        wait = 0.0 if allowed else (cost - tokens) / self._rate
        return Decision(allowed, int(tokens), wait)

    def _forget_surplus(self) -> None:
        # Forgetting the least recently used key bounds memory against a flood of made-up keys.
        while len(self._buckets) > self._max_keys:
            del self._buckets[next(iter(self._buckets))]

    def __len__(self) -> int:
        """Return the number of keys remembered."""
        with self._lock:
            return len(self._buckets)

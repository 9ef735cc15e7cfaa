"""Collect items into batches by number, by weight and by age."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

BATCH_SIZE = 100
MAX_AGE_SECONDS = 5.0
MAX_PENDING = 10_000


class BatcherFull(RuntimeError):
    """Too many items wait because flushing keeps failing; the item was not added."""


class BatcherClosed(RuntimeError):
    """The batcher was closed; the item was not added."""


def batched(items: Iterable[Item], size: int = BATCH_SIZE) -> Iterator[list[Item]]:
    """Yield lists of `size` items, the last one perhaps shorter; `items` may be endless."""
    if size < 1:
        raise ValueError("size must be at least 1")
    return _batched(items, size)


def _batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True)
class Limits:
    """When a batch is flushed: at `size` items, at `max_weight`, or when the oldest item is `max_age_seconds` old.

    At most `max_pending` items wait while flushing fails.
    """

    size: int = BATCH_SIZE
    max_age_seconds: float | None = MAX_AGE_SECONDS
    max_weight: float | None = None
    max_pending: int = MAX_PENDING

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("size must be at least 1")
        if self.max_age_seconds is not None and self.max_age_seconds <= 0:
            raise ValueError("max_age_seconds must be positive, or None")
        if self.max_weight is not None and self.max_weight <= 0:
            raise ValueError("max_weight must be positive, or None")
        if self.max_pending < self.size:
            raise ValueError("max_pending must not be less than size")


class Batcher(Generic[Item]):
    """Hand items to `flush` in batches, as the limits say; `weigh` gives the weight of an item.

    The age is checked by `add` and `tick`: call `tick` from a loop or a timer. A context manager that flushes at its end.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], object],
        limits: Limits = Limits(),
        *,
        weigh: Callable[[Item], float] = lambda item: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._flush = flush
        self._limits = limits
        self._weigh = weigh
        self._clock = clock
        # Held while flushing, so that batches arrive one after the other and in order; re-entrant to fail early.
        self._lock = threading.RLock()
        self._is_flushing = False
        self._is_closed = False
        # Each item with its weight and the time at which it was added.
        self._pending: list[tuple[Item, float, float]] = []

    def add(self, item: Item) -> None:
        """Add an item, and flush if a limit is reached. If flushing fails the error is raised and no item is lost."""
        with self._lock:
            if self._is_flushing:
                raise RuntimeError("flush must not use its own batcher")
            if self._is_closed:
                raise BatcherClosed("the batcher is closed")
            if len(self._pending) >= self._limits.max_pending:
                raise BatcherFull(f"{len(self._pending)} items are waiting to be flushed")
            self._pending.append((item, self._weigh(item), self._clock()))
            self._flush_due()

    def tick(self) -> int:
        """Flush what is due by now and return the number of items flushed."""
        with self._lock:
            return self._flush_due()

    def flush(self) -> int:
        """Flush everything and return the number of items flushed."""
        with self._lock:
            before = len(self._pending)
            while self._pending:
                self._flush_batch()
            return before

    def close(self) -> None:
        """Flush everything and accept no more items; if flushing fails the batcher stays open."""
        self.flush()
        self._is_closed = True

    def seconds_until_due(self) -> float | None:
        """Return how long until `tick` has something to do by age; None if nothing waits or age does not matter."""
        with self._lock:
            if not self._pending or self._limits.max_age_seconds is None:
                return None
            return max(0.0, self._pending[0][2] + self._limits.max_age_seconds - self._clock())

    def _is_due(self) -> bool:
        if len(self._pending) >= self._limits.size:
            return True
        if self._limits.max_weight is not None and sum(weight for _, weight, _ in self._pending) >= self._limits.max_weight:
            return True
        return self.seconds_until_due() == 0.0

    def _flush_due(self) -> int:
        flushed = 0
        while self._is_due():
            flushed += self._flush_batch()
        return flushed

    def _flush_batch(self) -> int:
        """Flush the oldest items, as many as the limits allow and at least one; they are dropped only after success."""
        count, weight = 0, 0.0
        for _, added, _ in self._pending[: self._limits.size]:
            weight += added
            if count and self._limits.max_weight is not None and weight > self._limits.max_weight:
                break
            count += 1
        self._is_flushing = True
        try:
            self._flush([item for item, _, _ in self._pending[:count]])
        finally:
            self._is_flushing = False
        del self._pending[:count]
        return count

    def __len__(self) -> int:
        """Return the number of items that wait."""
        with self._lock:
            return len(self._pending)

    def __enter__(self) -> "Batcher[Item]":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

"""Collect items into batches by number, by weight and by age."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
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


class Batcher(Generic[Item]):
    """Hand items to `flush` in batches: when `size` or `max_weight` is reached, or the oldest is `max_age_seconds` old.

    The age is checked by `add` and `tick`: call `tick` from a loop or a timer. A context manager that flushes at its end.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], object],
        *,
        size: int = BATCH_SIZE,
        max_age_seconds: float | None = MAX_AGE_SECONDS,
        weigh: Callable[[Item], float] = lambda item: 0,
        max_weight: float | None = None,
        max_pending: int = MAX_PENDING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if size < 1:
            raise ValueError("size must be at least 1")
        if max_age_seconds is not None and max_age_seconds <= 0:
            raise ValueError("max_age_seconds must be positive, or None")
        if max_weight is not None and max_weight <= 0:
            raise ValueError("max_weight must be positive, or None")
        if max_pending < size:
            raise ValueError("max_pending must not be less than size")
        self._flush = flush
        self._size = size
        self._max_age = max_age_seconds
        self._weigh = weigh
        self._max_weight = max_weight
        self._max_pending = max_pending
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
            if len(self._pending) >= self._max_pending:
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
            if not self._pending or self._max_age is None:
                return None
            return max(0.0, self._pending[0][2] + self._max_age - self._clock())

    def _is_due(self) -> bool:
        if len(self._pending) >= self._size:
            return True
        if self._max_weight is not None and sum(weight for _, weight, _ in self._pending) >= self._max_weight:
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
        for _, added, _ in self._pending[: self._size]:
            weight += added
            if count and self._max_weight is not None and weight > self._max_weight:
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

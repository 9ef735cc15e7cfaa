"""A first-in first-out buffer of fixed size."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

CAPACITY = 64


class BufferFull(Exception):
    """There is no room, and overwriting was not asked for."""


class BufferEmpty(Exception):
    """There is nothing to take."""


class CircularBuffer(Generic[Item]):
    """Hold at most `capacity` items; every operation takes constant time and memory is taken once."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise ValueError("capacity must be an integer of at least 1")
        # An empty slot holds None.
        self._slots: list[Any] = [None] * capacity
        self._start = 0
        self._length = 0

    @property
    def capacity(self) -> int:
        """Return how many items fit."""
        return len(self._slots)

    def _slot(self, offset: int) -> int:
        return (self._start + offset) % len(self._slots)

    def write(self, item: Item) -> None:
        """Add `item` at the end, or raise `BufferFull`."""
        if self.is_full():
            raise BufferFull("the buffer is full")
        self._slots[self._slot(self._length)] = item
        self._length += 1

    def overwrite(self, item: Item) -> None:
        """Add `item` at the end, in place of the oldest one if there is no room."""
        if self.is_full():
            self._slots[self._start] = item
            self._start = self._slot(1)
        else:
            self.write(item)

    def read(self) -> Item:
        """Take the oldest item out, or raise `BufferEmpty`."""
        item = self.peek()
        # The slot lets go of the item, so that it can be collected.
        self._slots[self._start] = None
        self._start = self._slot(1)
        self._length -= 1
        return item

    def peek(self) -> Item:
        """Return the oldest item and leave it, or raise `BufferEmpty`."""
        if not self._length:
            raise BufferEmpty("the buffer is empty")
        item: Item = self._slots[self._start]
        return item

    def clear(self) -> None:
        """Forget every item."""
        self._slots = [None] * len(self._slots)
        self._start = self._length = 0

    def is_full(self) -> bool:
        """Say whether there is no room."""
        return self._length == len(self._slots)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Item:
        """Return an item by its age: 0 is the oldest, -1 the newest."""
        if not -self._length <= index < self._length:
            raise IndexError("no item has this index")
        item: Item = self._slots[self._slot(index % self._length)]
        return item

    def __iter__(self) -> Iterator[Item]:
        """Yield the items from the oldest to the newest, without taking them."""
        return (self._slots[self._slot(offset)] for offset in range(self._length))

    def __repr__(self) -> str:
        return f"CircularBuffer(capacity={self.capacity}, length={self._length})"

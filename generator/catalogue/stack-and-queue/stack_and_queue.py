"""A stack (last in, first out) and a queue (first in, first out), both with constant-time operations."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class EmptyError(IndexError):
    """There is nothing to take."""


class FullError(OverflowError):
    """There is no room."""


class _Container(Generic[Item]):
    """What a stack and a queue share: room for `capacity` items, or for any number without one."""

    def __init__(self, items: Iterable[Item] = (), *, capacity: int | None = None) -> None:
        if capacity is not None and (isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1):
            raise ValueError("capacity must be an integer of at least 1, or None")
        self._capacity = capacity
        self._items: deque[Item] = deque()
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        if self.is_full():
            raise FullError(f"the {type(self).__name__.lower()} is full")
        self._items.append(item)

    def _require_items(self) -> None:
        if not self._items:
            raise EmptyError(f"the {type(self).__name__.lower()} is empty")

    def is_empty(self) -> bool:
        """Say whether there is nothing to take."""
        return not self._items

    def is_full(self) -> bool:
        """Say whether there is no room; never without a capacity."""
        return self._capacity is not None and len(self._items) >= self._capacity

    def clear(self) -> None:
        """Forget every item."""
        self._items.clear()

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items


class Stack(_Container[Item]):
    """Last in, first out."""

    def push(self, item: Item) -> None:
        """Put `item` on top, or raise `FullError`."""
        self._add(item)

    def pop(self) -> Item:
        """Take the item on top, or raise `EmptyError`."""
        self._require_items()
        return self._items.pop()

    def peek(self) -> Item:
        """Return the item on top and leave it, or raise `EmptyError`."""
        self._require_items()
        return self._items[-1]

    def __iter__(self) -> Iterator[Item]:
        """Yield the items from the top down, without taking them."""
        return reversed(self._items)


class Queue(_Container[Item]):
    """First in, first out."""

    def enqueue(self, item: Item) -> None:
        """Add `item` at the back, or raise `FullError`."""
        self._add(item)

    def dequeue(self) -> Item:
        """Take the item at the front, or raise `EmptyError`."""
        self._require_items()
        return self._items.popleft()

    def peek(self) -> Item:
        """Return the item at the front and leave it, or raise `EmptyError`."""
        self._require_items()
        return self._items[0]

    def __iter__(self) -> Iterator[Item]:
        """Yield the items from the front to the back, without taking them."""
        return iter(self._items)

"""A binary heap in a list: the smallest item is always first."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


def _identity(item: Any) -> Any:
    return item


class Heap(Generic[Item]):
    """Give the smallest item first, or with `largest_first` the largest; `key` says what items are compared by."""

    def __init__(
        self,
        items: Iterable[Item] = (),
        *,
        key: Callable[[Item], Any] = _identity,
        largest_first: bool = False,
    ) -> None:
        self._key = key
        self._largest_first = largest_first
        # Pairs of key and item. The children of the entry at n are at 2n + 1 and 2n + 2.
        self._entries: list[tuple[Any, Item]] = [(key(item), item) for item in items]
        # From the last parent to the root, in linear time altogether.
        for at in reversed(range(len(self._entries) // 2)):
            self._sift_down(at)

    def _is_before(self, first: int, second: int) -> bool:
        if self._largest_first:
            first, second = second, first
        return bool(self._entries[first][0] < self._entries[second][0])

    def _swap(self, first: int, second: int) -> None:
        self._entries[first], self._entries[second] = self._entries[second], self._entries[first]

    def _sift_up(self, at: int) -> None:
        while at > 0 and self._is_before(at, (at - 1) // 2):
            self._swap(at, (at - 1) // 2)
            at = (at - 1) // 2

    def _sift_down(self, at: int) -> None:
        while (child := 2 * at + 1) < len(self._entries):
            if child + 1 < len(self._entries) and self._is_before(child + 1, child):
                child += 1
            if not self._is_before(child, at):
                return
            self._swap(at, child)
            at = child

    def push(self, item: Item) -> None:
        """Add an item, in logarithmic time."""
        self._entries.append((self._key(item), item))
        self._sift_up(len(self._entries) - 1)

    def peek(self) -> Item:
        """Return the first item without removing it."""
        if not self._entries:
            raise IndexError("the heap is empty")
        return self._entries[0][1]

    def pop(self) -> Item:
        """Remove the first item and return it, in logarithmic time."""
        item = self.peek()
        last = self._entries.pop()
        if self._entries:
            self._entries[0] = last
            self._sift_down(0)
        return item

    def replace(self, item: Item) -> Item:
        """Remove the first item, add another, and return the removed one; faster than doing both."""
        first = self.peek()
        self._entries[0] = (self._key(item), item)
        self._sift_down(0)
        return first

    def drain(self) -> list[Item]:
        """Remove all items and return them in order."""
        return [self.pop() for _ in range(len(self))]

    def __len__(self) -> int:
        return len(self._entries)


def smallest(items: Iterable[Item], count: int, key: Callable[[Item], Any] = _identity) -> list[Item]:
    """Return the `count` smallest items in order, holding no more than that many at a time."""
    if count < 0:
        raise ValueError("count must not be negative")
    # The largest of those kept is first: it leaves when a smaller one comes.
    kept: Heap[Item] = Heap(key=key, largest_first=True)
    for item in items:
        if len(kept) < count:
            kept.push(item)
        elif kept and key(item) < key(kept.peek()):
            kept.replace(item)
    return kept.drain()[::-1]

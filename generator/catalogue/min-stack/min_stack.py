"""A stack that gives its least and greatest element in constant time."""

from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar


class Comparable(Protocol):
    """Anything that has an order."""

    def __lt__(self, other: Any, /) -> bool: ...


Item = TypeVar("Item", bound=Comparable)


class MinStack(Generic[Item]):
    """Last in, first out; `minimum` and `maximum` never search."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        # Each entry has the least and the greatest element up to and including it.
        self._entries: list[tuple[Item, Item, Item]] = []
        for item in items:
            self.push(item)

    def push(self, item: Item) -> None:
        """Put an item on top."""
        if not self._entries:
            self._entries.append((item, item, item))
            return
        _, least, greatest = self._entries[-1]
        # Of equal elements the one that came first stays, as with the built-in `min`.
        self._entries.append((item, item if item < least else least, item if greatest < item else greatest))

    def _top(self) -> tuple[Item, Item, Item]:
        if not self._entries:
            raise IndexError("the stack is empty")
        return self._entries[-1]

    def pop(self) -> Item:
        """Remove the item on top and return it."""
        item = self._top()[0]
        self._entries.pop()
        return item

    def peek(self) -> Item:
        """Return the item on top."""
        return self._top()[0]

    def minimum(self) -> Item:
        """Return the least item of the stack."""
        return self._top()[1]

    def maximum(self) -> Item:
        """Return the greatest item of the stack."""
        return self._top()[2]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"MinStack({[item for item, _, _ in self._entries]!r})"

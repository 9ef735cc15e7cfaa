"""A singly linked list."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class _Node(Generic[Value]):
    __slots__ = ("value", "following")

    def __init__(self, value: Value, following: "_Node[Value] | None" = None) -> None:
        self.value = value
        self.following = following


class LinkedList(Generic[Value]):
    """A sequence of values, each pointing at the next; adding at either end takes constant time."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._head: _Node[Value] | None = None
        self._tail: _Node[Value] | None = None
        self._length = 0
        for value in values:
            self.append(value)

    def prepend(self, value: Value) -> None:
        """Add `value` at the front."""
        self._head = _Node(value, self._head)
        if self._tail is None:
            self._tail = self._head
        self._length += 1

    def append(self, value: Value) -> None:
        """Add `value` at the end."""
        node = _Node(value)
        if self._tail is None:
            self._head = node
        else:
            self._tail.following = node
        self._tail = node
        self._length += 1

    def _node_at(self, index: int) -> _Node[Value]:
        node = self._head
        for _ in range(index):
            node = node and node.following
        if node is None:
            raise IndexError("no value has this index")
        return node

    def _checked(self, index: int, limit: int) -> int:
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError("an index must be an integer")
        position = index + self._length if index < 0 else index
        if not 0 <= position < limit:
            raise IndexError(f"index {index} is outside a list of {self._length}")
        return position

    def insert(self, index: int, value: Value) -> None:
        """Add `value` before the one at `index`; the length itself as index means the end."""
        position = self._checked(index, self._length + 1)
        if position == 0:
            self.prepend(value)
        elif position == self._length:
            self.append(value)
        else:
            before = self._node_at(position - 1)
            before.following = _Node(value, before.following)
            self._length += 1

    def _unlink_after(self, before: _Node[Value] | None) -> Value:
        removed = self._head if before is None else before.following
        if removed is None:
            raise IndexError("the list is empty")
        if before is None:
            self._head = removed.following
        else:
            before.following = removed.following
        if removed is self._tail:
            self._tail = before
        self._length -= 1
        return removed.value

    def pop(self, index: int = -1) -> Value:
        """Remove the value at `index` and return it, or raise `IndexError`."""
        position = self._checked(index, self._length)
        return self._unlink_after(self._node_at(position - 1) if position else None)

    def remove(self, value: Value) -> None:
        """Remove the first occurrence of `value`, or raise `ValueError`."""
        before: _Node[Value] | None = None
        node = self._head
        while node is not None:
            if node.value == value:
                self._unlink_after(before)
                return
            before, node = node, node.following
        raise ValueError("the value is not in the list")

    def find(self, value: Value) -> int:
        """Return the index of the first occurrence of `value`, or -1."""
        return next((index for index, found in enumerate(self) if found == value), -1)

    def reverse(self) -> None:
        """Turn the list round in place, in one pass."""
        before: _Node[Value] | None = None
        node = self._head
        self._head, self._tail = self._tail, self._head
        while node is not None:
            node.following, before, node = before, node, node.following

    def clear(self) -> None:
        """Forget every value."""
        self._head = self._tail = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Value]:
        node = self._head
        while node is not None:
            yield node.value
            node = node.following

    def __getitem__(self, index: int) -> Value:
        return self._node_at(self._checked(index, self._length)).value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LinkedList):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other))

    # A list that changes must not be a key.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"LinkedList({list(self)!r})"

"""A binary search tree: a sorted collection without duplicates."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar


class Comparable(Protocol):
    """A value that can be ordered."""

    def __lt__(self, other: Any, /) -> bool: ...


Value = TypeVar("Value", bound=Comparable)


class _Node(Generic[Value]):
    __slots__ = ("value", "left", "right")

    def __init__(self, value: Value) -> None:
        self.value = value
        self.left: _Node[Value] | None = None
        self.right: _Node[Value] | None = None


class BinarySearchTree(Generic[Value]):
    """Values in order. Nothing here recurses: a tree grown from sorted input is as deep as it is long."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._root: _Node[Value] | None = None
        self._size = 0
        for value in values:
            self.insert(value)

    def _locate(self, value: Value) -> tuple[_Node[Value] | None, _Node[Value] | None]:
        """Return the node of `value` (or None) and its parent."""
        parent: _Node[Value] | None = None
        node = self._root
        while node is not None and node.value != value:
            parent, node = node, node.left if value < node.value else node.right
        return node, parent

    def insert(self, value: Value) -> bool:
        """Add `value`; say whether it was new."""
        node, parent = self._locate(value)
        if node is not None:
            return False
        self._replace(parent, None, _Node(value))
        self._size += 1
        return True

    def _replace(self, parent: _Node[Value] | None, old: _Node[Value] | None, new: _Node[Value] | None) -> None:
        """Put `new` where `old` hangs; without an old node, where `new` belongs."""
        if parent is None:
            self._root = new
        elif parent.left is old if old is not None else new is not None and new.value < parent.value:
            parent.left = new
        else:
            parent.right = new

    def remove(self, value: Value) -> bool:
        """Remove `value`; say whether it was there."""
        node, parent = self._locate(value)
        if node is None:
            return False
        if node.left is not None and node.right is not None:
            # The next greater value takes the place; it has no left child, so that it leaves easily.
            parent, successor = node, node.right
            while successor.left is not None:
                parent, successor = successor, successor.left
            node.value, node = successor.value, successor
        self._replace(parent, node, node.left if node.left is not None else node.right)
        self._size -= 1
        return True

    def minimum(self) -> Value:
        """Return the smallest value, or raise `ValueError`."""
        return self._outermost("left")

    def maximum(self) -> Value:
        """Return the greatest value, or raise `ValueError`."""
        return self._outermost("right")

    def _outermost(self, side: str) -> Value:
        if self._root is None:
            raise ValueError("the tree is empty")
        node = self._root
        while getattr(node, side) is not None:
            node = getattr(node, side)
        return node.value

    def height(self) -> int:
        """Return the number of levels; 0 for an empty tree."""
        return sum(1 for _ in self._levels())

    def _levels(self) -> Iterator[list[_Node[Value]]]:
        level = [] if self._root is None else [self._root]
        while level:
            yield level
            level = [child for node in level for child in (node.left, node.right) if child is not None]

    def level_order(self) -> list[Value]:
        """Return the values level by level, each from left to right."""
        return [node.value for level in self._levels() for node in level]

    def preorder(self) -> list[Value]:
        """Return the values, each node before its children."""
        found: list[Value] = []
        pending = [self._root]
        while pending:
            node = pending.pop()
            if node is not None:
                found.append(node.value)
                pending.extend((node.right, node.left))
        return found

    def postorder(self) -> list[Value]:
        """Return the values, each node after its children."""
        found: deque[Value] = deque()
        pending = [self._root]
        while pending:
            node = pending.pop()
            if node is not None:
                found.appendleft(node.value)
                pending.extend((node.left, node.right))
        return list(found)

    def inorder(self) -> list[Value]:
        """Return the values in ascending order."""
        return list(self)

    def __iter__(self) -> Iterator[Value]:
        path: list[_Node[Value]] = []
        node = self._root
        while path or node is not None:
            while node is not None:
                path.append(node)
                node = node.left
            node = path.pop()
            yield node.value
            node = node.right

    def __contains__(self, value: Value) -> bool:
        return self._locate(value)[0] is not None

    def __len__(self) -> int:
        return self._size

"""An AVL tree: a binary search tree whose two sides differ in height by at most one everywhere."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar


class Comparable(Protocol):
    """Anything that has an order."""

    def __lt__(self, other: Any, /) -> bool: ...


Item = TypeVar("Item", bound=Comparable)


class _Node(Generic[Item]):
    __slots__ = ("height", "item", "left", "right")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.left: _Node[Item] | None = None
        self.right: _Node[Item] | None = None
        self.height = 1


def _height(node: _Node[Item] | None) -> int:
    return node.height if node else 0


def _update(node: _Node[Item]) -> None:
    node.height = 1 + max(_height(node.left), _height(node.right))


def _balance(node: _Node[Item]) -> int:
    return _height(node.left) - _height(node.right)


def _rotate_right(node: _Node[Item]) -> _Node[Item]:
    top = node.left
    if top is None:
        return node
    node.left, top.right = top.right, node
    _update(node)
    _update(top)
    return top


def _rotate_left(node: _Node[Item]) -> _Node[Item]:
    top = node.right
    if top is None:
        return node
    node.right, top.left = top.left, node
    _update(node)
    _update(top)
    return top


def _rebalance(node: _Node[Item]) -> _Node[Item]:
    """Return the root of the subtree after at most two rotations."""
    _update(node)
    if _balance(node) > 1 and node.left:
        if _balance(node.left) < 0:
            node.left = _rotate_left(node.left)
        return _rotate_right(node)
    if _balance(node) < -1 and node.right:
        if _balance(node.right) > 0:
            node.right = _rotate_right(node.right)
        return _rotate_left(node)
    return node


def _insert(node: _Node[Item] | None, item: Item) -> _Node[Item]:
    if node is None:
        return _Node(item)
    if item < node.item:
        node.left = _insert(node.left, item)
    else:
        node.right = _insert(node.right, item)
    return _rebalance(node)


def _remove_smallest(node: _Node[Item]) -> tuple[Item, _Node[Item] | None]:
    if node.left is None:
        return node.item, node.right
    smallest, node.left = _remove_smallest(node.left)
    return smallest, _rebalance(node)


def _remove(node: _Node[Item] | None, item: Item) -> _Node[Item] | None:
    if node is None:
        return None
    if item < node.item:
        node.left = _remove(node.left, item)
    elif node.item < item:
        node.right = _remove(node.right, item)
    elif node.left is None or node.right is None:
        return node.left or node.right
    else:
        node.item, node.right = _remove_smallest(node.right)
    return _rebalance(node)


class AVLTree(Generic[Item]):
    """A sorted set of items."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._root: _Node[Item] | None = None
        self._size = 0
        for item in items:
            self.insert(item)

    def insert(self, item: Item) -> bool:
        """Add an item; return False if an equal one is there already."""
        if item in self:
            return False
        self._root = _insert(self._root, item)
        self._size += 1
        return True

    def remove(self, item: Item) -> bool:
        """Remove an item; return whether it was there."""
        if item not in self:
            return False
        self._root = _remove(self._root, item)
        self._size -= 1
        return True

    def __contains__(self, item: Item) -> bool:
        node = self._root
        while node is not None:
            if item < node.item:
                node = node.left
            elif node.item < item:
                node = node.right
            else:
                return True
        return False

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in ascending order. The tree must not change meanwhile."""
        path: list[_Node[Item]] = []
        node = self._root
        while path or node:
            while node:
                path.append(node)
                node = node.left
            node = path.pop()
            yield node.item
            node = node.right

    def __len__(self) -> int:
        return self._size

    @property
    def height(self) -> int:
        """The number of levels; at most 1.44 log2(n + 2)."""
        return _height(self._root)

    def minimum(self) -> Item:
        """Return the smallest item."""
        return self._end("left")

    def maximum(self) -> Item:
        """Return the largest item."""
        return self._end("right")

    def _end(self, side: str) -> Item:
        if self._root is None:
            raise ValueError("the tree is empty")
        node = self._root
        while (following := getattr(node, side)) is not None:
            node = following
        return node.item

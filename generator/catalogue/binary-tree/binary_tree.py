"""A binary search tree: a sorted collection without duplicates."""

from collections import deque


class _Node:
    __slots__ = ("value", "left", "right")

    def __init__(self, value):
        self.value = value
        self.left = None
        self.right = None


class BinarySearchTree:
    """Values in order. Nothing here recurses: a tree grown from sorted input is as deep as it is long."""

    def __init__(self, values=()):
        self._root = None
        self._size = 0
        for value in values:
            self.insert(value)

    def _locate(self, value):
        """Return the node of `value` (or None) and its parent."""
        parent, node = None, self._root
        while node is not None and node.value != value:
            parent, node = node, node.left if value < node.value else node.right
        return node, parent

    def insert(self, value):
        """Add `value`; say whether it was new."""
        node, parent = self._locate(value)
        if node is not None:
            return False
        self._replace(parent, None, _Node(value))
        self._size += 1
        return True

    def _replace(self, parent, old, new):
        """Put `new` where `old` hangs; without an old node, where `new` belongs."""
        if parent is None:
            self._root = new
        elif parent.left is old and (old is not None or new.value < parent.value):
            parent.left = new
        else:
            parent.right = new

    def remove(self, value):
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

    def minimum(self):
        """Return the smallest value, or raise `ValueError`."""
        return self._outermost("left")

    def maximum(self):
        """Return the greatest value, or raise `ValueError`."""
        return self._outermost("right")

    def _outermost(self, side):
        if self._root is None:
            raise ValueError("the tree is empty")
        node = self._root
        while getattr(node, side) is not None:
            node = getattr(node, side)
        return node.value

    def height(self):
        """Return the number of levels; 0 for an empty tree."""
        return sum(1 for _ in self._levels())

    def _levels(self):
        level = [] if self._root is None else [self._root]
        while level:
            yield level
            level = [child for node in level for child in (node.left, node.right) if child is not None]

    def level_order(self):
        """Return the values level by level, each from left to right."""
        return [node.value for level in self._levels() for node in level]

    def preorder(self):
        """Return the values, each node before its children."""
        found, pending = [], [self._root]
        while pending:
            node = pending.pop()
            if node is not None:
                found.append(node.value)
                pending.extend((node.right, node.left))
        return found

    def postorder(self):
        """Return the values, each node after its children."""
        found, pending = deque(), [self._root]
        while pending:
            node = pending.pop()
            if node is not None:
                found.appendleft(node.value)
                pending.extend((node.left, node.right))
        return list(found)

    def inorder(self):
        """Return the values in ascending order."""
        return list(self)

    def __iter__(self):
        path, node = [], self._root
        while path or node is not None:
            while node is not None:
                path.append(node)
                node = node.left
            node = path.pop()
            yield node.value
            node = node.right

    def __contains__(self, value):
        return self._locate(value)[0] is not None

    def __len__(self):
        return self._size

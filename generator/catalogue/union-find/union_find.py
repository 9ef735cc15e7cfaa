"""Disjoint sets: join groups of items, and ask which items belong together."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class UnionFind(Generic[Item]):
    """A partition of items into groups. Every item starts in a group of its own."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        # Each group is a tree; an item without a parent, which is its own, represents its group.
        self._parents: dict[Item, Item] = {}
        # The sizes of the groups, by representative.
        self._sizes: dict[Item, int] = {}
        for item in items:
            self.add(item)

    def add(self, item: Item) -> bool:
        """Add an item as a group of its own; return False if it is there already."""
        if item in self._parents:
            return False
        self._parents[item] = item
        self._sizes[item] = 1
        return True

    def find(self, item: Item) -> Item:
        """Return the representative of the item's group. It changes only when the group is joined to another."""
        if item not in self._parents:
            raise KeyError(f"{item!r} was not added")
        root = item
        while self._parents[root] != root:
            root = self._parents[root]
        # Path compression: the next search from here takes one step.
        while self._parents[item] != root:
            self._parents[item], item = root, self._parents[item]
        return root

    def union(self, first: Item, second: Item) -> bool:
        """Join the groups of two items; return False if they are one already. New items are added."""
        self.add(first)
        self.add(second)
        large, small = self.find(first), self.find(second)
        if large == small:
            return False
        # Union by size: the smaller tree goes below the larger, so that paths stay short.
        if self._sizes[large] < self._sizes[small]:
            large, small = small, large
        self._parents[small] = large
        self._sizes[large] += self._sizes.pop(small)
        return True

    def connected(self, first: Item, second: Item) -> bool:
        """Say whether two items are in one group."""
        return self.find(first) == self.find(second)

    def size(self, item: Item) -> int:
        """Return the number of items in the item's group."""
        return self._sizes[self.find(item)]

    @property
    def group_count(self) -> int:
        """The number of groups."""
        return len(self._sizes)

    def groups(self) -> list[list[Item]]:
        """Return all groups; groups and items are in the order in which they were added."""
        groups: dict[Item, list[Item]] = {}
        for item in self._parents:
            groups.setdefault(self.find(item), []).append(item)
        return list(groups.values())

    def __contains__(self, item: object) -> bool:
        return item in self._parents

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._parents)

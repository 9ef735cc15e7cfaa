"""The knapsack problem: the most valuable selection of items whose weights fit into a capacity."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """Something that may be packed."""

    name: str
    weight: int
    value: float

    def __post_init__(self) -> None:
        if isinstance(self.weight, bool) or not isinstance(self.weight, int):
            raise TypeError(f"{self.name}: the weight must be an integer")
        if self.weight < 1:
            raise ValueError(f"{self.name}: the weight must be at least 1")
        if self.value < 0:
            raise ValueError(f"{self.name}: the value must not be negative")


@dataclass(frozen=True)
class Packing:
    """A selection: the number of pieces of each item, in the order of the items."""

    counts: tuple[float, ...]
    value: float
    weight: float

    def chosen(self, items: Sequence[Item]) -> list[Item]:
        """Return the items of which the selection has some."""
        return [item for item, count in zip(items, self.counts, strict=True) if count > 0]


def _check_capacity(capacity: int) -> None:
    if isinstance(capacity, bool) or not isinstance(capacity, int):
        raise TypeError("the capacity must be an integer")
    if capacity < 0:
        raise ValueError("the capacity must not be negative")


def _packing(items: Sequence[Item], counts: Sequence[float]) -> Packing:
    value = sum(item.value * count for item, count in zip(items, counts, strict=True))
    weight = sum(item.weight * count for item, count in zip(items, counts, strict=True))
    return Packing(tuple(counts), value, weight)


def knapsack(items: Sequence[Item], capacity: int) -> Packing:
    """Return the most valuable selection with each item at most once (0/1 knapsack)."""
    _check_capacity(capacity)
    best: list[float] = [0] * (capacity + 1)
    # For each item, whether it is in the best selection of that and the earlier items for each capacity.
    taken = [bytearray(capacity + 1) for _ in items]
    for index, item in enumerate(items):
        # From the largest capacity down, so that an item is not used twice.
        for room in range(capacity, item.weight - 1, -1):
            value = best[room - item.weight] + item.value
            if value > best[room]:
                best[room] = value
                taken[index][room] = 1
    counts = [0] * len(items)
    room = capacity
    for index in reversed(range(len(items))):
        if taken[index][room]:
            counts[index] = 1
            room -= items[index].weight
    return _packing(items, counts)


def unbounded_knapsack(items: Sequence[Item], capacity: int) -> Packing:
    """Return the most valuable selection with any number of pieces of each item."""
    _check_capacity(capacity)
    best: list[float] = [0] * (capacity + 1)
    # The item that is added last for each capacity; -1 where a smaller capacity is as good.
    last = [-1] * (capacity + 1)
    for room in range(1, capacity + 1):
        best[room] = best[room - 1]
        for index, item in enumerate(items):
            if item.weight <= room and best[room - item.weight] + item.value > best[room]:
                best[room] = best[room - item.weight] + item.value
                last[room] = index
    counts = [0] * len(items)
    room = capacity
    while room > 0:
        index = last[room]
        if index >= 0:
            counts[index] += 1
        room -= items[index].weight if index >= 0 else 1
    return _packing(items, counts)


def fractional_knapsack(items: Sequence[Item], capacity: int) -> Packing:
    """Return the most valuable selection where items may be divided: the best value for its weight goes first."""
    _check_capacity(capacity)
    counts = [0.0] * len(items)
    room = float(capacity)
    for index in sorted(range(len(items)), key=lambda index: items[index].value / items[index].weight, reverse=True):
        counts[index] = min(1.0, room / items[index].weight)
        room -= counts[index] * items[index].weight
    return _packing(items, counts)

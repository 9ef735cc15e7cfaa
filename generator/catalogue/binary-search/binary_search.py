"""Search a sorted sequence by halving."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")


def _identity(value: Any) -> Any:
    return value


def lower_bound(items: Sequence[Item], target: Any, *, key: Callable[[Item], Any] = _identity) -> int:
    """Return the first position whose item is not below `target`; the length if there is none."""
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if key(items[middle]) < target:
            low = middle + 1
        else:
            high = middle
    return low


def upper_bound(items: Sequence[Item], target: Any, *, key: Callable[[Item], Any] = _identity) -> int:
    """Return the first position whose item is above `target`; the length if there is none."""
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if target < key(items[middle]):
            high = middle
        else:
            low = middle + 1
    return low


def binary_search(items: Sequence[Item], target: Any, *, key: Callable[[Item], Any] = _identity) -> int | None:
    """Return the position of the first item equal to `target`, or None. `items` must be sorted by `key`."""
    position = lower_bound(items, target, key=key)
    if position < len(items) and key(items[position]) == target:
        return position
    return None


def equal_range(items: Sequence[Item], target: Any, *, key: Callable[[Item], Any] = _identity) -> tuple[int, int]:
    """Return (first, end) of the items equal to `target`; the two are equal when there is none."""
    return lower_bound(items, target, key=key), upper_bound(items, target, key=key)


def first_true(low: int, high: int, predicate: Callable[[int], bool]) -> int:
    """Return the smallest integer in [low, high) for which `predicate` holds, or `high`.

    The predicate must be false up to some point and true from there on.
    """
    if low > high:
        raise ValueError("low must not be above high")
    while low < high:
        middle = (low + high) // 2
        if predicate(middle):
            high = middle
        else:
            low = middle + 1
    return low

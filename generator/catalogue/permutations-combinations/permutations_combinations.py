"""Permutations, combinations and subsets, one by one and in lexicographic order of positions."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def _check_count(value: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer")
    if value < 0:
        raise ValueError(f"{name} must not be negative")


def permutations(items: Iterable[Item], length: int | None = None) -> Iterator[tuple[Item, ...]]:
    """Yield every arrangement of `length` items (all by default). Equal items count as different."""
    pool = tuple(items)
    if length is not None:
        _check_count(length, "length")
    return _arrange(pool, len(pool) if length is None else length)


def _arrange(pool: Sequence[Item], length: int) -> Iterator[tuple[Item, ...]]:
    if length == 0:
        yield ()
        return
    for index, item in enumerate(pool):
        rest = (*pool[:index], *pool[index + 1 :])
        for tail in _arrange(rest, length - 1):
            yield (item, *tail)


def unique_permutations(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """Yield every arrangement of all items once, even if some items are equal. Items must be hashable."""
    counts: dict[Item, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return _arrange_counted(counts, sum(counts.values()))


def _arrange_counted(counts: dict[Item, int], length: int) -> Iterator[tuple[Item, ...]]:
    if length == 0:
        yield ()
        return
    for item in list(counts):
        if counts[item] == 0:
            continue
        counts[item] -= 1
        for tail in _arrange_counted(counts, length - 1):
            yield (item, *tail)
        counts[item] += 1


def combinations(items: Iterable[Item], length: int) -> Iterator[tuple[Item, ...]]:
    """Yield every selection of `length` items, each in the order of `items`."""
    _check_count(length, "length")
    return _select(tuple(items), length, 0)


def _select(pool: Sequence[Item], length: int, start: int) -> Iterator[tuple[Item, ...]]:
    if length == 0:
        yield ()
        return
    # The last start that leaves enough items.
    for index in range(start, len(pool) - length + 1):
        for tail in _select(pool, length - 1, index + 1):
            yield (pool[index], *tail)


def power_set(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """Yield every subset, from the empty one to all items: 2**n of them."""
    pool = tuple(items)
    for length in range(len(pool) + 1):
        yield from _select(pool, length, 0)


def cartesian_product(*groups: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """Yield every way to take one item of each group; the last group varies fastest."""
    return _combine([tuple(group) for group in groups])


def _combine(groups: Sequence[Sequence[Item]]) -> Iterator[tuple[Item, ...]]:
    if not groups:
        yield ()
        return
    for item in groups[0]:
        for tail in _combine(groups[1:]):
            yield (item, *tail)


def count_permutations(n: int, k: int) -> int:
    """Return the number of arrangements of `k` of `n` items: n! / (n - k)!."""
    _check_count(n, "n")
    _check_count(k, "k")
    count = 1
    for factor in range(n - k + 1, n + 1):
        count *= max(factor, 0)
    return count


def count_combinations(n: int, k: int) -> int:
    """Return the number of selections of `k` of `n` items: n! / (k! (n - k)!)."""
    _check_count(n, "n")
    _check_count(k, "k")
    if k > n:
        return 0
    count = 1
    for step in range(1, min(k, n - k) + 1):
        # The product of `step` consecutive integers is divisible by step!, so this is exact.
        count = count * (n - step + 1) // step
    return count

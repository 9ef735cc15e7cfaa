"""Merges sorted sequences: two or many, lazily or in place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
# Returns what an item is compared by.
Key = Callable[[Any], Any]


def _identity(item: Any) -> Any:
    return item


def merge_two(first: Sequence[Item], second: Sequence[Item], *, key: Key = _identity) -> list[Item]:
    """Return the items of two ascending sequences in ascending order; of equal items those of `first` come first."""
    merged: list[Item] = []
    i = j = 0
    while i < len(first) and j < len(second):
        if key(second[j]) < key(first[i]):
            merged.append(second[j])
            j += 1
        else:
            merged.append(first[i])
            i += 1
    return [*merged, *first[i:], *second[j:]]


def merge_lazily(first: Iterable[Item], second: Iterable[Item], *, key: Key = _identity) -> Iterator[Item]:
    """Yield the items of two ascending iterables in ascending order, reading one item of each ahead."""
    left, right = iter(first), iter(second)
    end = object()
    a: Any = next(left, end)
    b: Any = next(right, end)
    while a is not end or b is not end:
        if b is end or a is not end and not key(b) < key(a):
            yield a
            a = next(left, end)
        else:
            yield b
            b = next(right, end)


def merge_many(sequences: Iterable[Sequence[Item]], *, key: Key = _identity) -> list[Item]:
    """Return the items of any number of ascending sequences in ascending order; stable.

    Merges in pairs, so that each of n items is moved O(log k) times for k sequences.
    """
    runs: list[Sequence[Item]] = [list(sequence) for sequence in sequences]
    while len(runs) > 1:
        odd = runs[-1:] if len(runs) % 2 else []
        runs = [merge_two(runs[at], runs[at + 1], key=key) for at in range(0, len(runs) - 1, 2)] + odd
    return list(runs[0]) if runs else []


def merge_in_place(target: list[int], count: int, source: Sequence[int]) -> None:
    """Merge `source` into the first `count` items of `target`, which has room for both and is filled from the end."""
    if not 0 <= count <= len(target):
        raise ValueError(f"count must be from 0 to {len(target)}, not {count}")
    if len(target) != count + len(source):
        raise ValueError(f"the target needs {count + len(source)} places and has {len(target)}")
    i, j = count - 1, len(source) - 1
    for place in reversed(range(len(target))):
        # When the source is used up, the rest of the target is in its place.
        if j < 0:
            return
        if i >= 0 and source[j] < target[i]:
            target[place] = target[i]
            i -= 1
        else:
            target[place] = source[j]
            j -= 1


def merge_unique(sequences: Iterable[Sequence[Item]]) -> list[Item]:
    """Return the distinct items of ascending sequences in ascending order."""
    merged = merge_many(sequences)
    return [item for at, item in enumerate(merged) if at == 0 or item != merged[at - 1]]


def is_sorted(items: Sequence[Item], *, key: Key = _identity) -> bool:
    """Say whether items are in ascending order."""
    return all(not key(items[at]) < key(items[at - 1]) for at in range(1, len(items)))

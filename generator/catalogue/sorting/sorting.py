"""Merge sort, quick sort, heap sort and insertion sort; each returns a new list."""

import random
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
# Returns what an item is compared by.
Key = Callable[[Any], Any]


def _identity(value: Any) -> Any:
    return value


def _decorated(items: Iterable[Item], key: Key | None) -> list[tuple[Any, Item]]:
    """Pair each item with its key once, as the built-in sort does."""
    return [((key or _identity)(item), item) for item in items]


def _finish(pairs: list[tuple[Any, Item]], reverse: bool) -> list[Item]:
    items = [item for _, item in pairs]
    if reverse:
        items.reverse()
    return items


def _prepare(items: Iterable[Item], key: Key | None, reverse: bool) -> list[tuple[Any, Item]]:
    pairs = _decorated(items, key)
    # Reversing before and after keeps equal items in their order when the result is descending.
    if reverse:
        pairs.reverse()
    return pairs


def insertion_sort(items: Iterable[Item], *, key: Key | None = None, reverse: bool = False) -> list[Item]:
    """Sort in O(n^2), O(n) when nearly sorted; stable."""
    pairs = _prepare(items, key, reverse)
    for end in range(1, len(pairs)):
        pair, position = pairs[end], end
        while position > 0 and pair[0] < pairs[position - 1][0]:
            pairs[position] = pairs[position - 1]
            position -= 1
        pairs[position] = pair
    return _finish(pairs, reverse)


def _merge(left: list[tuple[Any, Item]], right: list[tuple[Any, Item]]) -> list[tuple[Any, Item]]:
    merged: list[tuple[Any, Item]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        # Strictly less: on a tie the left item comes first, which makes the sort stable.
        if right[j][0] < left[i][0]:
            merged.append(right[j])
            j += 1
        else:
            merged.append(left[i])
            i += 1
    return merged + left[i:] + right[j:]


def merge_sort(items: Iterable[Item], *, key: Key | None = None, reverse: bool = False) -> list[Item]:
    """Sort in O(n log n) always; stable. Merges bottom up, so that depth is no concern."""
    runs = [[pair] for pair in _prepare(items, key, reverse)]
    while len(runs) > 1:
        odd = runs[-1:] if len(runs) % 2 else []
        runs = [_merge(runs[i], runs[i + 1]) for i in range(0, len(runs) - 1, 2)] + odd
    return _finish(runs[0] if runs else [], reverse)


def quick_sort(items: Iterable[Item], *, key: Key | None = None, reverse: bool = False) -> list[Item]:
    """Sort in O(n log n) expected; not stable. Random pivots and three parts, so that sorted or equal items do no harm."""
    result: list[tuple[Any, Item]] = []
    pending = [_decorated(items, key)]
    while pending:
        part = pending.pop()
        if len(part) < 2:
            result += part
            continue
        pivot = random.choice(part)[0]
        below = [pair for pair in part if pair[0] < pivot]
        above = [pair for pair in part if pivot < pair[0]]
        equal = [pair for pair in part if not pair[0] < pivot and not pivot < pair[0]]
        if len(equal) == len(part):
            result += equal
        else:
            pending += [above, equal, below]
    return _finish(result, reverse)


def _sift_down(pairs: list[tuple[Any, Item]], root: int, end: int) -> None:
    while (child := 2 * root + 1) < end:
        if child + 1 < end and pairs[child][0] < pairs[child + 1][0]:
            child += 1
        if not pairs[root][0] < pairs[child][0]:
            return
        pairs[root], pairs[child] = pairs[child], pairs[root]
        root = child


def heap_sort(items: Iterable[Item], *, key: Key | None = None, reverse: bool = False) -> list[Item]:
    """Sort in O(n log n) always, with a binary heap; not stable."""
    pairs = _decorated(items, key)
    for root in reversed(range(len(pairs) // 2)):
        _sift_down(pairs, root, len(pairs))
    for end in reversed(range(1, len(pairs))):
        pairs[0], pairs[end] = pairs[end], pairs[0]
        _sift_down(pairs, 0, end)
    return _finish(pairs, reverse)

"""Merge, insert, intersect and measure closed intervals given as (start, end) pairs."""

from collections.abc import Iterable
from typing import Any

# Start and end: numbers, dates, or anything else that has an order.
Interval = tuple[Any, Any]


def _checked(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the intervals as pairs in order of their start."""
    pairs = []
    for interval in intervals:
        try:
            start, end = interval
        except (TypeError, ValueError) as error:
            raise ValueError("an interval is a pair of start and end") from error
        # Written this way round, so that a NaN is refused as well.
        if not start <= end:
            raise ValueError(f"the interval ({start}, {end}) ends before it starts")
        pairs.append((start, end))
    return sorted(pairs)


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the fewest intervals that cover the same, in order; touching ones become one."""
    merged: list[Interval] = []
    for start, end in _checked(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def insert(intervals: Iterable[Interval], new: Interval) -> list[Interval]:
    """Return the intervals with `new` added, merged."""
    return merge([*intervals, new])


def overlaps(first: Interval, second: Interval) -> bool:
    """Say whether two intervals share at least a point."""
    (first,), (second,) = _checked([first]), _checked([second])
    return bool(first[0] <= second[1] and second[0] <= first[1])


def intersect(first: Iterable[Interval], second: Iterable[Interval]) -> list[Interval]:
    """Return what two collections of intervals both cover, in order."""
    left, right = merge(first), merge(second)
    common = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i][0], right[j][0])
        end = min(left[i][1], right[j][1])
        if start <= end:
            common.append((start, end))
        # The one that ends first cannot meet anything further.
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return common


def gaps(intervals: Iterable[Interval]) -> list[Interval]:
    """Return what lies between the intervals, in order."""
    merged = merge(intervals)
    return [(before[1], after[0]) for before, after in zip(merged, merged[1:])]


def total_length(intervals: Iterable[Interval]) -> Any:
    """Return the length that the intervals cover, overlaps counted once."""
    return sum(end - start for start, end in merge(intervals))

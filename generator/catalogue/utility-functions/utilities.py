"""General utility functions for collections, mappings and numbers."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Number = TypeVar("Number", int, float)

CHUNK_SIZE = 100


def chunked(items: Iterable[Item], size: int = CHUNK_SIZE) -> Iterator[list[Item]]:
    """Yield lists of `size` items in order; the last one may be shorter.

    >>> list(chunked([1, 2, 3, 4, 5], 2))
    [[1, 2], [3, 4], [5]]
    """
    if size < 1:
        raise ValueError("size must be at least 1")
    iterator = iter(items)
    # The sentinel ends the iteration at the first empty list.
    return iter(lambda: list(islice(iterator, size)), [])


def flatten(items: Iterable[Any], depth: int | None = None) -> Iterator[Any]:
    """Yield the items of nested lists and tuples, down to `depth` levels or all; texts and mappings stay whole.

    >>> list(flatten([1, [2, [3, [4]]]], depth=1))
    [1, 2, [3, [4]]]
    """
    if depth is not None and depth < 0:
        raise ValueError("depth must not be negative, or None for all levels")
    # A stack of iterators instead of recursion: nesting may be deeper than Python's stack.
    levels = [iter(items)]
    while levels:
        for item in levels[-1]:
            if isinstance(item, (list, tuple)) and (depth is None or len(levels) <= depth):
                levels.append(iter(item))
                break
            yield item
        else:
            levels.pop()


def group_by(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Return the items by the value of `key`, groups and items in the order of their first occurrence.

    >>> group_by(["apple", "avocado", "banana"], key=lambda word: word[0])
    {'a': ['apple', 'avocado'], 'b': ['banana']}
    """
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def unique(items: Iterable[Item], key: Callable[[Item], Hashable] | None = None) -> list[Item]:
    """Return the items without repetitions, in their order; of items with an equal `key` the first stays.

    >>> unique(["b", "a", "B"], key=str.lower)
    ['b', 'a']
    """
    first: dict[Any, Item] = {}
    for item in items:
        first.setdefault(item if key is None else key(item), item)
    return list(first.values())


def partition(items: Iterable[Item], predicate: Callable[[Item], object]) -> tuple[list[Item], list[Item]]:
    """Return the items for which `predicate` is true, and the others.

    >>> partition([1, 2, 3, 4], lambda number: number % 2 == 0)
    ([2, 4], [1, 3])
    """
    matching: list[Item] = []
    others: list[Item] = []
    for item in items:
        (matching if predicate(item) else others).append(item)
    return matching, others


def clamp(value: Number, low: Number, high: Number) -> Number:
    """Return `value`, or the bound that it exceeds.

    >>> clamp(12, 0, 10)
    10
    """
    if not low <= high:
        raise ValueError(f"low must not be greater than high: {low} and {high}")
    if value != value:
        raise ValueError("value must be a number")
    return min(max(value, low), high)


def deep_get(data: Any, path: str | Sequence[str | int], default: Any = None) -> Any:
    """Return the value at a path through nested mappings and sequences, or `default` if there is none.

    A text is split at dots; its digits are indices of sequences. Attributes are never followed.

    >>> deep_get({"users": [{"name": "Ada"}]}, "users.0.name")
    'Ada'
    """
    for part in path.split(".") if isinstance(path, str) else path:
        if isinstance(data, Mapping):
            if part not in data:
                return default
            data = data[part]
            continue
        index = _index(part)
        is_sequence = isinstance(data, Sequence) and not isinstance(data, (str, bytes))
        if not is_sequence or index is None or not -len(data) <= index < len(data):
            return default
        data = data[index]
    return data


def _index(part: str | int) -> int | None:
    if isinstance(part, int):
        return part
    return int(part) if part.removeprefix("-").isdecimal() else None


def deep_merge(base: Mapping[Any, Any], override: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a new mapping with the entries of both; where both have a mapping these are merged, else `override` wins.

    >>> deep_merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    """
    merged = dict(base)
    for key, value in override.items():
        known = merged.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[key] = deep_merge(known, value) if both else value
    return merged

import itertools
from types import MappingProxyType

import pytest

from utilities import CHUNK_SIZE, chunked, clamp, deep_get, deep_merge, flatten, group_by, partition, unique

DATA = {"users": [{"name": "Ada", "tags": ("x", "y")}, {"name": None}], "a.b": 1, 7: "seven", "0": "zero"}


@pytest.mark.parametrize(
    ("items", "size", "expected"),
    [([], 2, []), ([1], 2, [[1]]), ([1, 2], 2, [[1, 2]]), ([1, 2, 3], 2, [[1, 2], [3]]), ("abc", 1, [["a"], ["b"], ["c"]])],
)
def test_chunks(items, size, expected):
    assert list(chunked(items, size)) == expected


def test_chunks_of_an_endless_iterable_are_lazy():
    assert next(chunked(itertools.count(), 3)) == [0, 1, 2]
    assert len(next(chunked(itertools.count()))) == CHUNK_SIZE


@pytest.mark.parametrize("size", [0, -1])
def test_chunks_of_nothing_are_refused_at_once(size):
    with pytest.raises(ValueError, match="size"):
        chunked([1], size)


def test_nested_lists_are_flattened():
    nested = [1, [2, (3, [4, []])], "text", {"a": [5]}]
    assert list(flatten(nested)) == [1, 2, 3, 4, "text", {"a": [5]}]
    assert list(flatten(nested, depth=0)) == nested
    assert list(flatten(nested, depth=1)) == [1, 2, (3, [4, []]), "text", {"a": [5]}]
    assert list(flatten([])) == []


def test_deep_nesting_needs_no_recursion():
    nested = [0]
    for _ in range(20_000):
        nested = [nested]
    assert list(flatten(nested)) == [0]
    with pytest.raises(ValueError, match="depth"):
        list(flatten([], depth=-1))


def test_groups_keep_the_order():
    words = ["apple", "bee", "avocado", "ant", "bat"]
    groups = group_by(words, key=lambda word: word[0])
    assert groups == {"a": ["apple", "avocado", "ant"], "b": ["bee", "bat"]}
    assert list(groups) == ["a", "b"]
    assert group_by([], key=len) == {}


def test_repetitions_are_dropped_in_order():
    assert unique([3, 1, 3, 2, 1]) == [3, 1, 2]
    assert unique([[1], [2], [1]], key=tuple) == [[1], [2]]
    assert unique(["A", "a", "b"], key=str.lower) == ["A", "b"]
    assert unique([None, None, 0, False]) == [None, 0]


def test_items_are_parted_in_two():
    assert partition(range(6), lambda number: number % 3) == ([1, 2, 4, 5], [0, 3])
    assert partition([], bool) == ([], [])


@pytest.mark.parametrize(("value", "expected"), [(-1, 0), (0, 0), (5, 5), (10, 10), (11, 10), (float("inf"), 10)])
def test_values_are_kept_between_bounds(value, expected):
    assert clamp(value, 0, 10) == expected


def test_senseless_bounds_and_values_are_refused():
    with pytest.raises(ValueError, match="low must not be greater"):
        clamp(1, 3, 2)
    with pytest.raises(ValueError, match="low must not be greater"):
        clamp(1.0, float("nan"), 2.0)
    with pytest.raises(ValueError, match="must be a number"):
        clamp(float("nan"), 0.0, 1.0)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("users.0.name", "Ada"),
        ("users.0.tags.1", "y"),
        ("users.-1.name", None),
        ("users.2.name", "default"),
        ("users.name", "default"),
        ("users.0.name.0", "default"),
        ("missing", "default"),
        ("a.b", "default"),
        (["a.b"], 1),
        ([7], "seven"),
        ("0", "zero"),
        ("users.__class__", "default"),
        ([], DATA),
    ],
)
def test_values_by_path(path, expected):
    assert deep_get(DATA, path, "default") == expected


def test_a_missing_path_is_none_by_default():
    assert deep_get({}, "a.b") is None
    assert deep_get(None, "a") is None


def test_mappings_are_merged_at_every_level():
    base = {"a": {"x": 1, "deep": {"p": 1}}, "b": [1]}
    override = MappingProxyType({"a": MappingProxyType({"y": 2, "deep": {"q": 2}}), "b": [2], "c": None})
    assert deep_merge(base, override) == {"a": {"x": 1, "y": 2, "deep": {"p": 1, "q": 2}}, "b": [2], "c": None}
    assert base == {"a": {"x": 1, "deep": {"p": 1}}, "b": [1]}


def test_merging_replaces_what_is_no_mapping_on_both_sides():
    assert deep_merge({"a": {"x": 1}}, {"a": 5}) == {"a": 5}
    assert deep_merge({"a": 5}, {"a": {"x": 1}}) == {"a": {"x": 1}}
    assert deep_merge({}, {}) == {}

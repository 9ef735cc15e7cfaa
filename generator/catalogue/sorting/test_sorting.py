import random

import pytest

from sorting import heap_sort, insertion_sort, merge_sort, quick_sort

ALL = [insertion_sort, merge_sort, quick_sort, heap_sort]
FAST = [merge_sort, quick_sort, heap_sort]
STABLE = [insertion_sort, merge_sort]


@pytest.mark.parametrize("sort", ALL)
@pytest.mark.parametrize("items", [[], [1], [2, 1], [1, 2, 3], [3, 2, 1], [5, 5, 5], [0, -1, 7, -1, 3], [1.5, 1, -2.5], ["b", "", "a"]])
def test_small_lists(sort, items):
    assert sort(items) == sorted(items)


@pytest.mark.parametrize("sort", ALL)
def test_random_lists_agree_with_the_built_in_sort(sort):
    generator = random.Random(3)
    for _ in range(200):
        items = generator.choices(range(-20, 20), k=generator.randrange(40))
        assert sort(items) == sorted(items)
        assert sort(items, reverse=True) == sorted(items, reverse=True)


@pytest.mark.parametrize("sort", ALL)
def test_the_argument_is_left_alone_and_may_be_any_iterable(sort):
    items = [3, 1, 2]
    assert sort(items) == [1, 2, 3]
    assert items == [3, 1, 2]
    assert sort(number for number in (2, 1)) == [1, 2]


@pytest.mark.parametrize("sort", STABLE)
@pytest.mark.parametrize("reverse", [False, True])
def test_stable_sorts_keep_equal_items_in_their_order(sort, reverse):
    items = [("b", 1), ("a", 1), ("c", 0), ("a", 0), ("b", 0), ("c", 1)]
    expected = sorted(items, key=lambda item: item[1], reverse=reverse)
    assert sort(items, key=lambda item: item[1], reverse=reverse) == expected


@pytest.mark.parametrize("sort", ALL)
def test_the_key_is_computed_once_for_each_item(sort):
    calls = []
    assert sort(["ccc", "a", "bb"], key=lambda text: calls.append(text) or len(text)) == ["a", "bb", "ccc"]
    assert sorted(calls) == ["a", "bb", "ccc"]


@pytest.mark.parametrize("sort", FAST)
@pytest.mark.parametrize("items", [list(range(20_000)), list(range(20_000, 0, -1)), [1] * 20_000], ids=["sorted", "reversed", "equal"])
def test_inputs_that_ruin_a_naive_implementation(sort, items):
    assert sort(items) == sorted(items)


@pytest.mark.parametrize("sort", ALL)
def test_items_need_only_an_order(sort):
    class Size:
        def __init__(self, value):
            self.value = value

        def __lt__(self, other):
            return self.value < other.value

    assert [size.value for size in sort([Size(2), Size(3), Size(1)])] == [1, 2, 3]


@pytest.mark.parametrize("sort", ALL)
def test_items_that_cannot_be_compared_are_an_error(sort):
    with pytest.raises(TypeError):
        sort([1, "a"])

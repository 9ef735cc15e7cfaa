import bisect
import random

import pytest

from binary_search import binary_search, equal_range, first_true, lower_bound, upper_bound


@pytest.mark.parametrize(
    "items, target, expected",
    [
        ([], 1, None),
        ([1], 1, 0),
        ([1], 0, None),
        ([1], 2, None),
        ([1, 3, 5, 7], 1, 0),
        ([1, 3, 5, 7], 7, 3),
        ([1, 3, 5, 7], 5, 2),
        ([1, 3, 5, 7], 4, None),
        ([2, 2, 2, 2], 2, 0),
        (["a", "c", "e"], "c", 1),
        ((1.5, 2.5), 2.5, 1),
    ],
)
def test_search(items, target, expected):
    assert binary_search(items, target) == expected


def test_every_position_of_every_small_size_is_found():
    for size in range(33):
        items = list(range(0, 2 * size, 2))
        for position, item in enumerate(items):
            assert binary_search(items, item) == position
            assert binary_search(items, item + 1) is None


def test_bounds_agree_with_the_standard_library():
    generator = random.Random(7)
    for _ in range(500):
        items = sorted(generator.choices(range(12), k=generator.randrange(20)))
        target = generator.randrange(-1, 13)
        assert lower_bound(items, target) == bisect.bisect_left(items, target)
        assert upper_bound(items, target) == bisect.bisect_right(items, target)


def test_equal_range_holds_all_duplicates():
    items = [1, 2, 2, 2, 3]
    first, end = equal_range(items, 2)
    assert items[first:end] == [2, 2, 2]
    assert equal_range(items, 9) == (5, 5)


def test_items_can_be_sorted_by_a_key():
    people = [("ada", 36), ("grace", 45), ("linus", 54)]
    assert binary_search(people, 45, key=lambda person: person[1]) == 1
    assert binary_search(people, 46, key=lambda person: person[1]) is None


def test_a_million_items_take_twenty_steps():
    class Counting(list):
        reads = 0

        def __getitem__(self, index):
            Counting.reads += 1
            return index

        def __len__(self):
            return 1_000_000

    assert binary_search(Counting(), 765_432) == 765_432
    assert Counting.reads <= 22


@pytest.mark.parametrize("low, high, boundary", [(0, 100, 37), (0, 100, 0), (0, 100, 100), (-50, 50, -3), (5, 5, 5)])
def test_the_first_integer_that_satisfies_a_predicate(low, high, boundary):
    assert first_true(low, high, lambda number: number >= boundary) == boundary


def test_an_empty_range_the_wrong_way_round_is_refused():
    with pytest.raises(ValueError):
        first_true(2, 1, bool)

import itertools
import random

import pytest

from merge_sorted_lists import is_sorted, merge_in_place, merge_lazily, merge_many, merge_two, merge_unique

CASES = [([], []), ([1], []), ([], [1]), ([1, 3], [2, 4]), ([1, 2], [3, 4]), ([3, 4], [1, 2]), ([1, 1], [1]), ([-5, 0], [-7, 9])]


@pytest.mark.parametrize("first, second", CASES)
def test_two_lists(first, second):
    expected = sorted(first + second)
    assert merge_two(first, second) == expected
    assert list(merge_lazily(first, second)) == expected
    assert merge_many([first, second]) == expected


@pytest.mark.parametrize("first, second", CASES)
def test_in_place(first, second):
    target = first + [0] * len(second)
    merge_in_place(target, len(first), second)
    assert target == sorted(first + second)


def random_lists(generator, count):
    return [sorted(generator.choices(range(20), k=generator.randrange(9))) for _ in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8])
def test_many_random_lists(count):
    generator = random.Random(count)
    for _ in range(60):
        lists = random_lists(generator, count)
        expected = sorted(itertools.chain.from_iterable(lists))
        assert merge_many(lists) == expected
        assert merge_unique(lists) == sorted(set(expected))


def test_of_equal_items_the_earlier_list_comes_first():
    first, second, third = [("a", 1), ("b", 2)], [("c", 1)], [("d", 1), ("e", 2)]
    by_number = {"key": lambda item: item[1]}
    expected = [("a", 1), ("c", 1), ("d", 1), ("b", 2), ("e", 2)]
    assert merge_many([first, second, third], **by_number) == expected
    assert merge_two(first, second, **by_number) == [("a", 1), ("c", 1), ("b", 2)]
    assert list(merge_lazily(first, second, **by_number)) == [("a", 1), ("c", 1), ("b", 2)]


def test_a_lazy_merge_takes_iterables_without_end():
    merged = merge_lazily(itertools.count(0, 2), itertools.count(1, 2))
    assert list(itertools.islice(merged, 6)) == [0, 1, 2, 3, 4, 5]


def test_arguments_are_left_alone():
    first, second = [1, 3], [2]
    result = merge_many([first])
    result.append(9)
    merge_two(first, second)
    assert (first, second) == ([1, 3], [2])


def test_texts_and_tuples():
    assert merge_two("ace", "bd") == ["a", "b", "c", "d", "e"]
    assert merge_two((1, 2), [3]) == [1, 2, 3]


def test_items_need_only_an_order():
    assert merge_two([None], []) == [None]
    with pytest.raises(TypeError):
        merge_two([1], ["a"])


@pytest.mark.parametrize("count, source", [(-1, []), (3, []), (1, [5, 6]), (1, [])])
def test_a_target_without_the_right_room_is_refused(count, source):
    with pytest.raises(ValueError):
        merge_in_place([1, 0], count, source)


def test_order_can_be_checked():
    assert is_sorted([]) and is_sorted([1, 1, 2])
    assert not is_sorted([2, 1])
    assert is_sorted([2, 1], key=lambda item: -item)

import itertools
import math

import pytest

from permutations_combinations import (
    cartesian_product,
    combinations,
    count_combinations,
    count_permutations,
    permutations,
    power_set,
    unique_permutations,
)


def test_all_orders_of_three_items():
    assert ["".join(order) for order in permutations("abc")] == ["abc", "acb", "bac", "bca", "cab", "cba"]


@pytest.mark.parametrize("size", range(6))
@pytest.mark.parametrize("length", range(6))
def test_results_agree_with_the_standard_library(size, length):
    items = list(range(size))
    assert list(permutations(items, length)) == list(itertools.permutations(items, length))
    assert list(combinations(items, length)) == list(itertools.combinations(items, length))


def test_the_empty_arrangement():
    assert list(permutations([])) == [()]
    assert list(combinations([1, 2], 0)) == [()]
    assert list(combinations([1, 2], 3)) == []


def test_equal_items_are_arranged_once():
    assert ["".join(order) for order in unique_permutations("aab")] == ["aab", "aba", "baa"]
    assert len(list(unique_permutations("mississippi"[:7]))) == len(set(itertools.permutations("mississippi"[:7])))


def test_a_stopped_generator_leaves_the_next_one_alone():
    first = unique_permutations("ab")
    next(first)
    assert len(list(unique_permutations("ab"))) == 2


def test_power_set_from_empty_to_full():
    assert list(power_set([1, 2, 3])) == [(), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)]
    assert len(list(power_set(range(10)))) == 1024


def test_cartesian_product():
    assert list(cartesian_product("ab", [1, 2])) == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert list(cartesian_product()) == [()]
    assert list(cartesian_product("ab", [])) == []


def test_results_come_one_by_one():
    assert next(permutations(range(500))) == tuple(range(500))
    assert next(combinations(range(500), 400)) == tuple(range(400))


@pytest.mark.parametrize("n", range(8))
@pytest.mark.parametrize("k", range(8))
def test_counts_agree_with_the_standard_library(n, k):
    assert count_permutations(n, k) == math.perm(n, k)
    assert count_combinations(n, k) == math.comb(n, k)


def test_large_counts_are_exact():
    assert count_combinations(1000, 500) == math.comb(1000, 500)


def test_misuse_is_refused_before_the_first_result():
    with pytest.raises(ValueError, match="length"):
        permutations([1], -1)
    with pytest.raises(TypeError, match="length"):
        combinations([1], 1.5)
    with pytest.raises(ValueError, match="k must not be negative"):
        count_combinations(3, -1)
    with pytest.raises(TypeError, match="n must be an integer"):
        count_permutations(True, 1)

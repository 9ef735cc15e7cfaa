import itertools
import random

import pytest

from two_sum import k_sum, pairs_with_sum, three_sum, two_sum, two_sum_sorted


@pytest.mark.parametrize(
    "numbers, target, expected",
    [([2, 7, 11, 15], 9, (0, 1)), ([3, 2, 4], 6, (1, 2)), ([3, 3], 6, (0, 1)), ([-1, 5, 1], 0, (0, 2)), ([0, 4, 0], 0, (0, 2))],
)
def test_positions_of_two_numbers(numbers, target, expected):
    assert two_sum(numbers, target) == expected


@pytest.mark.parametrize("numbers, target", [([], 0), ([5], 10), ([1, 2], 4), ([3, 1], 6)])
def test_no_such_numbers(numbers, target):
    assert two_sum(numbers, target) is None
    assert two_sum_sorted(sorted(numbers), target) is None
    assert pairs_with_sum(numbers, target) == []


def test_random_lists_agree_with_trying_every_pair():
    generator = random.Random(1)
    for _ in range(300):
        numbers = generator.choices(range(-9, 10), k=generator.randrange(9))
        target = generator.randrange(-12, 13)
        valid = [pair for pair in itertools.combinations(range(len(numbers)), 2) if sum(numbers[at] for at in pair) == target]
        assert (two_sum(numbers, target) in valid) if valid else two_sum(numbers, target) is None
        ordered = sorted(numbers)
        found = two_sum_sorted(ordered, target)
        assert (found is not None) == bool(valid)
        assert found is None or ordered[found[0]] + ordered[found[1]] == target


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_random_selections_agree_with_trying_everything(k):
    generator = random.Random(k)
    for _ in range(150):
        numbers = generator.choices(range(-5, 6), k=generator.randrange(10))
        target = generator.randrange(-10, 11)
        expected = {tuple(sorted(chosen)) for chosen in itertools.combinations(numbers, k) if sum(chosen) == target}
        assert k_sum(numbers, target, k) == sorted(expected)


def test_pairs_of_values_occur_once():
    assert pairs_with_sum([1, 5, 3, 3, 3, 5, 1, 0], 6) == [(1, 5), (3, 3)]
    assert pairs_with_sum([3], 6) == []


def test_three_numbers():
    assert three_sum([-1, 0, 1, 2, -1, -4]) == [(-1, -1, 2), (-1, 0, 1)]
    assert three_sum([0, 0, 0, 0]) == [(0, 0, 0)]
    assert three_sum([1, 2, 3], target=6) == [(1, 2, 3)]


def test_large_lists_take_linear_time():
    numbers = list(range(200_000))
    assert two_sum(numbers, 399_997) == (199_998, 199_999)
    assert two_sum_sorted(numbers, 399_997) == (199_998, 199_999)


def test_the_argument_is_left_alone():
    numbers = [3, 1, 2]
    k_sum(numbers, 6, 3)
    assert numbers == [3, 1, 2]


@pytest.mark.parametrize("k, error", [(0, ValueError), (-2, ValueError), (2.0, TypeError), (True, TypeError)])
def test_senseless_counts_are_refused(k, error):
    with pytest.raises(error, match="k must be"):
        k_sum([1], 1, k)

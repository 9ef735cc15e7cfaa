import itertools
import random

import pytest

from coin_change import change_from, count_ways, fewest_coins, greedy_change, minimum_coin_count

EURO = [1, 2, 5, 10, 20, 50, 100, 200]


@pytest.mark.parametrize(
    "coins, amount, expected",
    [([1, 2, 5], 11, {5: 2, 1: 1}), ([1, 3, 4], 6, {3: 2}), ([2], 3, None), ([5], 5, {5: 1}), ([1], 0, {}), ([], 0, {}), ([], 1, None)],
)
def test_the_fewest_coins(coins, amount, expected):
    assert fewest_coins(coins, amount) == expected


@pytest.mark.parametrize("coins, amount, expected", [([1, 2, 5], 11, 3), ([2], 3, None), ([186, 419, 83, 408], 6249, 20), ([1], 0, 0)])
def test_the_number_of_coins(coins, amount, expected):
    assert minimum_coin_count(coins, amount) == expected


@pytest.mark.parametrize("coins, amount, expected", [([1, 2, 5], 5, 4), ([2], 3, 0), ([10], 10, 1), ([1, 2, 3], 4, 4), ([5], 0, 1), (EURO, 200, 73_682)])
def test_the_number_of_ways(coins, amount, expected):
    assert count_ways(coins, amount) == expected


def test_random_problems_agree_with_trying_everything():
    generator = random.Random(3)
    for _ in range(60):
        coins = sorted(generator.sample(range(1, 9), k=generator.randint(1, 3)))
        amount = generator.randrange(20)
        ranges = [range(amount // coin + 1) for coin in coins]
        payments = [counts for counts in itertools.product(*ranges) if sum(n * coin for n, coin in zip(counts, coins)) == amount]
        assert count_ways(coins, amount) == len(payments)
        assert minimum_coin_count(coins, amount) == min((sum(counts) for counts in payments), default=None)
        till = {coin: generator.randrange(4) for coin in coins}
        limited = [sum(counts) for counts in payments if all(n <= till[coin] for n, coin in zip(counts, coins))]
        change = change_from(till, amount)
        assert (None if change is None else change.total()) == min(limited, default=None)


def test_the_largest_first_is_right_for_euros_and_wrong_for_other_coins():
    for amount in range(300):
        assert greedy_change(EURO, amount).total() == minimum_coin_count(EURO, amount)
    assert greedy_change([1, 3, 4], 6) == {4: 1, 1: 2}
    assert greedy_change([3, 4], 6) is None


def test_a_till_may_lack_coins():
    assert change_from({50: 1, 20: 3}, 60) == {20: 3}
    assert change_from({50: 1, 20: 2}, 60) is None
    assert change_from({}, 0) == {}


def test_the_till_is_left_alone():
    till = {5: 2}
    change_from(till, 10)
    assert till == {5: 2}


def test_repeated_coins_count_once():
    assert count_ways([1, 1, 2], 3) == count_ways([1, 2], 3) == 2


@pytest.mark.parametrize("function", [fewest_coins, count_ways, greedy_change, lambda coins, amount: change_from(dict.fromkeys(coins, 9), amount)])
@pytest.mark.parametrize("coins, amount, error", [([0], 5, ValueError), ([-1], 5, ValueError), ([1.5], 5, TypeError), ([1], -1, ValueError), ([1], 1.5, TypeError), ([1], True, TypeError)])
def test_misuse_is_refused(function, coins, amount, error):
    with pytest.raises(error):
        function(coins, amount)


def test_a_negative_number_of_coins_is_refused():
    with pytest.raises(ValueError, match="negative"):
        change_from({1: -1}, 0)

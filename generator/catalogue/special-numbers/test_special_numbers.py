import pytest

from special_numbers import (
    are_amicable,
    classify,
    divisors,
    is_armstrong,
    is_happy,
    is_harshad,
    is_palindrome,
    is_perfect,
    is_square,
    is_triangular,
    numbers_up_to,
    proper_divisor_sum,
)


@pytest.mark.parametrize(
    "number, expected",
    [(1, [1]), (7, [1, 7]), (12, [1, 2, 3, 4, 6, 12]), (36, [1, 2, 3, 4, 6, 9, 12, 18, 36])],
)
def test_divisors(number, expected):
    assert divisors(number) == expected


def test_divisors_agree_with_trying_every_number():
    for number in range(1, 400):
        assert divisors(number) == [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def test_perfect_numbers():
    assert numbers_up_to(10_000, is_perfect) == [6, 28, 496, 8128]
    assert is_perfect(33_550_336)
    assert [is_perfect(number) for number in (1, 0, -6)] == [False, False, False]


def test_kinds_of_numbers():
    assert [classify(number) for number in (1, 6, 12, 13)] == ["deficient", "perfect", "abundant", "deficient"]
    assert numbers_up_to(30, lambda number: classify(number) == "abundant") == [12, 18, 20, 24, 30]


def test_amicable_numbers():
    assert are_amicable(220, 284) and are_amicable(1184, 1210)
    assert not are_amicable(6, 6)
    assert not are_amicable(220, 285)
    assert proper_divisor_sum(1) == 0


def test_armstrong_numbers():
    assert numbers_up_to(10_000, is_armstrong) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 153, 370, 371, 407, 1634, 8208, 9474]
    assert is_armstrong(0)


def test_happy_numbers():
    assert numbers_up_to(50, is_happy) == [1, 7, 10, 13, 19, 23, 28, 31, 32, 44, 49]
    assert is_happy(10**40)


@pytest.mark.parametrize("number", range(-20, 1300))
def test_palindromes_agree_with_reversed_text(number):
    assert is_palindrome(number) == (str(number) == str(number)[::-1])


def test_harshad_numbers():
    assert numbers_up_to(25, is_harshad) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 18, 20, 21, 24]


def test_squares_and_triangular_numbers():
    assert [number for number in range(-4, 30) if is_square(number)] == [0, 1, 4, 9, 16, 25]
    assert [number for number in range(30) if is_triangular(number)] == [0, 1, 3, 6, 10, 15, 21, 28]
    assert is_square(10**40) and not is_square(10**40 + 1)


def test_an_empty_range():
    assert numbers_up_to(0, is_perfect) == []


@pytest.mark.parametrize("function", [divisors, classify, is_happy, is_harshad])
@pytest.mark.parametrize("number", [0, -5])
def test_numbers_below_one_are_refused(function, number):
    with pytest.raises(ValueError, match="at least 1"):
        function(number)


@pytest.mark.parametrize("function", [divisors, is_perfect, is_armstrong, is_happy, is_palindrome, is_harshad, is_square, is_triangular])
@pytest.mark.parametrize("number", [1.0, "6", None, True])
def test_only_integers(function, number):
    with pytest.raises(TypeError, match="integer"):
        function(number)

import math

import pytest

from number_tools import digit_sum, factorial, greatest_common_divisor, is_even, is_odd, least_common_multiple


@pytest.mark.parametrize("n, expected", [(0, 1), (1, 1), (2, 2), (5, 120), (10, 3_628_800), (20, 2_432_902_008_176_640_000)])
def test_factorials(n, expected):
    assert factorial(n) == expected


def test_factorials_agree_with_the_standard_library():
    assert all(factorial(n) == math.factorial(n) for n in range(60))
    assert factorial(3_000) == math.factorial(3_000)


def test_a_negative_number_has_no_factorial():
    with pytest.raises(ValueError, match="negative"):
        factorial(-1)


@pytest.mark.parametrize("numbers, expected", [((12, 18), 6), ((17, 5), 1), ((0, 9), 9), ((0, 0), 0), ((-12, 18), 6), ((8,), 8), ((12, 18, 27), 3)])
def test_greatest_common_divisor(numbers, expected):
    assert greatest_common_divisor(*numbers) == expected


@pytest.mark.parametrize("numbers, expected", [((4, 6), 12), ((7, 3), 21), ((0, 5), 0), ((-4, 6), 12), ((9,), 9), ((2, 3, 4), 12)])
def test_least_common_multiple(numbers, expected):
    assert least_common_multiple(*numbers) == expected


def test_divisor_times_multiple_is_the_product():
    for a in range(1, 30):
        for b in range(1, 30):
            assert greatest_common_divisor(a, b) * least_common_multiple(a, b) == a * b


@pytest.mark.parametrize("number, expected", [(0, 0), (7, 7), (1234, 10), (-99, 18), (10**400, 1)])
def test_digit_sum(number, expected):
    assert digit_sum(number) == expected


@pytest.mark.parametrize("number, even", [(0, True), (1, False), (-2, True), (-3, False), (10**40, True)])
def test_parity(number, even):
    assert is_even(number) is even
    assert is_odd(number) is not even


@pytest.mark.parametrize("function", [factorial, greatest_common_divisor, least_common_multiple, digit_sum, is_even, is_odd])
@pytest.mark.parametrize("value", [1.0, "5", None, True])
def test_only_integers(function, value):
    with pytest.raises(TypeError, match="integer"):
        function(value)


def test_nothing_has_no_common_divisor():
    with pytest.raises(TypeError, match="at least one"):
        greatest_common_divisor()
    with pytest.raises(TypeError, match="at least one"):
        least_common_multiple()

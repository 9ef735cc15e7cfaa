from decimal import Decimal
from fractions import Fraction

import pytest

from arithmetic import add, divide, multiply, subtract

EVERY = [add, subtract, multiply, divide]


@pytest.mark.parametrize("a, b, expected", [(2, 3, 5), (-2, 2, 0), (0, 0, 0), (1.5, 2, 3.5), (10**30, 1, 10**30 + 1)])
def test_adding(a, b, expected):
    assert add(a, b) == expected
    assert add(b, a) == expected


@pytest.mark.parametrize("a, b, expected", [(5, 3, 2), (3, 5, -2), (0, 7, -7), (-1, -1, 0)])
def test_subtracting(a, b, expected):
    assert subtract(a, b) == expected


@pytest.mark.parametrize("a, b, expected", [(4, 3, 12), (-4, 3, -12), (-4, -3, 12), (9, 0, 0), (0.5, 4, 2)])
def test_multiplying(a, b, expected):
    assert multiply(a, b) == expected


@pytest.mark.parametrize("a, b, expected", [(6, 3, 2), (7, 2, 3.5), (-9, 3, -3), (0, 5, 0), (1, -4, -0.25)])
def test_dividing(a, b, expected):
    assert divide(a, b) == expected


@pytest.mark.parametrize("zero", [0, 0.0, -0.0, Fraction(0), Decimal(0)])
def test_nothing_is_divided_by_zero(zero):
    with pytest.raises(ZeroDivisionError, match="divide by zero"):
        divide(type(zero)(1), zero)


def test_floats_round_as_floats_do():
    assert add(0.1, 0.2) == pytest.approx(0.3)


def test_exact_numbers_stay_exact():
    assert add(Decimal("0.1"), Decimal("0.2")) == Decimal("0.3")
    assert divide(Fraction(1), 3) == Fraction(1, 3)


@pytest.mark.parametrize("function", EVERY)
@pytest.mark.parametrize("value", ["1", None, True, [1], 1j])
def test_only_numbers(function, value):
    with pytest.raises(TypeError, match="expected a number"):
        function(value, 1)
    with pytest.raises(TypeError, match="expected a number"):
        function(1, value)


def test_decimals_and_floats_do_not_mix():
    with pytest.raises(TypeError):
        add(Decimal("0.1"), 0.2)

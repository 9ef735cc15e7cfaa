import random
from decimal import Decimal
from fractions import Fraction

import pytest

from money import MAX_DIGITS, CurrencyMismatch, Money, total


def eur(amount):
    return Money.of(amount, "EUR")


def test_amounts_are_exact():
    assert eur("0.10") + eur("0.20") == eur("0.30")
    assert (eur("12.3").minor, eur(5).minor, eur(Decimal("-0.01")).minor) == (1230, 500, -1)
    assert eur("12.30").amount == Decimal("12.30")


def test_digits_follow_the_currency():
    assert Money.of(1500, "JPY").minor == 1500
    assert Money.of("1.234", "KWD").minor == 1234
    with pytest.raises(ValueError, match="JPY has 0 digits"):
        Money.of("1.5", "JPY")
    with pytest.raises(ValueError, match="EUR has 2 digits"):
        eur("0.001")


def test_text_there_and_back():
    assert str(eur("-1234567.5")) == "-1,234,567.50 EUR"
    assert str(Money.of(1500, "JPY")) == "1,500 JPY"
    assert Money.parse(" 12.30  USD ") == Money(1230, "USD")


@pytest.mark.parametrize("text", ["", "12.30", "EUR", "12,30 EUR", "x EUR", "1 2 EUR", "NaN EUR", "Infinity EUR", "1 XXX", "1e999999999 EUR"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError):
        Money.parse(text)


def test_arithmetic_keeps_the_currency():
    assert eur(5) - eur(7) == -eur(2)
    assert abs(eur(-2)) == eur(2)
    assert 3 * eur("1.10") == eur("1.10") * 3 == eur("3.30")
    assert not eur(0) and eur("0.01")


def test_currencies_do_not_mix():
    for combine in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b):
        with pytest.raises(CurrencyMismatch, match="EUR and USD"):
            combine(eur(1), Money.of(1, "USD"))
    assert eur(1) != Money.of(1, "USD")


def test_amounts_can_be_sorted_and_hashed():
    assert sorted([eur(3), eur(-1), eur(2)]) == [eur(-1), eur(2), eur(3)]
    assert eur(1) <= eur(1) and eur(2) > eur(1)
    assert len({eur("1.0"), eur("1.00")}) == 1


@pytest.mark.parametrize(
    ("factor", "rounding", "cents"),
    [
        ("0.5", "ROUND_HALF_EVEN", 2),
        ("0.5", "ROUND_HALF_UP", 3),
        ("0.5", "ROUND_DOWN", 2),
        ("0.1", "ROUND_UP", 1),
        ("0.3", "ROUND_HALF_EVEN", 2),
        ("0.29", "ROUND_HALF_EVEN", 1),
        ("-0.5", "ROUND_HALF_UP", -3),
        ("-0.5", "ROUND_HALF_DOWN", -2),
    ],
)
def test_products_are_rounded_to_cents(factor, rounding, cents):
    assert eur("0.05").times(Decimal(factor), rounding) == Money(cents, "EUR")


def test_fractions_and_large_amounts_are_exact_before_rounding():
    assert eur("0.01").times(Fraction(1, 3), "ROUND_HALF_EVEN") == eur(0)
    huge = Money(10**40 + 1, "EUR")
    assert huge.times(Fraction(3, 3)) == huge
    assert (huge * 3).minor == 3 * 10**40 + 3


def test_parts_add_up_to_the_whole():
    assert eur("100.00").split(3) == [eur("33.34"), eur("33.33"), eur("33.33")]
    assert eur("-0.05").split(2) == [eur("-0.03"), eur("-0.02")]
    assert eur("0.05").allocate([70, 30]) == [eur("0.04"), eur("0.01")]
    assert eur(10).allocate([0, 1]) == [eur(0), eur(10)]


def test_random_allocations_lose_nothing_and_are_fair():
    generator = random.Random(7)
    for _ in range(300):
        whole = Money(generator.randrange(-10**6, 10**6), "USD")
        weights = [generator.randrange(0, 50) for _ in range(generator.randrange(1, 9))] + [1]
        parts = whole.allocate(weights)
        assert total(parts, "USD") == whole
        for part, weight in zip(parts, weights):
            assert abs(part.minor - Fraction(whole.minor * weight, sum(weights))) < 1


def test_the_total_of_nothing_is_zero():
    assert total([], "GBP") == Money(0, "GBP")
    assert total([eur(1), eur("0.50")], "EUR") == eur("1.50")


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_senseless_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        eur(1).allocate(weights)


def test_misuse_is_refused():
    inexact = (lambda: eur(0.1), lambda: Money(1.5, "EUR"), lambda: Money(True, "EUR"))
    for wrong in (*inexact, lambda: eur(1) * 0.5, lambda: eur(1) + 1, lambda: eur(1) < 1):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError, match="unknown currency 'EURO'"):
        Money(1, "EURO")
    with pytest.raises(ValueError, match="count"):
        eur(1).split(0)
    with pytest.raises(ValueError, match="digits"):
        eur("1" * (MAX_DIGITS + 1))

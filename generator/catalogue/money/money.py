"""Amounts of money: exact, bound to a currency, and divided without losing a cent."""

import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering
from typing import Any

ROUNDING = "ROUND_HALF_EVEN"
# A bound on the input of `of` and `parse`, so that 1e999999999 cannot exhaust memory.
MAX_DIGITS = 24

# Digits behind the point, by ISO 4217.
MINOR_DIGITS = {
    "AUD": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2, "HKD": 2,
    "HUF": 2, "INR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "MXN": 2, "NOK": 2, "NZD": 2, "PLN": 2, "SEK": 2, "SGD": 2, "TND": 3,
    "TRY": 2, "USD": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip


class CurrencyMismatch(ValueError):
    """Amounts of different currencies were combined; convert one of them first."""


@total_ordering
@dataclass(frozen=True)
class Money:
    """A whole number of minor units (cents) of a currency. Immutable."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError("minor must be a whole number of minor units; use Money.of for decimal amounts")
        if self.currency not in MINOR_DIGITS:
            raise ValueError(f"unknown currency {self.currency!r}; known are {', '.join(MINOR_DIGITS)}")

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> "Money":
        """Return an amount in major units, such as "12.30"; more digits than the currency has are refused."""
        if isinstance(amount, bool) or not isinstance(amount, (Decimal, int, str)):
            raise TypeError("amount must be a Decimal, an int or a text; a float is not exact")
        try:
            value = Decimal(amount)
        except decimal.InvalidOperation:
            raise ValueError(f"not an amount: {amount!r}") from None
        if not value.is_finite() or abs(value.adjusted()) > MAX_DIGITS or len(value.as_tuple().digits) > MAX_DIGITS:
            raise ValueError(f"an amount must be finite and have at most {MAX_DIGITS} digits")
        zero = cls(0, currency)
        minor = value.scaleb(MINOR_DIGITS[zero.currency])
        if minor != minor.to_integral_value():
            raise ValueError(f"{currency} has {MINOR_DIGITS[currency]} digits behind the point: {amount}")
        return cls(int(minor), currency)

    @classmethod
    def parse(cls, text: str) -> "Money":
        """Return the amount that a text such as "12.30 EUR" writes."""
        parts = text.split()
        if len(parts) != 2:
            raise ValueError(f"not an amount and a currency such as '12.30 EUR': {text[:40]!r}")
        return cls.of(parts[0], parts[1])

    @property
    def amount(self) -> Decimal:
        """The amount in major units."""
        return Decimal(self.minor).scaleb(-MINOR_DIGITS[self.currency])

    def __str__(self) -> str:
        return f"{self.amount:,.{MINOR_DIGITS[self.currency]}f} {self.currency}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"cannot combine {self.currency} and {other.currency}")
        return other.minor

    def __add__(self, other: object) -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: object) -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Any) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor < self._same(other)

    def __mul__(self, factor: object) -> "Money":
        if isinstance(factor, bool) or not isinstance(factor, (int, Decimal, Fraction)):
            return NotImplemented
        return self.times(factor)

    __rmul__ = __mul__

    def times(self, factor: int | Decimal | Fraction, rounding: str = ROUNDING) -> "Money":
        """Return the product, rounded to a minor unit by a mode of the decimal module."""
        exact = Fraction(self.minor) * Fraction(factor)
        whole, rest = divmod(exact.numerator, exact.denominator)
        # Half and tenths keep on which side of a half the rest is, for any denominator.
        doubled = 2 * rest - exact.denominator
        tenths = 0 if rest == 0 else 5 if doubled == 0 else 9 if doubled > 0 else 1
        with decimal.localcontext() as context:
            context.prec = len(str(abs(whole))) + 4
            value = Decimal(whole) + Decimal(tenths) / 10
            return Money(int(value.to_integral_value(rounding)), self.currency)

    def allocate(self, weights: Sequence[int | Decimal | Fraction]) -> list["Money"]:
        """Divide by weights so that the parts add up to the whole; the left-over cents go to the largest remainders."""
        shares = [Fraction(weight) for weight in weights]
        whole_weight = sum(shares)
        if whole_weight <= 0 or any(share < 0 for share in shares):
            raise ValueError("weights must not be negative, and at least one must be positive")
        sign, whole = (-1, -self.minor) if self.minor < 0 else (1, self.minor)
        exact = [whole * share / whole_weight for share in shares]
        parts = [int(part) for part in exact]
        by_remainder = sorted(range(len(parts)), key=lambda index: parts[index] - exact[index])
        for index in by_remainder[: whole - sum(parts)]:
            parts[index] += 1
        return [Money(sign * part, self.currency) for part in parts]

    def split(self, count: int) -> list["Money"]:
        """Divide into `count` parts that differ by a minor unit at most."""
        if count < 1:
            raise ValueError("count must be at least 1")
        return self.allocate([1] * count)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Return the sum of amounts of one currency; zero of it if there are none."""
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result

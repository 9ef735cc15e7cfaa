"""The four operations on numbers, strict about what a number is."""

from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

Number = TypeVar("Number", int, float, Fraction, Decimal)

_NUMBERS = (int, float, Fraction, Decimal)


def _check(*values: object) -> None:
    for value in values:
        # True would count as 1, and texts would be joined instead of added.
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            raise TypeError(f"expected a number, not {type(value).__name__}")


def add(a: Number, b: Number) -> Number:
    """Return a + b."""
    _check(a, b)
    return a + b


def subtract(a: Number, b: Number) -> Number:
    """Return a - b."""
    _check(a, b)
    return a - b


def multiply(a: Number, b: Number) -> Number:
    """Return a * b."""
    _check(a, b)
    return a * b


def divide(a: Number, b: Number) -> float | Fraction | Decimal:
    """Return a / b; integers give a float. Division by zero raises `ZeroDivisionError`."""
    _check(a, b)
    if b == 0:
        raise ZeroDivisionError("cannot divide by zero")
    return a / b

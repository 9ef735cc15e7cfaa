"""The four operations on numbers, strict about what a number is."""

from decimal import Decimal
from fractions import Fraction

_NUMBERS = (int, float, Fraction, Decimal)


def _check(*values):
    for value in values:
        # True would count as 1, and texts would be joined instead of added.
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            raise TypeError(f"expected a number, not {type(value).__name__}")


def add(a, b):
    """Return a + b."""
    _check(a, b)
    return a + b


def subtract(a, b):
    """Return a - b."""
    _check(a, b)
    return a - b


def multiply(a, b):
    """Return a * b."""
    _check(a, b)
    return a * b


def divide(a, b):
    """Return a / b; integers give a float. Division by zero raises `ZeroDivisionError`."""
    _check(a, b)
    if b == 0:
        raise ZeroDivisionError("cannot divide by zero")
    return a / b

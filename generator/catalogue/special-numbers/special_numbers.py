"""Special integers: perfect, Armstrong, happy, palindromic and others."""

from collections.abc import Callable
from math import isqrt


def _check_integer(number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("number must be an integer")


def _check(number: int, least: int = 0) -> None:
    _check_integer(number)
    if number < least:
        raise ValueError(f"number must be at least {least}")


def divisors(number: int) -> list[int]:
    """Return all divisors in ascending order, in O(sqrt(n)) steps."""
    _check(number, 1)
    small = [divisor for divisor in range(1, isqrt(number) + 1) if number % divisor == 0]
    # Each divisor has a counterpart; that of a square root is itself.
    large = [number // divisor for divisor in reversed(small) if divisor * divisor != number]
    return small + large


def proper_divisor_sum(number: int) -> int:
    """Return the sum of the divisors but the number itself."""
    return sum(divisors(number)) - number


def classify(number: int) -> str:
    """Return `perfect`, `abundant` or `deficient`: the proper divisors sum to as much, more or less."""
    total = proper_divisor_sum(number)
    if total == number:
        return "perfect"
    return "abundant" if total > number else "deficient"


def is_perfect(number: int) -> bool:
    """Say whether a number is the sum of its proper divisors, as 6 = 1 + 2 + 3; False below 1."""
    _check_integer(number)
    return number >= 1 and classify(number) == "perfect"


def are_amicable(first: int, second: int) -> bool:
    """Say whether each of two different numbers is the sum of the other's proper divisors, as 220 and 284."""
    return first != second and proper_divisor_sum(first) == second and proper_divisor_sum(second) == first


def _digits(number: int) -> list[int]:
    return [int(digit) for digit in str(number)]


def is_armstrong(number: int) -> bool:
    """Say whether a number is the sum of its digits, each to the power of their count, as 153 = 1 + 125 + 27."""
    _check(number)
    digits = _digits(number)
    return number == sum(digit ** len(digits) for digit in digits)


def is_happy(number: int) -> bool:
    """Say whether replacing a number by the sum of the squares of its digits, again and again, reaches 1."""
    _check(number, 1)
    # All sequences that do not reach 1 reach 4.
    while number not in (1, 4):
        number = sum(digit * digit for digit in _digits(number))
    return number == 1


def is_palindrome(number: int) -> bool:
    """Say whether the digits read the same both ways; no negative number does, because of its sign."""
    _check_integer(number)
    backwards, rest = 0, number
    while rest > 0:
        rest, digit = divmod(rest, 10)
        backwards = 10 * backwards + digit
    return backwards == number


def is_harshad(number: int) -> bool:
    """Say whether a number is divisible by the sum of its digits, as 18 by 9."""
    _check(number, 1)
    return number % sum(_digits(number)) == 0


def is_square(number: int) -> bool:
    """Say whether a number is the square of an integer."""
    _check_integer(number)
    return number >= 0 and isqrt(number) ** 2 == number


def is_triangular(number: int) -> bool:
    """Say whether a number is 1 + 2 + ... + n for some n, as 0, 1, 3, 6 and 10."""
    _check(number)
    return is_square(8 * number + 1)


def numbers_up_to(limit: int, condition: Callable[[int], bool]) -> list[int]:
    """Return the numbers from 1 to `limit` that meet a condition of this module, or any other."""
    return [number for number in range(1, limit + 1) if condition(number)]

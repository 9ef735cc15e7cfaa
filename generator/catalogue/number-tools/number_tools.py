"""Exact tools for integers: factorial, greatest common divisor, least common multiple, digits, parity."""


def _check(value: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer")


def factorial(n: int) -> int:
    """Return n! = 1 * 2 * ... * n, with 0! = 1."""
    _check(n, "n")
    if n < 0:
        raise ValueError("n must not be negative")
    return _product(list(range(1, n + 1)))


def _product(factors: list[int]) -> int:
    """Return the product; multiplying in pairs keeps the factors small for long."""
    if len(factors) < 2:
        return factors[0] if factors else 1
    pairs = [factors[at] * factors[at + 1] for at in range(0, len(factors) - 1, 2)]
    return _product(pairs + factors[2 * len(pairs) :])


def greatest_common_divisor(*numbers: int) -> int:
    """Return the largest integer that divides every number, by Euclid's algorithm; 0 if all are 0."""
    divisor = 0
    for number in _at_least_one(numbers):
        number = abs(number)
        while number:
            divisor, number = number, divisor % number
    return divisor


def least_common_multiple(*numbers: int) -> int:
    """Return the smallest positive integer that every number divides; 0 if any of them is 0."""
    multiple = 1
    for number in _at_least_one(numbers):
        if number == 0:
            return 0
        multiple = multiple // greatest_common_divisor(multiple, number) * abs(number)
    return multiple


def _at_least_one(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if not numbers:
        raise TypeError("give at least one number")
    for number in numbers:
        _check(number, "a number")
    return numbers


def digit_sum(number: int) -> int:
    """Return the sum of the decimal digits; the sign does not count."""
    _check(number, "number")
    total, number = 0, abs(number)
    while number:
        number, digit = divmod(number, 10)
        total += digit
    return total


def is_even(number: int) -> bool:
    """Say whether 2 divides `number`."""
    _check(number, "number")
    return number % 2 == 0


def is_odd(number: int) -> bool:
    """Say whether 2 does not divide `number`."""
    return not is_even(number)

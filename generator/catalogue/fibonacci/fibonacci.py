"""Fibonacci numbers: one by fast doubling, many as a list, all as a stream."""

from collections.abc import Iterator
from itertools import islice


def _check(number: int, name: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} must be an integer")
    if number < 0:
        raise ValueError(f"{name} must not be negative")


def fibonacci(n: int) -> int:
    """Return F(n), with F(0) = 0 and F(1) = 1, in O(log n) multiplications."""
    _check(n, "n")
    current, following = 0, 1
    # From F(k) and F(k+1) to F(2k) and F(2k+1), reading n's bits from the highest down.
    for bit in bin(n)[2:]:
        doubled = current * (2 * following - current)
        after = current * current + following * following
        current, following = (after, doubled + after) if bit == "1" else (doubled, after)
    return current


def fibonacci_stream() -> Iterator[int]:
    """Yield F(0), F(1), F(2), ... without end."""
    current, following = 0, 1
    while True:
        yield current
        current, following = following, current + following


def fibonacci_sequence(count: int) -> list[int]:
    """Return the first `count` Fibonacci numbers."""
    _check(count, "count")
    return list(islice(fibonacci_stream(), count))


def fibonacci_up_to(limit: int) -> list[int]:
    """Return the Fibonacci numbers that are not above `limit`, each as often as the sequence has it."""
    _check(limit, "limit")
    numbers = []
    for number in fibonacci_stream():
        if number > limit:
            break
        numbers.append(number)
    return numbers

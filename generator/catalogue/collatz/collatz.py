"""The Collatz problem: halve an even number, triple an odd one and add 1, until 1 is reached."""

from collections.abc import Iterator


def _check(value: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer")
    if value < 1:
        raise ValueError(f"{name} must be at least 1")


def successor(number: int) -> int:
    """Return the number that follows in the sequence."""
    _check(number, "number")
    return 3 * number + 1 if number % 2 else number // 2


def collatz(start: int) -> Iterator[int]:
    """Yield the sequence from `start` to 1, both included."""
    _check(start, "start")
    return _sequence(start)


def _sequence(number: int) -> Iterator[int]:
    yield number
    while number != 1:
        number = 3 * number + 1 if number % 2 else number // 2
        yield number


def step_count(start: int) -> int:
    """Return the number of steps from `start` to 1."""
    return sum(1 for _ in collatz(start)) - 1


def peak(start: int) -> int:
    """Return the greatest number of the sequence."""
    return max(collatz(start))


def step_counts(limit: int) -> list[int]:
    """Return the number of steps of every start up to `limit`; entry 0 is unused and 0.

    Each sequence is followed only until it falls below its start, whose number of steps is known.
    """
    _check(limit, "limit")
    counts = [0] * (limit + 1)
    for start in range(2, limit + 1):
        number, steps = start, 0
        while number >= start:
            number = 3 * number + 1 if number % 2 else number // 2
            steps += 1
        counts[start] = steps + counts[number]
    return counts


def longest_start(limit: int) -> tuple[int, int]:
    """Return the start up to `limit` with the longest sequence, and its number of steps; of several the least start."""
    counts = step_counts(limit)
    start = max(range(1, limit + 1), key=lambda number: counts[number])
    return start, counts[start]


def main(start: int = 27) -> None:
    """Print a sequence."""
    print(" -> ".join(str(number) for number in collatz(start)))


if __name__ == "__main__":
    main()

"""Numbers of a list that add up to a target: two, three, or any number of them."""

from collections import Counter
from collections.abc import Sequence


def two_sum(numbers: Sequence[int], target: int) -> tuple[int, int] | None:
    """Return the positions of two numbers that add up to `target`, the pair whose second number comes first."""
    positions: dict[int, int] = {}
    for position, number in enumerate(numbers):
        other = positions.get(target - number)
        if other is not None:
            return other, position
        positions.setdefault(number, position)
    return None


def two_sum_sorted(numbers: Sequence[int], target: int) -> tuple[int, int] | None:
    """Return the positions of such numbers in an ascending sequence, in constant space."""
    low, high = 0, len(numbers) - 1
    while low < high:
        total = numbers[low] + numbers[high]
        if total == target:
            return low, high
        if total < target:
            low += 1
        else:
            high -= 1
    return None


def pairs_with_sum(numbers: Sequence[int], target: int) -> list[tuple[int, int]]:
    """Return every pair of values once, the smaller value first, in ascending order."""
    counts = Counter(numbers)
    pairs = []
    for number in sorted(counts):
        other = target - number
        if number < other and other in counts or number == other and counts[number] > 1:
            pairs.append((number, other))
    return pairs


def k_sum(numbers: Sequence[int], target: int, k: int) -> list[tuple[int, ...]]:
    """Return every selection of `k` values once, each in ascending order. A value is used as often as it occurs."""
    if isinstance(k, bool) or not isinstance(k, int):
        raise TypeError("k must be an integer")
    if k < 1:
        raise ValueError("k must be at least 1")
    return _k_sum(sorted(numbers), 0, target, k)


def _k_sum(numbers: list[int], start: int, target: int, k: int) -> list[tuple[int, ...]]:
    if k == 1:
        return [(target,)] if target in numbers[start:] else []
    if k == 2:
        return _pairs(numbers, start, target)
    found: list[tuple[int, ...]] = []
    for index in range(start, len(numbers) - k + 1):
        number = numbers[index]
        if index > start and number == numbers[index - 1]:
            continue
        # No selection from here on can be as small as the target, or as large.
        if k * number > target:
            break
        if number + (k - 1) * numbers[-1] < target:
            continue
        found.extend((number, *rest) for rest in _k_sum(numbers, index + 1, target - number, k - 1))
    return found


def _pairs(numbers: list[int], start: int, target: int) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    low, high = start, len(numbers) - 1
    while low < high:
        total = numbers[low] + numbers[high]
        if total == target:
            found.append((numbers[low], numbers[high]))
        if total <= target:
            low += 1
            while low < high and numbers[low] == numbers[low - 1]:
                low += 1
        else:
            high -= 1
    return found


def three_sum(numbers: Sequence[int], target: int = 0) -> list[tuple[int, ...]]:
    """Return every selection of three values that add up to `target`."""
    return k_sum(numbers, target, 3)

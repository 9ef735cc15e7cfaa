"""The longest common subsequence and the longest common substring of two sequences."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def lcs_length(first: Sequence[Item], second: Sequence[Item]) -> int:
    """Return the length of the longest common subsequence, in memory linear in the shorter sequence."""
    if len(first) < len(second):
        first, second = second, first
    row = [0] * (len(second) + 1)
    for item in first:
        diagonal = 0
        for column, other in enumerate(second, start=1):
            above = row[column]
            row[column] = diagonal + 1 if item == other else max(above, row[column - 1])
            diagonal = above
    return row[-1]


def _lengths(first: Sequence[Item], second: Sequence[Item]) -> list[list[int]]:
    """Return the table whose entry (i, j) is the length for the ends of both sequences from i and from j."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in reversed(range(len(first))):
        for j in reversed(range(len(second))):
            if first[i] == second[j]:
                table[i][j] = table[i + 1][j + 1] + 1
            else:
                table[i][j] = max(table[i + 1][j], table[i][j + 1])
    return table


def lcs_pairs(first: Sequence[Item], second: Sequence[Item]) -> list[tuple[int, int]]:
    """Return the positions of a longest common subsequence in both sequences."""
    table = _lengths(first, second)
    pairs = []
    i = j = 0
    while i < len(first) and j < len(second):
        if first[i] == second[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def longest_common_subsequence(first: Sequence[Item], second: Sequence[Item]) -> list[Item]:
    """Return a longest sequence of items that both have in the same order, not necessarily side by side."""
    return [first[i] for i, _ in lcs_pairs(first, second)]


def lcs_text(first: str, second: str) -> str:
    """Return a longest common subsequence of two texts as text."""
    return "".join(longest_common_subsequence(first, second))


def longest_common_substring(first: str, second: str) -> str:
    """Return the longest run of characters that both texts contain; of several, the first in `first`."""
    best_length = best_end = 0
    # Entry j is the length of the common run that ends at the current character and at second[j - 1].
    row = [0] * (len(second) + 1)
    for i, character in enumerate(first, start=1):
        diagonal = 0
        for j, other in enumerate(second, start=1):
            above = row[j]
            row[j] = diagonal + 1 if character == other else 0
            if row[j] > best_length:
                best_length, best_end = row[j], i
            diagonal = above
    return first[best_end - best_length : best_end]


def similarity(first: Sequence[Item], second: Sequence[Item]) -> float:
    """Return the share of items in the longest common subsequence: 1.0 for equal, 0.0 for nothing in common."""
    total = len(first) + len(second)
    return 2 * lcs_length(first, second) / total if total else 1.0

"""Levenshtein distance: the least number of insertions, deletions and substitutions between two texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MAX_LENGTH = 10_000

Action = Literal["keep", "insert", "delete", "substitute"]


@dataclass(frozen=True)
class Edit:
    """One step from the first text to the second; `old` or `new` is empty where there is none."""

    action: Action
    old: str
    new: str


def distance(first: str, second: str, *, limit: int | None = None) -> int:
    """Return the distance between two texts.

    With `limit`, any distance above it is returned as `limit + 1`, which is found much faster.
    """
    _check_length(first, second)
    if limit is not None and limit < 0:
        raise ValueError("limit must not be negative")
    first, second = _without_common_ends(first, second)
    # The shorter text makes the shorter row.
    if len(first) < len(second):
        first, second = second, first
    bound = len(first) if limit is None else limit
    if len(first) - len(second) > bound:
        return bound + 1
    row = list(range(len(second) + 1))
    for index, letter in enumerate(first, 1):
        row = _next_row(row, index, letter, second)
        if min(row) > bound:
            return bound + 1
    return min(row[-1], bound + 1)


def _next_row(previous: list[int], index: int, letter: str, second: str) -> list[int]:
    row = [index]
    for column, other in enumerate(second, 1):
        substituted = previous[column - 1] + (letter != other)
        row.append(min(substituted, previous[column] + 1, row[-1] + 1))
    return row


def _without_common_ends(first: str, second: str) -> tuple[str, str]:
    start = 0
    shortest = min(len(first), len(second))
    while start < shortest and first[start] == second[start]:
        start += 1
    end = 0
    while end < shortest - start and first[-1 - end] == second[-1 - end]:
        end += 1
    return first[start : len(first) - end], second[start : len(second) - end]


def _check_length(*texts: str) -> None:
    if any(len(text) > MAX_LENGTH for text in texts):
        raise ValueError(f"texts must have at most {MAX_LENGTH} characters: the time grows with the product of the lengths")


def similarity(first: str, second: str) -> float:
    """Return 1.0 for equal texts down to 0.0 for texts that share nothing."""
    longest = max(len(first), len(second))
    return 1.0 if longest == 0 else 1.0 - distance(first, second) / longest


def edit_script(first: str, second: str) -> list[Edit]:
    """Return the steps of a shortest way from `first` to `second`, from left to right."""
    _check_length(first, second)
    table = [list(range(len(second) + 1))]
    for index, letter in enumerate(first, 1):
        table.append(_next_row(table[-1], index, letter, second))
    steps: list[Edit] = []
    row, column = len(first), len(second)
    while row or column:
        edit = _last_edit(table, first[max(row - 1, 0) : row], second[max(column - 1, 0) : column], row, column)
        steps.append(edit)
        row, column = row - len(edit.old), column - len(edit.new)
    return steps[::-1]


def _last_edit(table: list[list[int]], old: str, new: str, row: int, column: int) -> Edit:
    """Return the last step of a shortest way to a cell of the table; `old` or `new` is empty at its border."""
    cost = table[row][column]
    if old and new and table[row - 1][column - 1] + (old != new) == cost:
        return Edit("keep" if old == new else "substitute", old, new)
    if old and table[row - 1][column] + 1 == cost:
        return Edit("delete", old, "")
    return Edit("insert", "", new)


def closest(word: str, candidates: Iterable[str], *, max_distance: int | None = None) -> list[str]:
    """Return the candidates with the least distance to `word`, in their order; none if that is above `max_distance`."""
    best: list[str] = []
    bound = max_distance
    for candidate in dict.fromkeys(candidates):
        found = distance(word, candidate, limit=bound)
        if bound is not None and found > bound:
            continue
        if bound is None or found < bound or not best:
            # Later candidates only have to be compared up to the best so far.
            best, bound = [], found
        best.append(candidate)
    return best

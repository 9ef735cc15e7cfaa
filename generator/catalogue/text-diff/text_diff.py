"""Compare texts line by line (Myers' algorithm) and write the result as a unified diff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

CONTEXT_LINES = 3
NO_NEWLINE = "\\ No newline at end of file"

Kind = Literal["equal", "delete", "insert"]


@dataclass(frozen=True)
class Change:
    """One line of the comparison; `old` and `new` are the numbers of lines before it in each text."""

    kind: Kind
    old: int
    new: int
    line: str


def split_lines(text: str) -> list[str]:
    """Return the lines with their ends; only line feeds end a line, as for diff and patch."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return ended if lines[-1] == "" else [*ended, lines[-1]]


def compare(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """Return a shortest list of deletions and insertions, with the equal lines in between."""
    start = _common_length(old, new)
    end = _common_length(old[start:][::-1], new[start:][::-1])
    old_middle, new_middle = old[start : len(old) - end], new[start : len(new) - end]
    changes = [Change("equal", index, index, old[index]) for index in range(start)]
    changes += [
        Change(each.kind, each.old + start, each.new + start, each.line) for each in _shortest(old_middle, new_middle)
    ]
    for offset in range(end, 0, -1):
        changes.append(Change("equal", len(old) - offset, len(new) - offset, old[-offset]))
    return changes


def _common_length(first: Sequence[str], second: Sequence[str]) -> int:
    length = 0
    while length < min(len(first), len(second)) and first[length] == second[length]:
        length += 1
    return length


def _shortest(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """Walk back from the ends of both texts through the rounds of `_rounds`."""
    changes = []
    x, y = len(old), len(new)
    rounds = _rounds(old, new)
    for edits in range(len(rounds) - 1, -1, -1):
        reached = rounds[edits]
        diagonal = x - y
        came_from = diagonal + 1 if _inserts(reached, diagonal, edits) else diagonal - 1
        before_x = reached[came_from]
        before_y = before_x - came_from
        while x > before_x and y > before_y:
            x, y = x - 1, y - 1
            changes.append(Change("equal", x, y, old[x]))
        if edits and x == before_x:
            changes.append(Change("insert", x, before_y, new[before_y]))
        elif edits:
            changes.append(Change("delete", before_x, y, old[before_x]))
        x, y = before_x, before_y
    return changes[::-1]


def _rounds(old: Sequence[str], new: Sequence[str]) -> list[dict[int, int]]:
    """Return, for each number of edits, how far in `old` every diagonal (old - new) was before that edit."""
    reached = {1: 0}
    rounds = []
    for edits in range(len(old) + len(new) + 1):
        rounds.append(dict(reached))
        for diagonal in range(-edits, edits + 1, 2):
            x = reached[diagonal + 1] if _inserts(reached, diagonal, edits) else reached[diagonal - 1] + 1
            y = x - diagonal
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            reached[diagonal] = x
            if x >= len(old) and y >= len(new):
                return rounds
    return rounds


def _inserts(reached: dict[int, int], diagonal: int, edits: int) -> bool:
    """Return whether a diagonal is reached by an insertion rather than by a deletion."""
    return diagonal == -edits or diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1]


def unified_diff(
    old: str, new: str, *, old_name: str = "old", new_name: str = "new", context: int = CONTEXT_LINES
) -> str:
    """Return the unified diff of two texts, as `diff -u` and `patch` use it; nothing if they are equal."""
    if context < 0:
        raise ValueError("context must not be negative")
    if any("\n" in name for name in (old_name, new_name)):
        raise ValueError("names must be on one line")
    changes = compare(split_lines(old), split_lines(new))
    hunks = "".join(_hunk(changes[first:last]) for first, last in _hunk_ranges(changes, context))
    return f"--- {old_name}\n+++ {new_name}\n{hunks}" if hunks else ""


def _hunk_ranges(changes: Sequence[Change], context: int) -> Iterable[tuple[int, int]]:
    ranges: list[list[int]] = []
    for index in (index for index, change in enumerate(changes) if change.kind != "equal"):
        first, last = max(0, index - context), min(len(changes), index + context + 1)
        if ranges and first <= ranges[-1][1]:
            ranges[-1][1] = last
        else:
            ranges.append([first, last])
    return [(first, last) for first, last in ranges]


def _hunk(changes: Sequence[Change]) -> str:
    old_count = sum(change.kind != "insert" for change in changes)
    new_count = sum(change.kind != "delete" for change in changes)
    lines = [f"@@ -{_span(changes[0].old, old_count)} +{_span(changes[0].new, new_count)} @@\n"]
    signs = {"equal": " ", "delete": "-", "insert": "+"}
    for change in changes:
        end = "" if change.line.endswith("\n") else f"\n{NO_NEWLINE}\n"
        lines.append(signs[change.kind] + change.line + end)
    return "".join(lines)


def _span(lines_before: int, count: int) -> str:
    # By tradition an empty span names the line before it, and a count of 1 is left out.
    start = lines_before + 1 if count else lines_before
    return f"{start}" if count == 1 else f"{start},{count}"


def similarity(old: str, new: str) -> float:
    """Return the share of equal lines, from 0.0 to 1.0."""
    changes = compare(split_lines(old), split_lines(new))
    equal = sum(change.kind == "equal" for change in changes)
    total = len(changes) + equal
    return 1.0 if total == 0 else 2 * equal / total

"""Run-length encoding: runs of equal items as the item and a count."""

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

# A character of the text after a backslash, or any that needs none, and the length of its run.
_RUN = re.compile(r"(\\.|[^\\0-9])([0-9]*)", re.DOTALL)


def runs(items: Iterable[Item]) -> Iterator[tuple[Item, int]]:
    """Yield each run of equal items as the item and the length of the run."""
    source = iter(items)
    try:
        current = next(source)
    except StopIteration:
        return
    length = 1
    for item in source:
        if item == current:
            length += 1
        else:
            yield current, length
            current, length = item, 1
    yield current, length


def expand(pairs: Iterable[tuple[Item, int]]) -> list[Item]:
    """Return the items of runs; undoes `runs`."""
    items: list[Item] = []
    for item, length in pairs:
        if length < 1:
            raise ValueError(f"a run has at least 1 item, not {length}")
        items.extend([item] * length)
    return items


def encode(text: str) -> str:
    """Return `text` with each run as its character and count: `aaab` is `a3b`. A count of 1 is left out.

    Digits and backslashes of the text have a backslash before them, so that any text can be restored.
    """
    parts = []
    for character, length in runs(text):
        escape = "\\" if character in "\\0123456789" else ""
        parts.append(escape + character + (str(length) if length > 1 else ""))
    return "".join(parts)


def decode(encoded: str, *, max_length: int = 10_000_000) -> str:
    """Return the text that was encoded; refuse one of more than `max_length` characters."""
    parts = []
    at = total = 0
    while at < len(encoded):
        match = _RUN.match(encoded, at)
        if match is None:
            raise ValueError(f"position {at}: a character is missing")
        character, digits = match.groups()
        # Only counts that `encode` writes: a leading zero or a 1 would give one text several encodings.
        if digits.startswith("0") or digits == "1":
            raise ValueError(f"position {at}: {digits} is not a count that is written")
        total += _bounded_count(digits, max_length, at)
        if total > max_length:
            raise ValueError(f"the text is longer than {max_length} characters")
        parts.append(character[-1] * (int(digits) if digits else 1))
        at = match.end()
    return "".join(parts)


def _bounded_count(digits: str, max_length: int, at: int) -> int:
    if len(digits) > len(str(max_length)):
        raise ValueError(f"position {at}: the count is larger than {max_length}")
    return int(digits) if digits else 1


def compress(text: str) -> str:
    """Return letters with all their counts (`aab` is `a2b1`), or `text` itself where that is not shorter."""
    compressed = "".join(f"{character}{length}" for character, length in runs(text))
    return compressed if len(compressed) < len(text) else text

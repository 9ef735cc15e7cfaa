"""Checks whether brackets are balanced, and says where they are not."""

from dataclasses import dataclass

PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Mismatch:
    """The first bracket that has no partner."""

    position: int
    character: str
    # What should be there instead; None where nothing is open.
    expected: str | None

    def __str__(self) -> str:
        if not self.character:
            return f"position {self.position}: {self.expected!r} is missing at the end"
        if self.expected is None:
            return f"position {self.position}: {self.character!r} closes nothing"
        return f"position {self.position}: {self.character!r} where {self.expected!r} should be"


def _check_pairs(pairs: dict[str, str]) -> None:
    if any(len(bracket) != 1 for pair in pairs.items() for bracket in pair):
        raise ValueError("a bracket is one character")
    if set(pairs) & set(pairs.values()) or len(set(pairs.values())) < len(pairs):
        raise ValueError("brackets must differ from each other")


def first_mismatch(text: str, pairs: dict[str, str] = PAIRS) -> Mismatch | None:
    """Return the first bracket without a partner; None if all are balanced. Other characters do not matter."""
    _check_pairs(pairs)
    closing = set(pairs.values())
    # The closing brackets that are due, the next one last.
    due: list[str] = []
    for position, character in enumerate(text):
        if character in pairs:
            due.append(pairs[character])
        elif character in closing:
            if not due:
                return Mismatch(position, character, None)
            if due[-1] != character:
                return Mismatch(position, character, due[-1])
            due.pop()
    return Mismatch(len(text), "", due[-1]) if due else None


def is_balanced(text: str, pairs: dict[str, str] = PAIRS) -> bool:
    """Say whether every bracket is closed by its partner, in the right order."""
    return first_mismatch(text, pairs) is None


def matches(text: str, pairs: dict[str, str] = PAIRS) -> dict[int, int]:
    """Return the position of the closing bracket for each opening one of a balanced text."""
    mismatch = first_mismatch(text, pairs)
    if mismatch is not None:
        raise ValueError(str(mismatch))
    closing = set(pairs.values())
    found: dict[int, int] = {}
    opened: list[int] = []
    for position, character in enumerate(text):
        if character in pairs:
            opened.append(position)
        elif character in closing:
            found[opened.pop()] = position
    return found


def depth(text: str, pairs: dict[str, str] = PAIRS) -> int:
    """Return how deep the brackets of a balanced text are nested."""
    matches(text, pairs)
    closing = set(pairs.values())
    deepest = level = 0
    for character in text:
        level += (character in pairs) - (character in closing)
        deepest = max(deepest, level)
    return deepest


def missing_count(text: str, pairs: dict[str, str] = PAIRS) -> int:
    """Return how many brackets must be inserted so that a text becomes balanced."""
    _check_pairs(pairs)
    # The closing brackets that are due, and how many of each.
    due: list[str] = []
    counts = dict.fromkeys(pairs.values(), 0)
    missing = 0
    for character in text:
        if character in pairs:
            due.append(pairs[character])
            counts[pairs[character]] += 1
        elif counts.get(character, 0) > 0:
            # Everything that was opened later has to be closed first.
            while (last := due.pop()) != character:
                counts[last] -= 1
                missing += 1
            counts[character] -= 1
        elif character in counts:
            missing += 1
    return missing + len(due)

"""Games of chance: dice by notation, coins, rock-paper-scissors and guessing a number."""

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

MAX_DICE = 1000
MAX_SIDES = 1_000_000

_NOTATION = re.compile(r"(\d{0,4})[dD](\d{1,7})(?:([+-])(\d{1,9}))?", re.ASCII)

# Each choice and what it beats.
BEATS = {"rock": "scissors", "paper": "rock", "scissors": "paper"}


@dataclass(frozen=True)
class Dice:
    """Some dice with the same number of sides, and a number that is added to their sum."""

    count: int
    sides: int
    bonus: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_DICE:
            raise ValueError(f"there must be 1 to {MAX_DICE} dice, not {self.count}")
        if not 2 <= self.sides <= MAX_SIDES:
            raise ValueError(f"a die has 2 to {MAX_SIDES} sides, not {self.sides}")

    @property
    def least(self) -> int:
        """The least total."""
        return self.count + self.bonus

    @property
    def greatest(self) -> int:
        """The greatest total."""
        return self.count * self.sides + self.bonus

    @property
    def average(self) -> float:
        """The total to expect on average."""
        return self.count * (self.sides + 1) / 2 + self.bonus


@dataclass(frozen=True)
class Roll:
    """What each die shows, and the total with the bonus."""

    faces: tuple[int, ...]
    total: int


def parse_dice(notation: str) -> Dice:
    """Return the dice of a notation: `d20`, `3d6` or `2d8+5`."""
    match = _NOTATION.fullmatch(notation.replace(" ", ""))
    if match is None:
        raise ValueError(f"{notation!r} is not dice such as d20, 3d6 or 2d8+5")
    count, sides, sign, bonus = match.groups()
    return Dice(int(count or 1), int(sides), int(f"{sign}{bonus}") if sign else 0)


def roll(dice: Dice | str, source: random.Random | None = None) -> Roll:
    """Roll dice, given as such or by notation."""
    thrown = parse_dice(dice) if isinstance(dice, str) else dice
    source = source or random.Random()
    faces = tuple(source.randint(1, thrown.sides) for _ in range(thrown.count))
    return Roll(faces, sum(faces) + thrown.bonus)


def roll_totals(dice: Dice | str, times: int, source: random.Random | None = None) -> Counter[int]:
    """Roll many times and return how often each total came."""
    source = source or random.Random()
    return Counter(roll(dice, source).total for _ in range(times))


def toss_coin(source: random.Random | None = None) -> str:
    """Return `heads` or `tails`."""
    return (source or random.Random()).choice(("heads", "tails"))


def rock_paper_scissors(first: str, second: str) -> int:
    """Return 1 if the first choice wins, 2 if the second does, and 0 for a draw."""
    for choice in (first, second):
        if choice not in BEATS:
            raise ValueError(f"{choice!r} is not one of: {', '.join(BEATS)}")
    if first == second:
        return 0
    return 1 if BEATS[first] == second else 2


def play_rock_paper_scissors(
    wins: int = 2,
    read: Callable[[str], str] = input,
    write: Callable[[str], object] = print,
    source: random.Random | None = None,
) -> bool:
    """Play in the terminal until one side has so many wins; return whether it was the user."""
    source = source or random.Random()
    score = [0, 0, 0]
    while max(score[1:]) < wins:
        mine = source.choice(sorted(BEATS))
        yours = read("rock, paper or scissors? ").strip().lower()
        if yours not in BEATS:
            write(f"Please enter one of: {', '.join(BEATS)}")
            continue
        result = rock_paper_scissors(yours, mine)
        score[result] += 1
        write(f"I chose {mine}. {('A draw', 'You win', 'I win')[result]}. {score[1]} : {score[2]}")
    return score[1] == wins


def play_guessing(
    greatest: int = 100,
    read: Callable[[str], str] = input,
    write: Callable[[str], object] = print,
    source: random.Random | None = None,
) -> int:
    """Let the user guess a number from 1 to `greatest`; return the number of guesses."""
    if greatest < 1:
        raise ValueError("greatest must be at least 1")
    secret = (source or random.Random()).randint(1, greatest)
    guesses = 0
    while True:
        text = read(f"A number from 1 to {greatest}: ").strip()
        if not (text.isascii() and text.isdigit()):
            write("Please enter a whole number.")
            continue
        guesses += 1
        if int(text) == secret:
            write(f"Right, after {guesses} guesses.")
            return guesses
        write("Too low." if int(text) < secret else "Too high.")


if __name__ == "__main__":
    play_rock_paper_scissors()

"""The Tower of Hanoi: the shortest sequence of moves, recursively and by a loop."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """The topmost disk of `source` goes to `target`."""

    source: str
    target: str


class IllegalMove(ValueError):
    """A move from an empty peg, or onto a smaller disk."""


def _check_disks(disks: int) -> None:
    if isinstance(disks, bool) or not isinstance(disks, int):
        raise TypeError("disks must be an integer")
    if disks < 0:
        raise ValueError("disks must not be negative")


def hanoi(disks: int, source: str = "A", target: str = "C", spare: str = "B") -> Iterator[Move]:
    """Yield the moves that bring `disks` disks from `source` to `target`."""
    _check_disks(disks)
    if len({source, target, spare}) != 3:
        raise ValueError("the three pegs must have different names")
    return _moves(disks, source, target, spare)


def _moves(disks: int, source: str, target: str, spare: str) -> Iterator[Move]:
    if disks == 0:
        return
    yield from _moves(disks - 1, source, spare, target)
    yield Move(source, target)
    yield from _moves(disks - 1, spare, target, source)


def hanoi_iterative(disks: int, source: str = "A", target: str = "C", spare: str = "B") -> Iterator[Move]:
    """Yield the same moves as `hanoi`, without recursion."""
    _check_disks(disks)
    if len({source, target, spare}) != 3:
        raise ValueError("the three pegs must have different names")
    # With an even number of disks, the smallest one first goes to the spare peg.
    pegs = (source, spare, target) if disks % 2 else (source, target, spare)
    for number in range(1, 2**disks):
        # The binary digits of a move's number say which pegs it is between.
        yield Move(pegs[(number & (number - 1)) % 3], pegs[((number | (number - 1)) + 1) % 3])


def minimum_moves(disks: int) -> int:
    """Return the least number of moves: 2**disks - 1."""
    _check_disks(disks)
    return 2**disks - 1


def play(disks: int, moves: Iterable[Move], source: str = "A", target: str = "C", spare: str = "B") -> dict[str, list[int]]:
    """Return the disks on each peg after `moves`, the largest first; disk 1 is the smallest."""
    _check_disks(disks)
    pegs: dict[str, list[int]] = {source: list(range(disks, 0, -1)), spare: [], target: []}
    for number, move in enumerate(moves, start=1):
        unknown = [peg for peg in (move.source, move.target) if peg not in pegs]
        if unknown:
            raise IllegalMove(f"move {number}: there is no peg {unknown[0]!r}")
        if not pegs[move.source]:
            raise IllegalMove(f"move {number}: peg {move.source} is empty")
        disk = pegs[move.source].pop()
        if pegs[move.target] and pegs[move.target][-1] < disk:
            raise IllegalMove(f"move {number}: disk {disk} is larger than disk {pegs[move.target][-1]}")
        pegs[move.target].append(disk)
    return pegs


def main(disks: int = 3) -> None:
    """Print the moves."""
    for move in hanoi(disks):
        print(f"{move.source} -> {move.target}")


if __name__ == "__main__":
    main()

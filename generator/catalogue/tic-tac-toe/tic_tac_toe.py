"""Tic-tac-toe for two players, or against a computer that never loses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

EMPTY = " "
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))


class IllegalMove(ValueError):
    """A move to a field that is taken or not on the board, or after the end."""


@dataclass(frozen=True)
class Board:
    """A position: nine fields from left to right and top to bottom. X moves first."""

    fields: str = EMPTY * 9

    def __post_init__(self) -> None:
        if len(self.fields) != 9 or set(self.fields) - set("XO" + EMPTY):
            raise ValueError("a board has nine fields of X, O or a space")
        if self.fields.count("X") - self.fields.count("O") not in (0, 1):
            raise ValueError("X moves first, and the players take turns")

    @property
    def turn(self) -> str:
        """The player who moves next."""
        return "X" if self.fields.count("X") == self.fields.count("O") else "O"

    @property
    def winner(self) -> str | None:
        """The player with three in a line, if any."""
        return next((self.fields[a] for a, b, c in LINES if self.fields[a] == self.fields[b] == self.fields[c] != EMPTY), None)

    @property
    def moves(self) -> list[int]:
        """The fields that may be played, from 0; none after the end."""
        return [] if self.winner else [field for field, mark in enumerate(self.fields) if mark == EMPTY]

    @property
    def is_over(self) -> bool:
        """Whether a player has won or the board is full."""
        return not self.moves

    def play(self, field: int) -> "Board":
        """Return the position after a move; this one stays as it is."""
        if field not in self.moves:
            raise IllegalMove("the game is over" if self.is_over else f"field {field + 1} cannot be played")
        return Board(self.fields[:field] + self.turn + self.fields[field + 1 :])

    def __str__(self) -> str:
        shown = [str(field + 1) if mark == EMPTY else mark for field, mark in enumerate(self.fields)]
        return "\n---+---+---\n".join(" " + " | ".join(shown[row : row + 3]) for row in (0, 3, 6))


@cache
def value(board: Board) -> int:
    """Return what the player to move can force: positive for a win, 0 for a draw; an early win is worth more."""
    if board.winner:
        # The player who moved last has won.
        return -(board.fields.count(EMPTY) + 1)
    return max((-value(board.play(field)) for field in board.moves), default=0)


def best_move(board: Board) -> int:
    """Return the field of a best move, by minimax; of several the first."""
    if board.is_over:
        raise IllegalMove("the game is over")
    return max(board.moves, key=lambda field: -value(board.play(field)))


# Chooses a field for a position.
Player = Callable[[Board], int]


def human(read: Callable[[str], str] = input, write: Callable[[str], object] = print) -> Player:
    """Return a player who is asked for a field from 1 to 9 until it can be played."""

    def choose(board: Board) -> int:
        write(str(board))
        while True:
            answer = read(f"{board.turn}, your field (1-9): ").strip()
            if answer.isascii() and answer.isdigit() and int(answer) - 1 in board.moves:
                return int(answer) - 1
            write(f"Please enter one of: {', '.join(str(field + 1) for field in board.moves)}")

    return choose


def play(players: Sequence[Player], board: Board | None = None) -> Board:
    """Let two players, X first, play to the end and return the last position."""
    current = board or Board()
    while not current.is_over:
        current = current.play(players["XO".index(current.turn)](current))
    return current


def main() -> None:
    """Play against the computer in the terminal."""
    final = play([human(), best_move])
    print(final)
    print(f"{final.winner} wins." if final.winner else "A draw.")


if __name__ == "__main__":
    main()

"""Reads matrices in a spiral, and rotates, transposes and mirrors them. A matrix is a list of rows of equal length."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")
Matrix = Sequence[Sequence[Item]]


def _check_rows(matrix: Matrix[Item]) -> None:
    if any(len(row) != len(matrix[0]) for row in matrix):
        raise ValueError("all rows must have the same length")


def spiral_order(matrix: Matrix[Item]) -> list[Item]:
    """Return the items in a clockwise spiral from the top left corner to the middle."""
    _check_rows(matrix)
    items: list[Item] = []
    top, bottom = 0, len(matrix) - 1
    left, right = 0, len(matrix[0]) - 1 if matrix else -1
    while top <= bottom and left <= right:
        items += matrix[top][left : right + 1]
        items += [matrix[row][right] for row in range(top + 1, bottom + 1)]
        # The way back exists only where it is not the way there.
        if top < bottom:
            items += [matrix[bottom][column] for column in range(right - 1, left - 1, -1)]
        if left < right:
            items += [matrix[row][left] for row in range(bottom - 1, top, -1)]
        top, bottom, left, right = top + 1, bottom - 1, left + 1, right - 1
    return items


def spiral_matrix(rows: int, columns: int | None = None, *, first: int = 1) -> list[list[int]]:
    """Return a matrix that is numbered in a spiral; square by default."""
    width = rows if columns is None else columns
    if rows < 0 or width < 0:
        raise ValueError("rows and columns must not be negative")
    places = [[(row, column) for column in range(width)] for row in range(rows)]
    matrix = [[0] * width for _ in range(rows)]
    for number, (row, column) in enumerate(spiral_order(places), start=first):
        matrix[row][column] = number
    return matrix


def transpose(matrix: Matrix[Item]) -> list[list[Item]]:
    """Return the matrix with rows and columns exchanged."""
    _check_rows(matrix)
    return [list(column) for column in zip(*matrix, strict=True)]


def rotate(matrix: Matrix[Item], quarter_turns: int = 1) -> list[list[Item]]:
    """Return the matrix turned clockwise; a negative number of quarter turns goes the other way."""
    _check_rows(matrix)
    turned = [list(row) for row in matrix]
    for _ in range(quarter_turns % 4):
        # Clockwise: the bottom row becomes the first column.
        turned = [list(column) for column in zip(*reversed(turned), strict=True)]
    return turned


def rotate_in_place(matrix: list[list[Item]], *, clockwise: bool = True) -> None:
    """Turn a square matrix by 90 degrees, with constant extra memory."""
    size = len(matrix)
    if any(len(row) != size for row in matrix):
        raise ValueError("only a square matrix can be rotated in place")
    for row, line in enumerate(matrix):
        for column in range(row + 1, size):
            line[column], matrix[column][row] = matrix[column][row], line[column]
    # A transposed matrix is a turned one in a mirror.
    if clockwise:
        for line in matrix:
            line.reverse()
    else:
        matrix.reverse()


def mirror(matrix: Matrix[Item], *, vertically: bool = False) -> list[list[Item]]:
    """Return the matrix with left and right exchanged, or top and bottom."""
    _check_rows(matrix)
    rows = reversed(matrix) if vertically else matrix
    return [list(row) if vertically else list(reversed(row)) for row in rows]


def diagonals(matrix: Matrix[Item]) -> list[list[Item]]:
    """Return the diagonals that rise to the right, from the top left corner; each starts at its lower end."""
    _check_rows(matrix)
    if not matrix:
        return []
    height, width = len(matrix), len(matrix[0])
    found = []
    for total in range(height + width - 1 if width else 0):
        lowest = min(total, height - 1)
        found.append([matrix[row][total - row] for row in range(lowest, max(-1, total - width), -1)])
    return found

"""Matrices of exact numbers."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction

# Anything that a fraction can be made of.
Entry = int | float | str | Decimal | Fraction


class SingularMatrix(ArithmeticError):
    """The matrix has no inverse."""


def _clear_column(rows: list[list[Fraction]], column: int) -> None:
    """Take the row of this number from the others, so that they have 0 in the column of this number."""
    pivot = rows[column]
    for number, row in enumerate(rows):
        factor = row[column]
        if number != column and factor:
            rows[number] = [a - factor * b for a, b in zip(row, pivot)]


class Matrix:
    """An immutable matrix; entries are kept as fractions, so that nothing is rounded."""

    def __init__(self, rows: Iterable[Iterable[Entry]]) -> None:
        table = tuple(tuple(Fraction(entry) for entry in row) for row in rows)
        if not table or not table[0]:
            raise ValueError("a matrix has at least one row and one column")
        if len({len(row) for row in table}) != 1:
            raise ValueError("all rows must have the same length")
        self._rows = table

    @classmethod
    def identity(cls, size: int) -> "Matrix":
        """Return the identity of a size."""
        return cls([[int(row == column) for column in range(size)] for row in range(size)])

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return len(self._rows), len(self._rows[0])

    def _square_size(self) -> int:
        height, width = self.shape
        if height != width:
            raise ValueError("the matrix must be square")
        return height

    def _combine(self, other: "Matrix", operation: Callable[[Fraction, Fraction], Fraction]) -> "Matrix":
        if not isinstance(other, Matrix):
            return NotImplemented
        if self.shape != other.shape:
            raise ValueError("both matrices must have the same shape")
        return Matrix([[operation(a, b) for a, b in zip(*rows)] for rows in zip(self._rows, other._rows)])

    def __add__(self, other: "Matrix") -> "Matrix":
        return self._combine(other, lambda a, b: a + b)

    def __sub__(self, other: "Matrix") -> "Matrix":
        return self._combine(other, lambda a, b: a - b)

    def scale(self, factor: Entry) -> "Matrix":
        """Return the matrix with every entry times `factor`."""
        return Matrix([[entry * Fraction(factor) for entry in row] for row in self._rows])

    def __matmul__(self, other: "Matrix") -> "Matrix":
        if not isinstance(other, Matrix):
            return NotImplemented
        if self.shape[1] != other.shape[0]:
            raise ValueError("the left matrix must have as many columns as the right one has rows")
        columns = list(zip(*other._rows))
        return Matrix([[sum((a * b for a, b in zip(row, column)), Fraction(0)) for column in columns] for row in self._rows])

    def __pow__(self, exponent: int) -> "Matrix":
        size = self._square_size()
        base = self.inverse() if exponent < 0 else self
        exponent = abs(exponent)
        result = Matrix.identity(size)
        while exponent:
            if exponent & 1:
                result = result @ base
            base = base @ base
            exponent >>= 1
        return result

    def transpose(self) -> "Matrix":
        """Return the matrix with rows and columns exchanged."""
        return Matrix(zip(*self._rows))

    def _reduce(self, right: "Matrix") -> tuple[Fraction, "Matrix | None"]:
        """Return (determinant, right side after Gauss-Jordan elimination); the side is None if singular."""
        size = self._square_size()
        rows = [list(row) + list(extra) for row, extra in zip(self._rows, right._rows)]
        determinant = Fraction(1)
        for column in range(size):
            pivot = next((row for row in range(column, size) if rows[row][column]), None)
            if pivot is None:
                return Fraction(0), None
            if pivot != column:
                rows[column], rows[pivot] = rows[pivot], rows[column]
                determinant = -determinant
            lead = rows[column][column]
            determinant *= lead
            rows[column] = [entry / lead for entry in rows[column]]
            _clear_column(rows, column)
        return determinant, Matrix([row[size:] for row in rows])

    def determinant(self) -> Fraction:
        """Return the determinant of a square matrix."""
        return self._reduce(Matrix.identity(self._square_size()))[0]

    def inverse(self) -> "Matrix":
        """Return the inverse of a square matrix, or raise `SingularMatrix`."""
        return self.solve(Matrix.identity(self._square_size()))

    def solve(self, right: "Matrix") -> "Matrix":
        """Return X with self @ X == right, or raise `SingularMatrix`."""
        if self._square_size() != right.shape[0]:
            raise ValueError("the right side must have as many rows as the matrix")
        solution = self._reduce(right)[1]
        if solution is None:
            raise SingularMatrix("the matrix has no inverse")
        return solution

    def to_lists(self) -> list[list[Fraction]]:
        """Return the entries as lists of fractions."""
        return [list(row) for row in self._rows]

    def __eq__(self, other: object) -> bool:
        return self._rows == other._rows if isinstance(other, Matrix) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._rows)

    def __repr__(self) -> str:
        return f"Matrix({[[str(entry) for entry in row] for row in self._rows]})"

"""Solves 9 by 9 sudoku puzzles by backtracking, always filling the cell with the fewest candidates first."""

from collections.abc import Iterator, Sequence

# Nine rows of nine digits; 0 is an empty cell.
Grid = list[list[int]]

SIZE = 9
BOX = 3
DIGITS = frozenset(range(1, SIZE + 1))
CELLS = tuple((number // SIZE, number % SIZE) for number in range(SIZE * SIZE))


def parse(text: str) -> Grid:
    """Read 81 cells from left to right; digits, with `0`, `.` or `_` for an empty cell. Space and frames are skipped."""
    cells = [character for character in text if not character.isspace() and character not in "|+-"]
    if len(cells) != SIZE * SIZE:
        raise ValueError(f"a sudoku has 81 cells, not {len(cells)}")
    unknown = [character for character in cells if character not in "0123456789._"]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is neither a digit nor an empty cell")
    digits = [0 if character in "._" else int(character) for character in cells]
    return [digits[start : start + SIZE] for start in range(0, len(digits), SIZE)]


def render(grid: Sequence[Sequence[int]]) -> str:
    """Return the grid as text with lines between the boxes."""
    lines = []
    for number, row in enumerate(grid):
        if number in (3, 6):
            lines.append("------+-------+------")
        parts = [" ".join(str(digit) if digit else "." for digit in row[start : start + BOX]) for start in (0, 3, 6)]
        lines.append(" | ".join(parts))
    return "\n".join(lines)


def _copy(grid: Sequence[Sequence[int]]) -> Grid:
    rows = [list(row) for row in grid]
    if len(rows) != SIZE or any(len(row) != SIZE for row in rows):
        raise ValueError("a sudoku has nine rows of nine cells")
    for row in rows:
        for digit in row:
            if isinstance(digit, bool) or not isinstance(digit, int) or not 0 <= digit <= SIZE:
                raise ValueError(f"a cell is a digit from 0 to 9, not {digit!r}")
    return rows


def _box(row: int, column: int) -> int:
    return row // BOX * BOX + column // BOX


def _units(grid: Grid) -> list[list[int]]:
    rows = [list(row) for row in grid]
    columns = [list(column) for column in zip(*grid, strict=True)]
    boxes: list[list[int]] = [[] for _ in range(SIZE)]
    for row, column in CELLS:
        boxes[_box(row, column)].append(grid[row][column])
    return rows + columns + boxes


def is_valid(grid: Sequence[Sequence[int]]) -> bool:
    """Say whether no digit occurs twice in a row, a column or a box. Empty cells are allowed."""
    filled = [[digit for digit in unit if digit] for unit in _units(_copy(grid))]
    return all(len(set(unit)) == len(unit) for unit in filled)


def is_solved(grid: Sequence[Sequence[int]]) -> bool:
    """Say whether every row, column and box has each digit once."""
    return all(set(unit) == DIGITS for unit in _units(_copy(grid)))


class _Search:
    """A grid with the digits that are used in each row, column and box."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.used: list[set[int]] = [set(unit) - {0} for unit in _units(grid)]

    def _units_of(self, row: int, column: int) -> tuple[set[int], set[int], set[int]]:
        return self.used[row], self.used[SIZE + column], self.used[2 * SIZE + _box(row, column)]

    def _fewest_candidates(self) -> tuple[int, int, set[int]] | None:
        best: tuple[int, int, set[int]] | None = None
        for row, column in CELLS:
            if self.grid[row][column]:
                continue
            candidates = set(DIGITS.difference(*self._units_of(row, column)))
            if best is None or len(candidates) < len(best[2]):
                best = (row, column, candidates)
        return best

    def solutions(self) -> Iterator[Grid]:
        """Yield every solution; the grid is as before when all were taken."""
        cell = self._fewest_candidates()
        if cell is None:
            yield [list(row) for row in self.grid]
            return
        row, column, candidates = cell
        for digit in sorted(candidates):
            self.grid[row][column] = digit
            for unit in self._units_of(row, column):
                unit.add(digit)
            yield from self.solutions()
            self.grid[row][column] = 0
            for unit in self._units_of(row, column):
                unit.remove(digit)


def solutions(grid: Sequence[Sequence[int]]) -> Iterator[Grid]:
    """Yield every solution; none where the given digits contradict each other. The argument is left alone."""
    copied = _copy(grid)
    return _Search(copied).solutions() if is_valid(copied) else iter(())


def solve(grid: Sequence[Sequence[int]]) -> Grid | None:
    """Return a solution, or None where there is none."""
    return next(solutions(grid), None)


def has_one_solution(grid: Sequence[Sequence[int]]) -> bool:
    """Say whether the puzzle is a proper one: exactly one solution."""
    found = solutions(grid)
    return next(found, None) is not None and next(found, None) is None

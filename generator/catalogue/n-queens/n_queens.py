"""The n queens problem: one queen in each row, none attacking another, found by backtracking."""

from collections.abc import Iterator

# The column of the queen in each row, from the top.
Placement = tuple[int, ...]


def _check_size(size: int) -> None:
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError("size must be an integer")
    if size < 1:
        raise ValueError("size must be at least 1")


def n_queens(size: int) -> Iterator[Placement]:
    """Yield every placement of `size` queens on a board of `size` rows, in lexicographic order."""
    _check_size(size)
    return _place(size, [], set(), set(), set())


def _place(size: int, columns: list[int], taken: set[int], rising: set[int], falling: set[int]) -> Iterator[Placement]:
    row = len(columns)
    if row == size:
        yield tuple(columns)
        return
    for column in range(size):
        # Fields of a diagonal share the sum, or the difference, of row and column.
        if column in taken or row + column in rising or row - column in falling:
            continue
        columns.append(column)
        taken.add(column)
        rising.add(row + column)
        falling.add(row - column)
        yield from _place(size, columns, taken, rising, falling)
        columns.pop()
        taken.remove(column)
        rising.remove(row + column)
        falling.remove(row - column)


def first_solution(size: int) -> Placement | None:
    """Return the first placement; None where there is none, as for 2 and 3 queens."""
    return next(n_queens(size), None)


def count_solutions(size: int) -> int:
    """Return the number of placements. Uses bit masks, which is several times faster than listing them."""
    _check_size(size)
    full = (1 << size) - 1

    def count(columns: int, rising: int, falling: int) -> int:
        """Return the number of ways to fill the rows below, given the fields that are attacked in the next one."""
        if columns == full:
            return 1
        found = 0
        free = full & ~(columns | rising | falling)
        while free:
            field = free & -free
            free ^= field
            found += count(columns | field, (rising | field) << 1, (falling | field) >> 1)
        return found

    return count(0, 0, 0)


def is_solution(columns: Placement) -> bool:
    """Say whether a placement has one queen in each row and column and none attacks another."""
    size = len(columns)
    diagonals = [{row + column for row, column in enumerate(columns)}, {row - column for row, column in enumerate(columns)}]
    return sorted(columns) == list(range(size)) and all(len(diagonal) == size for diagonal in diagonals)


def render(columns: Placement) -> str:
    """Return the board as text, with `Q` for a queen and a dot for an empty field."""
    size = len(columns)
    return "\n".join(" ".join("Q" if column == queen else "." for column in range(size)) for queen in columns)

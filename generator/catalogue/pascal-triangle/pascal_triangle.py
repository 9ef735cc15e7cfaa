"""Pascal's triangle: each number is the sum of the two above it."""

from collections.abc import Iterator


def _check(value: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer")
    if value < 0:
        raise ValueError(f"{name} must not be negative")


def rows() -> Iterator[list[int]]:
    """Yield the rows from the top, without end; each is a new list."""
    row = [1]
    while True:
        yield list(row)
        row = [1, *(left + right for left, right in zip(row, row[1:], strict=False)), 1]


def pascal_triangle(count: int) -> list[list[int]]:
    """Return the first `count` rows."""
    _check(count, "count")
    source = rows()
    return [next(source) for _ in range(count)]


def pascal_row(index: int) -> list[int]:
    """Return one row, counted from 0, without those above it."""
    _check(index, "index")
    row = [1]
    for column in range(index):
        # The product is divisible: it is (column + 1) times the next coefficient.
        row.append(row[-1] * (index - column) // (column + 1))
    return row


def binomial(n: int, k: int) -> int:
    """Return the number at position `k` of row `n`, both counted from 0; 0 outside the triangle."""
    _check(n, "n")
    _check(k, "k")
    return 0 if k > n else pascal_row(n)[k]


def render(count: int) -> str:
    """Return the first `count` rows as text, centered."""
    triangle = pascal_triangle(count)
    if not triangle:
        return ""
    cell = len(str(max(triangle[-1])))
    # An odd number of columns between the centers of neighbours lets each number be exactly between two.
    cell += cell % 2 == 0
    lines = [" ".join(str(number).center(cell) for number in row) for row in triangle]
    width = len(lines[-1])
    return "\n".join((" " * ((width - len(line)) // 2) + line).rstrip() for line in lines)


def main(count: int = 8) -> None:
    """Print the first rows."""
    print(render(count))


if __name__ == "__main__":
    main()

"""Conway's Game of Life on an unbounded plane: a world is the set of its live cells."""

from collections import Counter
from collections.abc import Iterator

# Row and column; both may be negative.
Cell = tuple[int, int]
World = frozenset[Cell]

LIVE = "#"
DEAD = "."
_AROUND = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != (0, 0)]


def neighbours(cell: Cell) -> list[Cell]:
    """Return the eight cells around one."""
    return [(cell[0] + row, cell[1] + column) for row, column in _AROUND]


def step(world: World) -> World:
    """Return the next generation: three live neighbours give life, two keep it."""
    counts = Counter(neighbour for cell in world for neighbour in neighbours(cell))
    return frozenset(cell for cell, count in counts.items() if count == 3 or count == 2 and cell in world)


def generations(world: World) -> Iterator[World]:
    """Yield the world and all its successors, without end."""
    while True:
        yield world
        world = step(world)


def after(world: World, steps: int) -> World:
    """Return the world after a number of generations."""
    if steps < 0:
        raise ValueError("steps must not be negative: the past of a world is not unique")
    for _ in range(steps):
        world = step(world)
    return world


def parse(text: str) -> World:
    """Read a world from lines; `#` is a live cell, and a dot or a space a dead one. The first line is row 0."""
    cells = set()
    for row, line in enumerate(text.splitlines()):
        for column, character in enumerate(line):
            if character == LIVE:
                cells.add((row, column))
            elif character not in (DEAD, " "):
                raise ValueError(f"line {row + 1}: {character!r} is neither {LIVE!r} nor {DEAD!r}")
    return frozenset(cells)


def render(world: World, rows: range | None = None, columns: range | None = None) -> str:
    """Return a part of the world as text; by default the smallest one with all live cells."""
    if rows is None:
        rows = _extent([row for row, _ in world])
    if columns is None:
        columns = _extent([column for _, column in world])
    return "\n".join("".join(LIVE if (row, column) in world else DEAD for column in columns) for row in rows)


def _extent(numbers: list[int]) -> range:
    return range(min(numbers), max(numbers) + 1) if numbers else range(0)


def period(world: World, limit: int = 1000) -> int | None:
    """Return after how many generations a world is the same again; None where that takes more than `limit`."""
    current = world
    for steps in range(1, limit + 1):
        current = step(current)
        if current == world:
            return steps
    return None


GLIDER = parse(".#.\n..#\n###")


def main() -> None:
    """Print four generations of a glider."""
    for _, world in zip(range(4), generations(GLIDER), strict=False):
        print(render(world, range(5), range(5)), end="\n\n")


if __name__ == "__main__":
    main()

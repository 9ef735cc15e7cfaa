import pytest

from matrix_spiral_rotate import diagonals, mirror, rotate, rotate_in_place, spiral_matrix, spiral_order, transpose

SQUARE = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
WIDE = [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    "matrix, expected",
    [
        ([], []),
        ([[]], []),
        ([[1]], [1]),
        ([[1, 2, 3]], [1, 2, 3]),
        ([[1], [2], [3]], [1, 2, 3]),
        ([[1, 2], [3, 4]], [1, 2, 4, 3]),
        (SQUARE, [1, 2, 3, 6, 9, 8, 7, 4, 5]),
        (WIDE, [1, 2, 3, 6, 5, 4]),
        (transpose(WIDE), [1, 4, 5, 6, 3, 2]),
        ([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], [1, 2, 3, 4, 8, 12, 11, 10, 9, 5, 6, 7]),
    ],
)
def test_spirals(matrix, expected):
    assert spiral_order(matrix) == expected


def test_a_numbered_spiral():
    assert spiral_matrix(3) == [[1, 2, 3], [8, 9, 4], [7, 6, 5]]
    assert spiral_matrix(2, 3, first=0) == [[0, 1, 2], [5, 4, 3]]
    assert spiral_matrix(0) == []


@pytest.mark.parametrize("rows", range(6))
@pytest.mark.parametrize("columns", range(6))
def test_reading_a_numbered_spiral_counts(rows, columns):
    assert spiral_order(spiral_matrix(rows, columns)) == list(range(1, rows * columns + 1))


@pytest.mark.parametrize(
    "turns, expected",
    [
        (0, WIDE),
        (1, [[4, 1], [5, 2], [6, 3]]),
        (2, [[6, 5, 4], [3, 2, 1]]),
        (3, [[3, 6], [2, 5], [1, 4]]),
        (-1, [[3, 6], [2, 5], [1, 4]]),
        (4, WIDE),
        (-5, [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_quarter_turns(turns, expected):
    assert rotate(WIDE, turns) == expected


@pytest.mark.parametrize("size", range(6))
@pytest.mark.parametrize("clockwise", [True, False])
def test_turning_in_place_agrees(size, clockwise):
    matrix = [[size * row + column for column in range(size)] for row in range(size)]
    expected = rotate(matrix, 1 if clockwise else -1)
    rotate_in_place(matrix, clockwise=clockwise)
    assert matrix == expected


def test_transposing_and_mirroring():
    assert transpose(WIDE) == [[1, 4], [2, 5], [3, 6]]
    assert mirror(WIDE) == [[3, 2, 1], [6, 5, 4]]
    assert mirror(WIDE, vertically=True) == [[4, 5, 6], [1, 2, 3]]


def test_diagonals():
    assert diagonals(SQUARE) == [[1], [4, 2], [7, 5, 3], [8, 6], [9]]
    assert diagonals(WIDE) == [[1], [4, 2], [5, 3], [6]]
    assert diagonals([]) == []


def test_arguments_are_left_alone_and_results_are_new():
    rows = [[1, 2], [3, 4]]
    rotate(rows, 0)[0][0] = 99
    mirror(rows, vertically=True)[0][0] = 99
    assert rows == [[1, 2], [3, 4]]


def test_items_may_be_anything():
    assert spiral_order(["ab", "cd"]) == ["a", "b", "d", "c"]


@pytest.mark.parametrize("function", [spiral_order, transpose, rotate, mirror, diagonals])
def test_rows_of_different_lengths_are_refused(function):
    with pytest.raises(ValueError, match="same length"):
        function([[1, 2], [3]])


def test_only_square_matrices_turn_in_place():
    with pytest.raises(ValueError, match="square"):
        rotate_in_place([[1, 2, 3], [4, 5, 6]])
    with pytest.raises(ValueError, match="negative"):
        spiral_matrix(-1)

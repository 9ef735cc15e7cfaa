import pytest

from sudoku_solver import has_one_solution, is_solved, is_valid, parse, render, solutions, solve

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
EASY_SOLVED = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
HARD = "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4.."


def digits_of(grid):
    return "".join(str(digit) for row in grid for digit in row)


def test_an_easy_puzzle():
    assert digits_of(solve(parse(EASY))) == EASY_SOLVED


def test_a_hard_puzzle():
    grid = parse(HARD)
    solved = solve(grid)
    assert is_solved(solved)
    assert all(given in (0, found) for row, filled in zip(grid, solved, strict=True) for given, found in zip(row, filled, strict=True))


def test_the_argument_is_left_alone():
    grid = parse(EASY)
    solve(grid)
    assert grid == parse(EASY)


def test_a_solved_grid_is_its_own_solution():
    grid = parse(EASY_SOLVED)
    assert list(solutions(grid)) == [grid]
    assert is_solved(grid)


def test_contradictions_have_no_solution():
    grid = parse(EASY)
    grid[0][2] = 5
    assert not is_valid(grid)
    assert solve(grid) is None


def test_a_valid_grid_may_have_no_solution():
    grid = parse("12345678." + "." * 44 + "9" + "." * 27)
    assert is_valid(grid)
    assert solve(grid) is None


def test_proper_puzzles_have_one_solution():
    assert has_one_solution(parse(EASY))
    assert not has_one_solution(parse("." * 81))
    assert not has_one_solution(parse("12345678." + "." * 44 + "9" + "." * 27))


def test_two_digits_that_can_be_exchanged_make_two_solutions():
    cells = list(EASY_SOLVED)
    for row, column in [(0, 3), (0, 4), (3, 3), (3, 4)]:
        cells[9 * row + column] = "."
    assert len(list(solutions(parse("".join(cells))))) == 2


def test_solutions_of_an_empty_grid_come_one_by_one():
    found = solutions(parse("." * 81))
    first, second = next(found), next(found)
    assert first != second
    assert is_solved(first) and is_solved(second)


@pytest.mark.parametrize("row, column", [(0, 8), (8, 0), (1, 1)])
def test_a_digit_twice_in_a_row_column_or_box_is_not_valid(row, column):
    grid = parse("." * 81)
    grid[0][0] = grid[row][column] = 4
    assert not is_valid(grid)


def test_text_with_frames_is_read_back():
    grid = parse(EASY)
    assert parse(render(grid)) == grid
    assert render(grid).splitlines()[0] == "5 3 . | . 7 . | . . ."


@pytest.mark.parametrize("text", ["", "1" * 80, "1" * 82, "x" + "." * 80])
def test_texts_that_are_no_grid_are_refused(text):
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize("grid", [[], [[0] * 9] * 8, [[0] * 8] * 9, [[10] + [0] * 8] + [[0] * 9] * 8, [["1"] * 9] * 9])
def test_grids_of_another_form_are_refused(grid):
    with pytest.raises(ValueError):
        solve(grid)

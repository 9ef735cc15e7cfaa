import itertools

import pytest

from n_queens import count_solutions, first_solution, is_solution, n_queens, render

COUNTS = {1: 1, 2: 0, 3: 0, 4: 2, 5: 10, 6: 4, 7: 40, 8: 92, 9: 352}


@pytest.mark.parametrize("size, expected", [item for item in COUNTS.items() if item[0] < 9])
def test_the_known_numbers_of_solutions(size, expected):
    solutions = list(n_queens(size))
    assert len(solutions) == len(set(solutions)) == expected
    assert all(is_solution(solution) for solution in solutions)


@pytest.mark.parametrize("size, expected", COUNTS.items())
def test_counting_without_listing(size, expected):
    assert count_solutions(size) == expected


@pytest.mark.parametrize("size", range(1, 7))
def test_solutions_agree_with_trying_every_placement(size):
    assert list(n_queens(size)) == [columns for columns in itertools.permutations(range(size)) if is_solution(columns)]


def test_the_first_solution():
    assert first_solution(4) == (1, 3, 0, 2)
    assert first_solution(8) == (0, 4, 7, 5, 2, 6, 1, 3)
    assert first_solution(3) is None


def test_solutions_come_one_by_one():
    assert is_solution(next(n_queens(14)))


@pytest.mark.parametrize("columns", [(0, 1), (0, 0), (1, 3, 0), (0, 2, 4, 1, 1), (1, 3, 0, 3)])
def test_attacks_are_recognised(columns):
    assert not is_solution(columns)


def test_the_board_as_text():
    assert render((1, 3, 0, 2)) == ". Q . .\n. . . Q\nQ . . .\n. . Q ."


@pytest.mark.parametrize("size, error", [(0, ValueError), (-4, ValueError), (2.0, TypeError), ("8", TypeError), (True, TypeError)])
def test_misuse_is_refused_at_once(size, error):
    with pytest.raises(error, match="size"):
        n_queens(size)
    with pytest.raises(error, match="size"):
        count_solutions(size)

import itertools
import math

import pytest

from pascal_triangle import binomial, main, pascal_row, pascal_triangle, render, rows


def test_the_first_rows():
    assert pascal_triangle(5) == [[1], [1, 1], [1, 2, 1], [1, 3, 3, 1], [1, 4, 6, 4, 1]]


def test_no_rows_and_one():
    assert (pascal_triangle(0), pascal_triangle(1)) == ([], [[1]])


@pytest.mark.parametrize("index", range(40))
def test_one_row_agrees_with_the_triangle_and_the_standard_library(index):
    expected = [math.comb(index, column) for column in range(index + 1)]
    assert pascal_row(index) == pascal_triangle(index + 1)[-1] == expected


def test_rows_sum_to_powers_of_two():
    assert [sum(row) for row in pascal_triangle(12)] == [2**index for index in range(12)]


def test_large_rows_are_exact():
    assert pascal_row(1000)[500] == math.comb(1000, 500)


def test_rows_without_end_are_new_lists():
    source = rows()
    first = next(source)
    first.append(99)
    assert list(itertools.islice(source, 2)) == [[1, 1], [1, 2, 1]]


@pytest.mark.parametrize("n, k, expected", [(5, 2, 10), (5, 0, 1), (5, 5, 1), (5, 6, 0), (0, 0, 1)])
def test_binomial_coefficients(n, k, expected):
    assert binomial(n, k) == expected


def test_the_triangle_as_text():
    assert render(0) == ""
    assert render(4) == "   1\n  1 1\n 1 2 1\n1 3 3 1"


def test_wide_numbers_stay_aligned():
    lines = render(6).splitlines()
    assert lines[0].index("1") == max(len(line) for line in render(6).splitlines()) // 2
    assert [number for line in lines for number in line.split()] == [str(number) for row in pascal_triangle(6) for number in row]


def test_main_prints_rows(capsys):
    main(3)
    assert capsys.readouterr().out == "  1\n 1 1\n1 2 1\n"


@pytest.mark.parametrize("function", [pascal_triangle, pascal_row, render, lambda value: binomial(value, 1), lambda value: binomial(3, value)])
@pytest.mark.parametrize("value, error", [(-1, ValueError), (1.5, TypeError), ("3", TypeError), (True, TypeError)])
def test_misuse_is_refused(function, value, error):
    with pytest.raises(error, match="must"):
        function(value)

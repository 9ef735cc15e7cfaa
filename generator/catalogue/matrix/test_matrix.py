import random
from fractions import Fraction

import pytest

from matrix import Matrix, SingularMatrix

A = Matrix([[1, 2], [3, 4]])
B = Matrix([[0, 1], [1, 0]])


def test_sum_difference_and_multiple():
    assert A + B == Matrix([[1, 3], [4, 4]])
    assert A - A == Matrix([[0, 0], [0, 0]])
    assert A.scale("1/2") == Matrix([["1/2", 1], ["3/2", 2]])


def test_products():
    assert A @ B == Matrix([[2, 1], [4, 3]])
    assert B @ A == Matrix([[3, 4], [1, 2]])
    assert Matrix([[1, 2, 3]]) @ Matrix([[4], [5], [6]]) == Matrix([[32]])
    assert (Matrix([[1], [2]]) @ Matrix([[3, 4, 5]])).shape == (2, 3)


def test_transpose():
    assert Matrix([[1, 2, 3]]).transpose() == Matrix([[1], [2], [3]])
    assert A.transpose().transpose() == A


@pytest.mark.parametrize(
    "rows, expected",
    [([[7]], 7), ([[1, 2], [3, 4]], -2), ([[0, 1], [1, 0]], -1), ([[1, 2], [2, 4]], 0), ([[2, 0, 1], [1, 3, 2], [1, 1, 1]], 0), ([[2, 0, 1], [1, 3, 2], [1, 1, 2]], 6)],
)
def test_determinants(rows, expected):
    assert Matrix(rows).determinant() == expected


def test_inverse_and_powers():
    assert A.inverse() == Matrix([[-2, 1], ["3/2", "-1/2"]])
    assert A**0 == Matrix.identity(2)
    assert A**3 == A @ A @ A
    assert A**-2 == (A @ A).inverse()


def test_the_power_of_this_matrix_holds_fibonacci_numbers():
    assert (Matrix([[1, 1], [1, 0]]) ** 90).to_lists()[0][1] == 2880067194370816120


def test_equations_are_solved_exactly():
    solution = Matrix([[3, 1], [1, 2]]).solve(Matrix([[1], [0]]))
    assert solution == Matrix([[Fraction(2, 5)], [Fraction(-1, 5)]])


def test_the_hilbert_matrix_ruins_floating_point_but_not_this():
    hilbert = Matrix([[Fraction(1, i + j + 1) for j in range(10)] for i in range(10)])
    assert hilbert @ hilbert.inverse() == Matrix.identity(10)


def test_random_matrices_keep_the_laws():
    generator = random.Random(1)
    for _ in range(40):
        x, y, z = (Matrix([[generator.randrange(-5, 6) for _ in range(3)] for _ in range(3)]) for _ in range(3))
        assert (x @ y) @ z == x @ (y @ z)
        assert x @ (y + z) == x @ y + x @ z
        assert (x @ y).transpose() == y.transpose() @ x.transpose()
        assert (x @ y).determinant() == x.determinant() * y.determinant()
        if x.determinant():
            assert x @ x.inverse() == Matrix.identity(3)


@pytest.mark.parametrize("action", [lambda m: m.inverse(), lambda m: m**-1, lambda m: m.solve(Matrix([[1], [1]]))])
def test_singular_matrices_have_no_inverse(action):
    with pytest.raises(SingularMatrix):
        action(Matrix([[1, 2], [2, 4]]))


@pytest.mark.parametrize("rows", [[], [[]], [[1, 2], [3]]])
def test_tables_that_are_no_matrix(rows):
    with pytest.raises(ValueError):
        Matrix(rows)


def test_shapes_must_fit():
    wide = Matrix([[1, 2, 3]])
    for action in (lambda: A + wide, lambda: A @ wide, wide.determinant, wide.inverse, lambda: wide**2, lambda: A.solve(wide)):
        with pytest.raises(ValueError):
            action()
    with pytest.raises(TypeError):
        A + 1


def test_equal_matrices_are_one_key():
    assert len({A, Matrix([[1, 2], [3, 4]]), B}) == 2
    assert A != "matrix"

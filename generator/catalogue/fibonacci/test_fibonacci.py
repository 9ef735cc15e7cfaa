from itertools import islice

import pytest

from fibonacci import fibonacci, fibonacci_sequence, fibonacci_stream, fibonacci_up_to

FIRST = [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89]


@pytest.mark.parametrize("n, expected", [*enumerate(FIRST), (50, 12586269025), (100, 354224848179261915075)])
def test_known_values(n, expected):
    assert fibonacci(n) == expected


def test_the_recurrence_holds():
    for n in range(2, 300):
        assert fibonacci(n) == fibonacci(n - 1) + fibonacci(n - 2)


def test_doubling_and_adding_agree():
    assert [fibonacci(n) for n in range(200)] == fibonacci_sequence(200)


def test_large_numbers_need_no_recursion():
    # Cassini's identity: F(n-1) * F(n+1) - F(n)^2 = (-1)^n
    n = 20_000
    assert fibonacci(n - 1) * fibonacci(n + 1) - fibonacci(n) ** 2 == 1


def test_the_stream_has_no_end_and_starts_afresh():
    assert list(islice(fibonacci_stream(), 12)) == FIRST
    assert next(fibonacci_stream()) == 0


def test_sequences():
    assert fibonacci_sequence(0) == []
    assert fibonacci_sequence(1) == [0]
    assert fibonacci_sequence(12) == FIRST


@pytest.mark.parametrize("limit, expected", [(0, [0]), (1, [0, 1, 1]), (20, FIRST[:8]), (21, FIRST[:9])])
def test_up_to_a_limit(limit, expected):
    assert fibonacci_up_to(limit) == expected


@pytest.mark.parametrize("function", [fibonacci, fibonacci_sequence, fibonacci_up_to])
@pytest.mark.parametrize("argument, error", [(-1, ValueError), (1.5, TypeError), ("3", TypeError), (True, TypeError), (None, TypeError)])
def test_bad_arguments_are_refused(function, argument, error):
    with pytest.raises(error):
        function(argument)

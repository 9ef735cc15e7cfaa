import pytest

from collatz import collatz, longest_start, main, peak, step_count, step_counts, successor


@pytest.mark.parametrize(
    "start, expected",
    [(1, [1]), (2, [2, 1]), (3, [3, 10, 5, 16, 8, 4, 2, 1]), (6, [6, 3, 10, 5, 16, 8, 4, 2, 1])],
)
def test_sequences(start, expected):
    assert list(collatz(start)) == expected


def test_a_long_sequence():
    assert step_count(27) == 111
    assert peak(27) == 9232


@pytest.mark.parametrize("start, steps", [(1, 0), (2, 1), (7, 16), (97, 118), (2**60, 60)])
def test_numbers_of_steps(start, steps):
    assert step_count(start) == steps


def test_each_number_follows_from_the_one_before():
    numbers = list(collatz(97))
    assert all(successor(first) == second for first, second in zip(numbers, numbers[1:], strict=False))
    assert successor(1) == 4


def test_counts_of_all_starts_agree_with_following_each():
    counts = step_counts(2000)
    assert counts[0] == 0
    assert counts[1:] == [step_count(start) for start in range(1, 2001)]


@pytest.mark.parametrize("limit, expected", [(1, (1, 0)), (10, (9, 19)), (100, (97, 118)), (10_000, (6171, 261)), (100_000, (77_031, 350))])
def test_the_longest_sequence_below_a_limit(limit, expected):
    assert longest_start(limit) == expected


def test_numbers_come_one_by_one():
    assert next(collatz(2**100_000)) == 2**100_000


def test_main_prints_a_sequence(capsys):
    main(3)
    assert capsys.readouterr().out == "3 -> 10 -> 5 -> 16 -> 8 -> 4 -> 2 -> 1\n"


@pytest.mark.parametrize("value, error", [(0, ValueError), (-5, ValueError), (1.0, TypeError), ("7", TypeError), (True, TypeError)])
@pytest.mark.parametrize("function", [collatz, step_count, peak, successor, step_counts, longest_start])
def test_misuse_is_refused_at_once(function, value, error):
    with pytest.raises(error, match="must be"):
        function(value)

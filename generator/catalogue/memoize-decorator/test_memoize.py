import pytest

from memoize import memoize


def counting(**options):
    """Return a memoized function and the list of arguments that it was really called with."""
    calls = []

    @memoize(**options)
    def double(value, *, plus=0):
        calls.append(value)
        return value * 2 + plus

    return double, calls


def test_the_same_arguments_compute_once():
    double, calls = counting()
    assert (double(2), double(2), double(3)) == (4, 4, 6)
    assert calls == [2, 3]
    assert (double.cache.hits, double.cache.misses, len(double.cache)) == (1, 2, 2)


def test_keywords_count_in_any_order():
    calls = []

    @memoize
    def join(**parts):
        calls.append(parts)
        return sorted(parts)

    assert join(a=1, b=2) == join(b=2, a=1)
    assert len(calls) == 1
    join(a=1, b=3)
    assert len(calls) == 2


def test_the_least_recently_used_result_leaves_first():
    double, calls = counting(max_size=2)
    double(1)
    double(2)
    double(1)
    double(3)
    assert len(double.cache) == 2
    double(1)
    assert calls == [1, 2, 3]
    double(2)
    assert calls == [1, 2, 3, 2]


def test_none_is_a_result():
    calls = []

    @memoize
    def nothing():
        calls.append(1)

    assert nothing() is None
    assert nothing() is None
    assert calls == [1]


def test_a_failure_is_not_remembered():
    outcomes = iter([ValueError("first"), 7])

    @memoize
    def flaky():
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with pytest.raises(ValueError, match="first"):
        flaky()
    assert (flaky(), flaky()) == (7, 7)


def test_recursion():
    @memoize
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(80) == 23_416_728_348_467_685
    assert fibonacci.cache.misses == 81


def test_equal_values_of_other_types_can_be_kept_apart():
    double, calls = counting()
    double(1)
    double(1.0)
    assert len(calls) == 1
    double, calls = counting(typed=True)
    assert [type(double(value)) for value in (1, 1.0)] == [int, float]
    assert len(calls) == 2


def test_clearing():
    double, calls = counting()
    double(1)
    double.cache.clear()
    double(1)
    assert calls == [1, 1]
    assert (double.cache.hits, double.cache.misses) == (0, 1)


def test_each_function_has_results_of_its_own_and_keeps_its_name():
    one, _ = counting()
    other, calls = counting()
    one(1)
    other(1)
    assert calls == [1]
    assert one.__name__ == "double"


def test_misuse_says_what_is_wrong():
    double, _ = counting()
    with pytest.raises(TypeError, match="double is memoized: its arguments must be hashable"):
        double([1])
    with pytest.raises(TypeError, match="by name"):
        memoize(100)
    for max_size in (0, -1, True, 1.5):
        with pytest.raises(ValueError, match="max_size"):
            memoize(max_size=max_size)

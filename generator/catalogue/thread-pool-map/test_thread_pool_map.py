import itertools
import threading

import pytest

from thread_pool_map import MAX_WORKERS, WORKERS, MapError, Outcome, iter_outcomes, parallel_map


def reciprocal(number):
    return 1 / number


def test_results_are_in_the_order_of_the_items():
    assert parallel_map(lambda number: number * number, range(100)) == [number * number for number in range(100)]


def test_the_order_does_not_depend_on_who_finishes_first():
    second_is_done = threading.Event()

    def work(name):
        if name == "first":
            assert second_is_done.wait(10)
        else:
            second_is_done.set()
        return name

    assert parallel_map(work, ["first", "second"], workers=2) == ["first", "second"]


def test_items_really_run_at_the_same_time():
    barrier = threading.Barrier(3)
    assert parallel_map(lambda _: barrier.wait(10) >= 0, range(3), workers=3) == [True, True, True]


def test_no_more_than_the_workers_run_at_once():
    guard, running, peak = threading.Lock(), [0], [0]

    def work(_):
        with guard:
            running[0] += 1
            peak[0] = max(peak[0], running[0])
        with guard:
            running[0] -= 1

    parallel_map(work, range(200), workers=3)
    assert 1 <= peak[0] <= 3


def test_all_items_are_tried_and_errors_are_collected():
    with pytest.raises(MapError, match="2 of 4 items failed, first item 1: ZeroDivisionError") as caught:
        parallel_map(reciprocal, [1, 0, 2, 0])
    assert [outcome.index for outcome in caught.value.failures] == [1, 3]
    assert [outcome.value for outcome in caught.value.successes] == [1.0, 0.5]


def test_stopping_at_the_first_error_starts_no_further_items():
    started = []

    def work(number):
        started.append(number)
        return 1 / number

    with pytest.raises(MapError) as caught:
        parallel_map(work, itertools.chain([1, 0], itertools.count(1)), workers=1, stop_on_error=True)
    assert len(caught.value.failures) == 1
    assert len(started) < 10


def test_outcomes_hold_item_and_value_or_error():
    good, bad = iter_outcomes(reciprocal, [4, 0])
    assert good == Outcome(0, 4, value=0.25)
    assert good.is_ok and not bad.is_ok
    assert (bad.index, bad.item, type(bad.error)) == (1, 0, ZeroDivisionError)


def test_endless_items_are_taken_only_as_far_as_needed():
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield number

    outcomes = iter_outcomes(str, endless(), workers=2, max_in_flight=4)
    assert [outcome.value for outcome in itertools.islice(outcomes, 3)] == ["0", "1", "2"]
    outcomes.close()
    assert len(taken) <= 3 + 4


def test_none_is_a_result_and_no_items_give_no_results():
    assert parallel_map(lambda _: None, [1, 2]) == [None, None]
    assert parallel_map(reciprocal, []) == []


def test_errors_of_the_items_themselves_pass_through():
    def broken():
        yield 1
        raise OSError("source is unavailable")

    with pytest.raises(OSError, match="source"):
        parallel_map(reciprocal, broken())


def test_threads_end_with_the_map():
    before = threading.active_count()
    parallel_map(reciprocal, range(1, 50))
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", [0, -1, MAX_WORKERS + 1])
def test_senseless_numbers_of_workers_are_refused(workers):
    with pytest.raises(ValueError, match="workers"):
        parallel_map(reciprocal, [1], workers=workers)


def test_the_window_must_hold_every_worker():
    assert 1 <= WORKERS <= MAX_WORKERS
    with pytest.raises(ValueError, match="max_in_flight"):
        iter_outcomes(reciprocal, [1], workers=4, max_in_flight=3)

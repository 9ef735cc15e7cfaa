import asyncio

import pytest

from async_retry import ATTEMPTS, AsyncRetrier, RetryPolicy, async_retry


class Time:
    """A clock that the sleep of the retrier moves."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def failing(times, error=OSError("unavailable"), result="done"):
    calls = []

    async def function(*args):
        calls.append(args)
        if len(calls) <= times:
            raise error
        return result

    return function, calls


def retrier(time, **policy):
    return AsyncRetrier(RetryPolicy(**policy), sleep=time.sleep, clock=time, uniform=lambda low, high: high)


def test_success_needs_no_retry():
    time = Time()
    function, calls = failing(0)
    assert asyncio.run(retrier(time).call(function, 1, 2)) == "done"
    assert (calls, time.slept) == ([(1, 2)], [])


def test_delays_double_up_to_the_maximum():
    time = Time()
    function, calls = failing(5)
    policy = {"attempts": 6, "base_delay_seconds": 1, "max_delay_seconds": 5}
    assert asyncio.run(retrier(time, **policy).call(function)) == "done"
    assert (len(calls), time.slept) == (6, [1, 2, 4, 5, 5])


def test_the_last_error_is_raised_when_the_attempts_are_used_up():
    time = Time()
    function, calls = failing(99)
    with pytest.raises(OSError, match="unavailable"):
        asyncio.run(retrier(time, attempts=3).call(function))
    assert (len(calls), len(time.slept)) == (3, 2)


def test_the_default_number_of_attempts():
    time = Time()
    function, calls = failing(9999)
    with pytest.raises(OSError):
        asyncio.run(retrier(time).call(function))
    assert len(calls) == ATTEMPTS


def test_other_errors_and_cancellation_pass_at_once():
    for error in (KeyError("bug"), asyncio.CancelledError()):
        function, calls = failing(99, error)
        with pytest.raises(type(error)):
            asyncio.run(retrier(Time()).call(function))
        assert len(calls) == 1


def test_jitter_chooses_between_zero_and_the_ceiling():
    asked = []
    time = Time()
    function, _ = failing(2)
    policy = RetryPolicy(attempts=3, base_delay_seconds=1, max_delay_seconds=9)
    uniform = lambda low, high: asked.append((low, high)) or high / 2  # noqa: E731
    asyncio.run(AsyncRetrier(policy, sleep=time.sleep, clock=time, uniform=uniform).call(function))
    assert (asked, time.slept) == ([(0, 1), (0, 2)], [0.5, 1])


def test_jitter_can_be_switched_off():
    time = Time()
    function, _ = failing(1)
    policy = RetryPolicy(attempts=2, base_delay_seconds=3, max_delay_seconds=9, jitter=False)
    asyncio.run(AsyncRetrier(policy, sleep=time.sleep, clock=time).call(function))
    assert time.slept == [3]


def test_a_delay_past_the_deadline_is_not_taken():
    time = Time()
    function, calls = failing(99)
    policy = {"attempts": 99, "base_delay_seconds": 1, "max_delay_seconds": 60, "deadline_seconds": 7}
    with pytest.raises(OSError):
        asyncio.run(retrier(time, **policy).call(function))
    assert (len(calls), time.slept) == (4, [1, 2, 4])


def test_an_attempt_that_hangs_is_cut_off_and_tried_again():
    time, calls = Time(), []

    async def hangs_once():
        calls.append(1)
        if len(calls) == 1:
            await asyncio.Event().wait()
        return "done"

    assert asyncio.run(retrier(time, attempts=2, attempt_timeout_seconds=0.01).call(hangs_once)) == "done"
    assert len(calls) == 2


def test_on_retry_is_called_before_each_delay():
    seen, time = [], Time()
    function, _ = failing(2)
    policy = RetryPolicy(attempts=3, base_delay_seconds=1, max_delay_seconds=9, jitter=False)
    report = lambda failures, delay, error: seen.append((failures, delay, str(error)))  # noqa: E731
    asyncio.run(AsyncRetrier(policy, on_retry=report, sleep=time.sleep, clock=time).call(function))
    assert seen == [(1, 1, "unavailable"), (2, 2, "unavailable")]


def test_the_decorator_keeps_name_and_arguments():
    time, calls = Time(), []

    @async_retry(RetryPolicy(attempts=2, retry_on=(ValueError,)), sleep=time.sleep, clock=time)
    async def fetch(name, *, size):
        """Fetch."""
        calls.append((name, size))
        if len(calls) == 1:
            raise ValueError
        return name * size

    assert asyncio.run(fetch("ab", size=2)) == "abab"
    assert (fetch.__name__, fetch.__doc__, calls) == ("fetch", "Fetch.", [("ab", 2), ("ab", 2)])


def test_huge_numbers_of_failures_do_not_overflow():
    assert RetryPolicy(max_delay_seconds=30).ceiling(5000) == 30


@pytest.mark.parametrize(
    "settings",
    [
        {"attempts": 0},
        {"base_delay_seconds": -1},
        {"max_delay_seconds": -1},
        {"factor": 0.5},
        {"deadline_seconds": 0},
        {"attempt_timeout_seconds": -1},
    ],
)
def test_senseless_policies_are_refused(settings):
    with pytest.raises(ValueError):
        RetryPolicy(**settings)

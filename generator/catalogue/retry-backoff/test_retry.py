import pytest

from retry import ATTEMPTS, Backoff, call_with_retry, retry


class Flaky:
    """Fails a number of times, then returns its arguments."""

    def __init__(self, failures, error=OSError):
        self.failures = failures
        self.error = error
        self.calls = 0

    def __call__(self, *args):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"failure {self.calls}")
        return args


class Time:
    def __init__(self):
        self.now = 0.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def clock(self):
        return self.now


PLAIN = Backoff(attempts=4, base_seconds=1, jitter=False)


def run(function, backoff=PLAIN, **settings):
    fake = Time()
    try:
        result = call_with_retry(function, backoff=backoff, sleep=fake.sleep, clock=fake.clock, **settings)
    except Exception as error:
        result = error
    return result, fake.slept


def test_success_needs_no_wait():
    assert run(Flaky(0)) == ((), [])


def test_waits_double_until_it_works():
    function = Flaky(3)
    assert run(function) == ((), [1, 2, 4])
    assert function.calls == 4


def test_without_settings_a_call_is_tried_as_often_as_the_constant_says():
    function = Flaky(10**9)
    with pytest.raises(OSError):
        call_with_retry(function, sleep=lambda _: None)
    assert function.calls == ATTEMPTS


def test_the_last_error_comes_out_when_attempts_are_used_up():
    function = Flaky(99)
    result, slept = run(function)
    assert str(result) == "failure 4"
    assert (function.calls, slept) == (4, [1, 2, 4])


def test_other_errors_pass_at_once():
    function = Flaky(1, error=KeyError)
    result, slept = run(function)
    assert isinstance(result, KeyError)
    assert (function.calls, slept) == (1, [])


def test_waits_are_capped_even_where_the_power_overflows():
    assert Backoff(base_seconds=1, max_seconds=5, jitter=False).delay(50) == 5
    assert Backoff(base_seconds=1, factor=10, max_seconds=5, jitter=False).delay(10_000) == 5


def test_jitter_stays_between_zero_and_the_ceiling():
    backoff = Backoff(base_seconds=2, max_seconds=100)
    asked = []
    backoff.delay(3, uniform=lambda low, high: asked.append((low, high)) or low)
    assert asked == [(0, 8)]
    assert all(0 <= backoff.delay(3) <= 8 for _ in range(200))


def test_a_wait_past_the_deadline_is_not_taken():
    backoff = Backoff(attempts=10, base_seconds=1, deadline_seconds=4, jitter=False)
    function = Flaky(99)
    result, slept = run(function, backoff)
    assert slept == [1, 2]
    assert str(result) == "failure 3"


def test_every_wait_is_reported():
    seen = []
    run(Flaky(2), on_retry=lambda failures, delay, error: seen.append((failures, delay, str(error))))
    assert seen == [(1, 1, "failure 1"), (2, 2, "failure 2")]


def test_the_decorator_passes_arguments_and_keeps_the_name():
    fake = Time()
    attempts = []

    @retry(backoff=PLAIN, sleep=fake.sleep, clock=fake.clock)
    def greet(name, *, mark):
        """Greet somebody."""
        attempts.append(name)
        if len(attempts) < 2:
            raise OSError
        return name + mark

    assert greet("ada", mark="!") == "ada!"
    assert (greet.__name__, greet.__doc__) == ("greet", "Greet somebody.")


@pytest.mark.parametrize("settings", [{"attempts": 0}, {"base_seconds": -1}, {"max_seconds": -1}, {"factor": 0.5}])
def test_senseless_settings_are_refused(settings):
    with pytest.raises(ValueError):
        Backoff(**settings)

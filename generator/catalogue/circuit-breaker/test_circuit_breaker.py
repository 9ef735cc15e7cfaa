import pytest

from circuit_breaker import FAILURE_THRESHOLD, RECOVERY_SECONDS, SUCCESS_THRESHOLD, CircuitBreaker, CircuitOpen, State


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Dependency:
    calls = 0
    error = ConnectionError("down")

    def __call__(self, value=1):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return value


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def dependency():
    return Dependency()


@pytest.fixture
def breaker(clock):
    settings = {"failure_threshold": 3, "recovery_seconds": 10, "success_threshold": 1}
    return CircuitBreaker(failures=ConnectionError, clock=clock, **settings)


def fail(breaker, dependency, times):
    for _ in range(times):
        with pytest.raises(ConnectionError):
            breaker.call(dependency)


def test_consecutive_failures_open_the_circuit(breaker, dependency):
    fail(breaker, dependency, 3)
    with pytest.raises(CircuitOpen, match="circuit is open") as refusal:
        breaker.call(dependency)
    assert refusal.value.retry_after_seconds == 10
    assert dependency.calls == 3


def test_a_success_starts_the_count_again(breaker, dependency):
    fail(breaker, dependency, 2)
    breaker.call(int)
    fail(breaker, dependency, 2)
    assert breaker.state is State.CLOSED


def test_a_successful_probe_closes_the_circuit(breaker, dependency, clock):
    fail(breaker, dependency, 3)
    clock.now += 9.9
    assert breaker.state is State.OPEN
    clock.now += 0.1
    assert breaker.state is State.HALF_OPEN
    dependency.error = None
    assert breaker.call(dependency, value=7) == 7
    assert breaker.state is State.CLOSED


def test_a_failed_probe_opens_the_circuit_for_another_pause(breaker, dependency, clock):
    fail(breaker, dependency, 3)
    clock.now += 10
    fail(breaker, dependency, 1)
    clock.now += 9
    with pytest.raises(CircuitOpen, match="1.0 seconds"):
        breaker.call(dependency)


def test_several_probes_may_be_demanded(dependency, clock):
    breaker = CircuitBreaker(failure_threshold=1, recovery_seconds=10, success_threshold=2, clock=clock)
    fail(breaker, dependency, 1)
    clock.now += 10
    breaker.call(int)
    assert breaker.state is State.HALF_OPEN
    breaker.call(int)
    assert breaker.state is State.CLOSED


def test_other_exceptions_are_no_failures(breaker, dependency, clock):
    dependency.error = ValueError("the caller's mistake")
    for _ in range(5):
        with pytest.raises(ValueError):
            breaker.call(dependency)
    assert breaker.state is State.CLOSED
    dependency.error = ConnectionError()
    fail(breaker, dependency, 3)
    clock.now += 10
    with pytest.raises(ValueError):
        breaker.call(int, "a probe that ends otherwise")
    assert breaker.call(int) == 0


def test_only_one_probe_passes_at_a_time(breaker, dependency, clock):
    fail(breaker, dependency, 3)
    clock.now += 10

    def probe():
        with pytest.raises(CircuitOpen):
            breaker.call(dependency)
        return "probed"

    assert breaker.call(probe) == "probed"
    assert dependency.calls == 3


def test_a_call_that_began_before_the_circuit_opened_does_not_close_it(breaker, dependency, clock):
    def slow():
        fail(breaker, dependency, 3)
        clock.now += 10
        fail(breaker, dependency, 1)
        return "late"

    assert breaker.call(slow) == "late"
    assert breaker.state is State.OPEN


def test_a_decorated_function_is_guarded(breaker, dependency):
    @breaker
    def charge(amount):
        """Charge a card."""
        return dependency(amount)

    fail(breaker, dependency, 3)
    with pytest.raises(CircuitOpen):
        charge(5)
    breaker.reset()
    dependency.error = None
    assert charge(5) == 5
    assert (charge.__name__, charge.__doc__) == ("charge", "Charge a card.")


def test_changes_are_reported_and_the_listener_may_use_the_breaker(dependency, clock):
    seen = []

    def listener(before, after):
        seen.append([before, after, breaker.state])

    breaker = CircuitBreaker(failure_threshold=1, clock=clock, on_change=listener)
    fail(breaker, dependency, 1)
    breaker.reset()
    assert seen == [[State.CLOSED, State.OPEN, State.OPEN], [State.OPEN, State.CLOSED, State.CLOSED]]


def test_defaults_come_from_the_constants(dependency, clock):
    breaker = CircuitBreaker(clock=clock)
    fail(breaker, dependency, FAILURE_THRESHOLD)
    assert breaker.state is State.OPEN
    clock.now += RECOVERY_SECONDS
    for _ in range(SUCCESS_THRESHOLD):
        assert breaker.state is State.HALF_OPEN
        breaker.call(int)
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("setting", [{"failure_threshold": 0}, {"recovery_seconds": 0}, {"success_threshold": 0}])
def test_senseless_settings_are_refused(setting):
    with pytest.raises(ValueError, match="must be"):
        CircuitBreaker(**setting)

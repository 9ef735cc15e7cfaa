"""A circuit breaker: stop calling a dependency that keeps failing, and probe it after a pause."""

import enum
import functools
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

FAILURE_THRESHOLD = 5
RECOVERY_SECONDS = 30
SUCCESS_THRESHOLD = 1


class State(enum.Enum):
    """What the breaker does with a call: pass it, refuse it, or pass one at a time as a probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitOpen(Exception):
    """The call was refused without being made; `retry_after_seconds` says when a probe may pass."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"the circuit is open; try again in {retry_after_seconds:.1f} seconds")
        self.retry_after_seconds = retry_after_seconds


class CircuitBreaker:
    """Open after `failure_threshold` consecutive failures, probe after `recovery_seconds`, close after successes."""

    def __init__(
        self,
        *,
        failure_threshold: int = FAILURE_THRESHOLD,
        recovery_seconds: float = RECOVERY_SECONDS,
        success_threshold: int = SUCCESS_THRESHOLD,
        failures: type[Exception] | tuple[type[Exception], ...] = Exception,
        on_change: Callable[[State, State], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if failure_threshold < 1 or success_threshold < 1:
            raise ValueError("failure_threshold and success_threshold must be at least 1")
        if recovery_seconds <= 0:
            raise ValueError("recovery_seconds must be positive")
        self._failure_threshold = failure_threshold
        self._recovery_seconds = recovery_seconds
        self._success_threshold = success_threshold
        self._failures = failures
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._count = 0  # consecutive failures while closed, successful probes while half-open
        self._opened_at = 0.0
        self._probing = False
        self._period = 0  # a call that began in an earlier state must not judge the present one

    @property
    def state(self) -> State:
        """The present state; an open circuit whose pause is over reports half-open."""
        with self._lock:
            is_due = self._state is State.OPEN and self._wait() <= 0
            return State.HALF_OPEN if is_due else self._state

    def call(
        self, function: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call `function`, or raise `CircuitOpen`. Exceptions of the function pass through."""
        period = self._enter()
        try:
            result = function(*args, **kwargs)
        except self._failures:
            self._leave(period, succeeded=False)
            raise
        except BaseException:
            # Neither a failure of the dependency nor a success: a probe is only given back.
            self._leave(period, succeeded=None)
            raise
        self._leave(period, succeeded=True)
        return result

    def __call__(self, function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        """Decorate a function so that every call of it passes through the breaker."""

        @functools.wraps(function)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            return self.call(function, *args, **kwargs)

        return guarded

    def reset(self) -> None:
        """Close the circuit, whatever its state."""
        self._transition(lambda: self._become(State.CLOSED))

    def _wait(self) -> float:
        return self._opened_at + self._recovery_seconds - self._clock()

    def _enter(self) -> int:
        def admit() -> None:
            if self._state is State.OPEN:
                if self._wait() > 0:
                    raise CircuitOpen(self._wait())
                self._become(State.HALF_OPEN)
            if self._state is State.HALF_OPEN:
                if self._probing:
                    raise CircuitOpen(0.0)
                self._probing = True

        return self._transition(admit)

    def _leave(self, period: int, *, succeeded: bool | None) -> None:
        def judge() -> None:
            if period != self._period:
                return
            self._probing = False
            if succeeded is None:
                return
            if self._state is State.HALF_OPEN:
                self._judge_probe(succeeded)
                return
            self._count = 0 if succeeded else self._count + 1
            if self._count >= self._failure_threshold:
                self._become(State.OPEN)

        self._transition(judge)

    def _judge_probe(self, succeeded: bool) -> None:
        if not succeeded:
            self._become(State.OPEN)
            return
        self._count += 1
        if self._count >= self._success_threshold:
            self._become(State.CLOSED)

    def _become(self, state: State) -> None:
        self._state = state
        self._count = 0
        self._probing = False
        self._period += 1
        if state is State.OPEN:
            self._opened_at = self._clock()

    def _transition(self, change: Callable[[], None]) -> int:
        with self._lock:
            before = self._state
            change()
            after, period = self._state, self._period
        # Outside the lock, so that the callback may use the breaker.
        if self._on_change is not None and before is not after:
            self._on_change(before, after)
        return period

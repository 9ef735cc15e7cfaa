"""Await a call again after transient failures: exponential backoff, full jitter, a deadline, a timeout for each attempt."""

import asyncio
import functools
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ATTEMPTS = 5
BASE_DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 30.0


@dataclass(frozen=True)
class RetryPolicy:
    """How often to try, what to retry and how long to wait in between; times are in seconds."""

    attempts: int = ATTEMPTS
    base_delay_seconds: float = BASE_DELAY_SECONDS
    max_delay_seconds: float = MAX_DELAY_SECONDS
    factor: float = 2.0
    jitter: bool = True
    attempt_timeout_seconds: float | None = None
    deadline_seconds: float | None = None
    retry_on: tuple[type[Exception], ...] = (OSError, asyncio.TimeoutError)

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")
        if self.base_delay_seconds < 0 or self.max_delay_seconds < 0:
            raise ValueError("delays must not be negative")
        if self.factor < 1:
            raise ValueError("factor must be at least 1")
        for name in ("attempt_timeout_seconds", "deadline_seconds"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be positive, or None")

    def ceiling(self, failures: int) -> float:
        """Return the longest delay after that many failures (1 or more)."""
        try:
            grown = self.base_delay_seconds * self.factor ** (failures - 1)
        except OverflowError:
            return self.max_delay_seconds
        return min(self.max_delay_seconds, grown)


class AsyncRetrier:
    """Apply a policy to calls. Sleep, clock and randomness can be replaced, so that tests neither wait nor guess."""

    def __init__(
        self,
        policy: RetryPolicy = RetryPolicy(),
        *,
        on_retry: Callable[[int, float, Exception], object] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.policy = policy
        self._on_retry = on_retry
        self._sleep = sleep
        self._clock = clock
        self._uniform = uniform

    async def call(
        self, function: Callable[Parameters, Awaitable[Result]], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Return `await function(...)`, trying again on the errors of the policy; in the end raise the last one.

        Other errors and cancellation pass at once. `on_retry(failures, delay, error)` is called before each delay.
        """
        started_at = self._clock()
        failures = 0
        while True:
            try:
                return await asyncio.wait_for(function(*args, **kwargs), self.policy.attempt_timeout_seconds)
            except self.policy.retry_on as error:
                failures += 1
                delay = self._delay(failures, self._clock() - started_at)
                if delay is None:
                    raise
                if self._on_retry is not None:
                    self._on_retry(failures, delay, error)
            await self._sleep(delay)

    def _delay(self, failures: int, elapsed: float) -> float | None:
        """Return how long to wait, or None to give up."""
        if failures >= self.policy.attempts:
            return None
        ceiling = self.policy.ceiling(failures)
        delay = self._uniform(0, ceiling) if self.policy.jitter else ceiling
        deadline = self.policy.deadline_seconds
        # A delay that ends past the deadline only postpones the error.
        return None if deadline is not None and elapsed + delay > deadline else delay


def async_retry(
    policy: RetryPolicy = RetryPolicy(), **settings: Any
) -> Callable[[Callable[Parameters, Awaitable[Result]]], Callable[Parameters, Awaitable[Result]]]:
    """Return a decorator for coroutine functions; `settings` are those of `AsyncRetrier`."""
    retrier = AsyncRetrier(policy, **settings)

    def decorate(function: Callable[Parameters, Awaitable[Result]]) -> Callable[Parameters, Awaitable[Result]]:
        @functools.wraps(function)
        async def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            return await retrier.call(function, *args, **kwargs)

        return wrapper

    return decorate

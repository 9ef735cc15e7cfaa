"""Call a function again after transient failures: exponential backoff, full jitter, a deadline."""

import functools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ATTEMPTS = 5
BASE_DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 30.0


@dataclass(frozen=True)
class Backoff:
    """How often to try and how long to wait in between; times are in seconds."""

    attempts: int = ATTEMPTS
    base_seconds: float = BASE_DELAY_SECONDS
    factor: float = 2.0
    max_seconds: float = MAX_DELAY_SECONDS
    deadline_seconds: float | None = None
    jitter: bool = True

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")
        if self.base_seconds < 0 or self.max_seconds < 0:
            raise ValueError("waiting times must not be negative")
        if self.factor < 1:
            raise ValueError("factor must be at least 1")

    def ceiling(self, failures: int) -> float:
        """Return the longest wait after that many failures (1 or more)."""
        try:
            grown = self.base_seconds * self.factor ** (failures - 1)
        except OverflowError:
            return self.max_seconds
        return min(self.max_seconds, grown)

    def delay(self, failures: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """Return the wait to take; with jitter anywhere from 0 to the ceiling, so that callers spread out."""
        ceiling = self.ceiling(failures)
        return uniform(0, ceiling) if self.jitter else ceiling


def call_with_retry(
    function: Callable[[], Result],
    *,
    backoff: Backoff = Backoff(),
    retry_on: tuple[type[Exception], ...] = (OSError,),
    on_retry: Callable[[int, float, Exception], object] | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Return `function()`; on an exception in `retry_on` wait and try again, in the end raise the last one.

    `on_retry(failures, delay, error)` is called before every wait. Exceptions outside `retry_on` pass at once.
    """
    started_at = clock()
    failures = 0
    while True:
        try:
            return function()
        except retry_on as error:
            failures += 1
            if failures >= backoff.attempts:
                raise
            delay = backoff.delay(failures)
            limit = backoff.deadline_seconds
            # A wait that ends past the deadline only postpones the bad news.
            if limit is not None and clock() - started_at + delay > limit:
                raise
            if on_retry is not None:
                on_retry(failures, delay, error)
            sleep(delay)


def retry(**settings: Any) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Return a decorator that applies `call_with_retry` with these settings."""

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @functools.wraps(function)
        def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            return call_with_retry(lambda: function(*args, **kwargs), **settings)

        return wrapper

    return decorate

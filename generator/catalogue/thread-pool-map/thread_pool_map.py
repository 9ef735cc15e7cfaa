"""Map a function over items with a pool of threads: results in order, errors collected, work in flight bounded."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKERS = 8
MAX_WORKERS = 256


@dataclass(frozen=True)
class Outcome(Generic[Item, Result]):
    """What became of one item: a value or an error."""

    index: int
    item: Item
    value: Result | None = None
    error: Exception | None = None

    @property
    def is_ok(self) -> bool:
        """Whether the function returned."""
        return self.error is None


class MapError(Exception):
    """The function failed for some items; `failures` holds their outcomes, `successes` all others."""

    def __init__(self, failures: list[Outcome], successes: list[Outcome]) -> None:
        first = failures[0]
        total = len(failures) + len(successes)
        super().__init__(f"{len(failures)} of {total} items failed, first item {first.index}: {first.error!r}")
        self.failures = failures
        self.successes = successes


def iter_outcomes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = WORKERS,
    max_in_flight: int | None = None,
) -> Iterator[Outcome[Item, Result]]:
    """Yield the outcome of each item in the order of the items, while later items are being worked on.

    At most `max_in_flight` items (by default twice the workers) are taken from `items` ahead of the consumer, so that
    `items` may be endless. Items that have not begun are dropped when the consumer stops early.
    """
    in_flight = 2 * workers if max_in_flight is None else max_in_flight
    if not 1 <= workers <= MAX_WORKERS:
        raise ValueError(f"workers must be from 1 to {MAX_WORKERS}")
    if in_flight < workers:
        raise ValueError("max_in_flight must not be less than workers")
    return _outcomes(function, enumerate(items), workers, in_flight)


def _outcomes(
    function: Callable[[Item], Result], numbered: Iterator[tuple[int, Item]], workers: int, in_flight: int
) -> Iterator[Outcome[Item, Result]]:
    pool = ThreadPoolExecutor(max_workers=workers)
    pending: deque[tuple[int, Item, Future[Result]]] = deque()
    try:
        for index, item in islice(numbered, in_flight):
            pending.append((index, item, pool.submit(function, item)))
        while pending:
            yield _outcome(*pending.popleft())
            for index, item in islice(numbered, 1):
                pending.append((index, item, pool.submit(function, item)))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _outcome(index: int, item: Item, future: "Future[Result]") -> Outcome[Item, Result]:
    # The error of an interrupt (BaseException) is raised here and ends the whole map.
    try:
        return Outcome(index, item, value=future.result())
    except Exception as error:
        return Outcome(index, item, error=error)


def parallel_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = WORKERS,
    stop_on_error: bool = False,
) -> list[Result]:
    """Return the results in the order of the items.

    Raises `MapError` if the function failed for some of them: after all have been tried, or with `stop_on_error` at the
    first failure in the order of the items, without starting further ones.
    """
    failures: list[Outcome[Item, Result]] = []
    successes: list[Outcome[Item, Result]] = []
    outcomes = iter_outcomes(function, items, workers=workers)
    try:
        for outcome in outcomes:
            (successes if outcome.is_ok else failures).append(outcome)
            if failures and stop_on_error:
                break
    finally:
        outcomes.close()  # type: ignore[attr-defined]
    if failures:
        raise MapError(failures, successes)
    # A function may return None, so the value is taken as it is.
    return [outcome.value for outcome in successes]  # type: ignore[misc]

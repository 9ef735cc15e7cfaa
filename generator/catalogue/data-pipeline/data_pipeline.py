"""A fast, lazy pipeline over records: named stages work on chunks, and each stage is measured."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import length_hint
from typing import Any

CHUNK_SIZE = 1000
MAX_ERRORS = 0

# Appends the results to the list; it is resumed with the rest of the iterator after an error.
StageBody = Callable[[Iterator[Any], list[Any]], None]


@dataclass(frozen=True)
class _Stage:
    name: str
    body: StageBody
    takes_chunks: bool = False


class StageError(Exception):
    """A stage failed for an item; `stage`, `item` and the error as `__cause__` tell where."""

    def __init__(self, stage: str, item: Any, error: Exception) -> None:
        super().__init__(f"stage {stage!r} failed for {repr(item)[:200]}: {error!r}")
        self.stage = stage
        self.item = item
        self.error = error


@dataclass
class StageReport:
    """What a stage has done so far."""

    name: str
    items_in: int = 0
    items_out: int = 0
    seconds: float = 0.0

    @property
    def items_per_second(self) -> float:
        """Items taken in per second of this stage's own time; infinite if none was measured."""
        return self.items_in / self.seconds if self.seconds else float("inf")


@dataclass
class Report:
    """What a run has done so far; `errors` holds the items that were skipped."""

    stages: list[StageReport]
    source_seconds: float = 0.0
    errors: list[StageError] = field(default_factory=list)

    @property
    def slowest(self) -> StageReport | None:
        """The stage that took most time: the one worth optimizing."""
        return max(self.stages, key=lambda stage: stage.seconds, default=None)

    def __str__(self) -> str:
        lines = [f"{'stage':<20}{'in':>12}{'out':>12}{'seconds':>12}"]
        lines.append(f"{'(source)':<20}{'':>24}{self.source_seconds:>12.3f}")
        for stage in self.stages:
            lines.append(f"{stage.name:<20}{stage.items_in:>12}{stage.items_out:>12}{stage.seconds:>12.3f}")
        return "\n".join([*lines, f"{len(self.errors)} items skipped after an error"])


class Pipeline:
    """An immutable list of stages. Each method returns a longer pipeline; nothing runs before `run`."""

    def __init__(self, stages: tuple[_Stage, ...] = ()) -> None:
        self._stages = stages

    def _with(self, stage: _Stage) -> "Pipeline":
        if not stage.name or any(stage.name == known.name for known in self._stages):
            raise ValueError(f"a stage needs a name of its own: {stage.name!r}")
        return Pipeline((*self._stages, stage))

    def map(self, name: str, function: Callable[[Any], Any]) -> "Pipeline":
        """Replace each item by `function(item)`."""

        def body(items: Iterator[Any], results: list[Any]) -> None:
            append = results.append
            for item in items:
                append(function(item))

        return self._with(_Stage(name, body))

    def filter(self, name: str, predicate: Callable[[Any], object]) -> "Pipeline":
        """Keep the items for which `predicate(item)` is true."""

        def body(items: Iterator[Any], results: list[Any]) -> None:
            append = results.append
            for item in items:
                if predicate(item):
                    append(item)

        return self._with(_Stage(name, body))

    def flat_map(self, name: str, function: Callable[[Any], Iterable[Any]]) -> "Pipeline":
        """Replace each item by all items of `function(item)`."""

        def body(items: Iterator[Any], results: list[Any]) -> None:
            for item in items:
                # A list first, so that an item that fails half-way leaves nothing behind.
                results.extend(list(function(item)))

        return self._with(_Stage(name, body))

    def map_chunk(self, name: str, function: Callable[[list[Any]], Iterable[Any]]) -> "Pipeline":
        """Replace each chunk by `function(chunk)`: for bulk queries and writes."""

        def body(items: Iterator[Any], results: list[Any]) -> None:
            chunk = list(items)
            if chunk:
                results.extend(list(function(chunk)))

        return self._with(_Stage(name, body, takes_chunks=True))

    def run(
        self,
        source: Iterable[Any],
        *,
        chunk_size: int = CHUNK_SIZE,
        max_errors: int = MAX_ERRORS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> "Run":
        """Return the results as an iterator that works as it is consumed, with a report of what was done.

        Items that fail are skipped up to `max_errors` times; the next failure raises `StageError`.
        """
        if chunk_size < 1:
            raise ValueError("chunk_size must be at least 1")
        if max_errors < 0:
            raise ValueError("max_errors must not be negative")
        return Run(self._stages, source, chunk_size, max_errors, clock)


def _chunks(source: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while chunk := list(islice(source, size)):
        yield chunk


class Run:
    """One run of a pipeline: an iterator over the results. `report` is up to date at any time."""

    def __init__(
        self,
        stages: tuple[_Stage, ...],
        source: Iterable[Any],
        chunk_size: int,
        max_errors: int,
        clock: Callable[[], float],
    ) -> None:
        self._stages = stages
        self._max_errors = max_errors
        self._clock = clock
        self.report = Report([StageReport(stage.name) for stage in stages])
        self._results = self._work(_chunks(iter(source), chunk_size))

    def __iter__(self) -> Iterator[Any]:
        return self._results

    def _work(self, chunks: Iterator[list[Any]]) -> Iterator[Any]:
        while True:
            started_at = self._clock()
            chunk = next(chunks, None)
            self.report.source_seconds += self._clock() - started_at
            if chunk is None:
                return
            for stage, report in zip(self._stages, self.report.stages):
                chunk = self._run_stage(stage, report, chunk)
            yield from chunk

    def _run_stage(self, stage: _Stage, report: StageReport, chunk: list[Any]) -> list[Any]:
        """Run one stage on one chunk: the clock is read twice a chunk, which costs next to nothing for each item."""
        results: list[Any] = []
        remaining = iter(chunk)
        started_at = self._clock()
        try:
            while True:
                try:
                    stage.body(remaining, results)
                    return results
                except Exception as error:
                    # The failed item is the last one taken; keeping count of it in the loop would slow every item down.
                    item = chunk if stage.takes_chunks else chunk[len(chunk) - length_hint(remaining) - 1]
                    failure = StageError(stage.name, item, error)
                    if len(self.report.errors) >= self._max_errors:
                        raise failure from error
                    self.report.errors.append(failure)
        finally:
            report.seconds += self._clock() - started_at
            report.items_in += len(chunk)
            report.items_out += len(results)

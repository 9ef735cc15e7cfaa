"""An in-process job queue: priorities, delays, and retries with backoff. The caller runs the jobs, so the clock decides."""

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

MAX_ATTEMPTS = 3
RETRY_DELAY_SECONDS = 1.0
MAX_RETRY_DELAY_SECONDS = 300.0
MAX_FINISHED_KEPT = 1000


class Status(Enum):
    """The state of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class Job:
    """A call that is to be made, and what became of it."""

    number: int
    call: Callable[[], Any]
    priority: int
    max_attempts: int
    status: Status = Status.WAITING
    attempts: int = 0
    result: Any = None
    errors: list[Exception] = field(default_factory=list)


class JobQueue:
    """Run jobs when they are due: the highest priority first, in the order of submission among equals."""

    def __init__(
        self,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        retry_delay_seconds: float = RETRY_DELAY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_attempts < 1:
            raise ValueError("max_attempts must be at least 1")
        if retry_delay_seconds < 0:
            raise ValueError("retry_delay_seconds must not be negative")
        self._max_attempts = max_attempts
        self._retry_delay = retry_delay_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        # Entries are (due time, number, job) and (negative priority, number, job): jobs themselves are never compared.
        self._delayed: list[tuple[float, int, Job]] = []
        self._ready: list[tuple[int, int, Job]] = []
        self._finished: deque[Job] = deque(maxlen=MAX_FINISHED_KEPT)

    def submit(
        self, call: Callable[[], Any], *, priority: int = 0, delay_seconds: float = 0, max_attempts: int | None = None
    ) -> Job:
        """Add a job that is due in `delay_seconds`; higher priorities run first."""
        if not callable(call):
            raise TypeError("call must be callable")
        attempts = self._max_attempts if max_attempts is None else max_attempts
        if delay_seconds < 0 or attempts < 1:
            raise ValueError("delay_seconds must be 0 or more, max_attempts 1 or more")
        with self._lock:
            job = Job(next(self._numbers), call, priority, attempts)
            heapq.heappush(self._delayed, (self._clock() + delay_seconds, job.number, job))
        return job

    def cancel(self, job: Job) -> bool:
        """Cancel a waiting job; return whether it was still waiting."""
        with self._lock:
            if job.status is not Status.WAITING:
                return False
            job.status = Status.CANCELLED
            self._finished.append(job)
            return True

    def _take(self) -> Job | None:
        """Return the next due job and mark it as running."""
        with self._lock:
            now = self._clock()
            while self._delayed and self._delayed[0][0] <= now:
                _, number, job = heapq.heappop(self._delayed)
                heapq.heappush(self._ready, (-job.priority, number, job))
            while self._ready:
                job = heapq.heappop(self._ready)[2]
                if job.status is Status.WAITING:
                    job.status = Status.RUNNING
                    job.attempts += 1
                    return job
        return None

    def run_next(self) -> Job | None:
        """Run the next due job in this thread and return it, or None if no job is due. Errors of the job are kept in it."""
        job = self._take()
        if job is None:
            return None
        try:
            result = job.call()
        except Exception as error:
            self._fail(job, error)
        except BaseException:
            # An interrupt ends the job, so that it is not lost in the running state.
            self._finish(job, Status.FAILED)
            raise
        else:
            job.result = result
            self._finish(job, Status.DONE)
        return job

    def run_due(self, limit: int | None = None) -> int:
        """Run jobs until none is due, or `limit` have run; return how many did."""
        ran = 0
        while ran != limit and self.run_next() is not None:
            ran += 1
        return ran

    def _finish(self, job: Job, status: Status) -> None:
        with self._lock:
            job.status = status
            self._finished.append(job)

    def _fail(self, job: Job, error: Exception) -> None:
        job.errors.append(error)
        if job.attempts >= job.max_attempts:
            self._finish(job, Status.FAILED)
            return
        # Bounded before the power is taken, because 2.0 ** 2000 overflows.
        doublings = min(job.attempts - 1, 64)
        delay = min(self._retry_delay * 2.0**doublings, MAX_RETRY_DELAY_SECONDS)
        with self._lock:
            job.status = Status.WAITING
            heapq.heappush(self._delayed, (self._clock() + delay, job.number, job))

    def seconds_until_due(self) -> float | None:
        """Return how long a worker may wait before the next job is due; None if no job is waiting."""
        with self._lock:
            if any(job.status is Status.WAITING for _, _, job in self._ready):
                return 0.0
            due = min((at for at, _, job in self._delayed if job.status is Status.WAITING), default=None)
            return None if due is None else max(0.0, due - self._clock())

    def finished(self) -> list[Job]:
        """Return the latest jobs that are done, failed or cancelled, the oldest first."""
        with self._lock:
            return list(self._finished)

    def __len__(self) -> int:
        """Return the number of waiting jobs."""
        with self._lock:
            return sum(entry[2].status is Status.WAITING for entry in [*self._ready, *self._delayed])

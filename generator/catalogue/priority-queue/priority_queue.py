"""A priority queue of tasks: lowest number first, first in first out among equals."""

import heapq
from collections.abc import Hashable, Iterator
from itertools import count
from typing import Any, Generic, TypeVar

Task = TypeVar("Task", bound=Hashable)


class PriorityQueue(Generic[Task]):
    """Hold each task once; tasks must be hashable. Push, pop and cancel take O(log n) amortised."""

    def __init__(self) -> None:
        # An entry: priority, order, task, and whether it is live.
        self._heap: list[list[Any]] = []
        # task -> its live heap entry; entries of cancelled tasks stay in the heap until they surface.
        self._entries: dict[Task, list[Any]] = {}
        self._order = count()

    def push(self, task: Task, priority: Any = 0) -> None:
        """Add `task`; raise `ValueError` if it is already waiting."""
        if task in self._entries:
            raise ValueError("the task is already waiting")
        if priority != priority:
            raise ValueError("the priority is not a number that can be compared")
        entry = [priority, next(self._order), task, True]
        # Pushing compares priorities and may raise; only then is the task taken in.
        heapq.heappush(self._heap, entry)
        self._entries[task] = entry

    def pop(self) -> Task:
        """Remove and return the most urgent task; raise `IndexError` if there is none."""
        self._drop_dead()
        if not self._heap:
            raise IndexError("the queue is empty")
        task: Task = heapq.heappop(self._heap)[2]
        del self._entries[task]
        return task

    def peek(self) -> Task:
        """Return the most urgent task and leave it; raise `IndexError` if there is none."""
        self._drop_dead()
        if not self._heap:
            raise IndexError("the queue is empty")
        task: Task = self._heap[0][2]
        return task

    def cancel(self, task: Task) -> bool:
        """Take `task` out; say whether it was waiting."""
        entry = self._entries.pop(task, None)
        if entry is None:
            return False
        entry[3] = False
        # Rebuilding when most of the heap is dead keeps memory in proportion to the tasks that wait.
        if len(self._heap) > 2 * len(self._entries) + 16:
            self._heap = [entry for entry in self._heap if entry[3]]
            heapq.heapify(self._heap)
        return True

    def reprioritise(self, task: Task, priority: Any) -> None:
        """Give a waiting task another priority, behind its new equals; raise `KeyError` if it is not waiting."""
        if not self.cancel(task):
            raise KeyError("the task is not waiting")
        self.push(task, priority)

    def _drop_dead(self) -> None:
        while self._heap and not self._heap[0][3]:
            heapq.heappop(self._heap)

    def __contains__(self, task: Task) -> bool:
        return task in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Task]:
        """Take the tasks out one by one, most urgent first."""
        while self._entries:
            yield self.pop()

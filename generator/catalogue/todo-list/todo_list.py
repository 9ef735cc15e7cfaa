"""A to-do list: add, complete, edit, remove and filter tasks; save them as JSON."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

MAX_TITLE_CHARS = 200


class UnknownTask(KeyError):
    """No task has this number."""


@dataclass(frozen=True)
class Task:
    """Something to do; `number` is unique in its list and never used again."""

    number: int
    title: str
    done: bool = False


def _checked_title(title: str) -> str:
    if not isinstance(title, str) or not title.strip():
        raise ValueError("a title must be a text that is not empty")
    if len(title.strip()) > MAX_TITLE_CHARS:
        raise ValueError(f"a title has at most {MAX_TITLE_CHARS} characters")
    return title.strip()


class TodoList:
    """Tasks in the order they were added."""

    def __init__(self) -> None:
        self._tasks: dict[int, Task] = {}
        self._next_number = 1

    def add(self, title: str) -> Task:
        """Add a task and return it."""
        task = Task(self._next_number, _checked_title(title))
        self._tasks[task.number] = task
        self._next_number += 1
        return task

    def get(self, number: int) -> Task:
        """Return a task, or raise `UnknownTask`."""
        try:
            return self._tasks[number]
        except KeyError:
            raise UnknownTask(f"there is no task {number}") from None

    def _change(self, number: int, **changes: Any) -> Task:
        self._tasks[number] = replace(self.get(number), **changes)
        return self._tasks[number]

    def complete(self, number: int) -> Task:
        """Mark a task as done; once more changes nothing."""
        return self._change(number, done=True)

    def reopen(self, number: int) -> Task:
        """Mark a task as not done."""
        return self._change(number, done=False)

    def rename(self, number: int, title: str) -> Task:
        """Give a task another title."""
        return self._change(number, title=_checked_title(title))

    def remove(self, number: int) -> Task:
        """Remove a task and return it."""
        task = self.get(number)
        del self._tasks[number]
        return task

    def clear_done(self) -> int:
        """Remove what is done; return how many tasks that were."""
        done = self.tasks(done=True)
        for task in done:
            del self._tasks[task.number]
        return len(done)

    def tasks(self, *, done: bool | None = None, containing: str = "") -> list[Task]:
        """Return the tasks that are done, not done, or (None) both, and whose title contains a text in any case."""
        wanted = containing.casefold()
        return [
            task
            for task in self._tasks.values()
            if (done is None or task.done is done) and wanted in task.title.casefold()
        ]

    def to_json(self) -> str:
        """Return the list as JSON text."""
        tasks = [asdict(task) for task in self._tasks.values()]
        return json.dumps({"next_number": self._next_number, "tasks": tasks}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "TodoList":
        """Return the list that `to_json` wrote, or raise `ValueError`."""
        restored = cls()
        try:
            data = json.loads(text)
            for row in data["tasks"]:
                task = Task(int(row["number"]), _checked_title(row["title"]), bool(row["done"]))
                if task.number in restored._tasks or not 1 <= task.number < data["next_number"]:
                    raise ValueError("task numbers must be unique and below the next one")
                restored._tasks[task.number] = task
            restored._next_number = int(data["next_number"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the text is not a saved to-do list: {error}") from error
        return restored

    def __len__(self) -> int:
        return len(self._tasks)

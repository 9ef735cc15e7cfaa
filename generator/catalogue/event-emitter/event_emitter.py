"""Named events and their listeners, in one process."""

import threading
from collections.abc import Callable, Hashable
from typing import Any

Listener = Callable[..., object]
# Negative priority, number, listener, and whether it listens once.
Record = tuple[float, int, Listener, bool]


class ListenerErrors(Exception):
    """Some listeners failed; `errors` holds what each raised. The others were called."""

    def __init__(self, errors: list[Exception]) -> None:
        super().__init__(f"{len(errors)} listener(s) failed")
        self.errors = errors


class EventEmitter:
    """Call listeners in the order of their priority, then of their subscription."""

    ANY = "*"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Lists are kept sorted; they are replaced, never changed in place.
        self._listeners: dict[Hashable, list[Record]] = {}
        self._next_number = 0

    def on(self, event: Hashable, listener: Listener, *, priority: float = 0, once: bool = False) -> Callable[[], bool]:
        """Subscribe `listener` and return a function that ends the subscription; higher priorities come first."""
        if not callable(listener):
            raise TypeError("a listener must be callable")
        with self._lock:
            self._next_number += 1
            number = self._next_number
            record: Record = (-priority, number, listener, once)
            current = self._listeners.get(event, [])
            self._listeners[event] = sorted([*current, record], key=lambda each: each[:2])
        return lambda: self._remove(event, lambda each: each[1] == number)

    def once(self, event: Hashable, listener: Listener, *, priority: float = 0) -> Callable[[], bool]:
        """Subscribe `listener` for one event only."""
        return self.on(event, listener, priority=priority, once=True)

    def off(self, event: Hashable, listener: Listener) -> bool:
        """End every subscription of `listener` to `event`; say whether there was one."""
        return self._remove(event, lambda each: each[2] == listener)

    def _remove(self, event: Hashable, matches: Callable[[Record], bool]) -> bool:
        with self._lock:
            current = self._listeners.get(event, [])
            kept = [each for each in current if not matches(each)]
            if kept:
                self._listeners[event] = kept
            else:
                self._listeners.pop(event, None)
            return len(kept) < len(current)

    def _take(self, event: Hashable) -> list[Record]:
        """Return the listeners to call now, and end the subscriptions that were for one event."""
        with self._lock:
            called: list[Record] = []
            for name in {event, self.ANY}:
                current = self._listeners.get(name, [])
                called += current
                kept = [each for each in current if not each[3]]
                if kept:
                    self._listeners[name] = kept
                else:
                    self._listeners.pop(name, None)
        return sorted(called, key=lambda each: each[:2])

    def emit(self, event: Hashable, *args: Any, **kwargs: Any) -> int:
        """Call the listeners of `event`, and those of `ANY`, and return how many there were.

        Listeners that are added meanwhile wait for the next event. If some fail, the rest are still called and
        `ListenerErrors` is raised at the end.
        """
        called = self._take(event)
        errors = []
        for _, _, listener, _ in called:
            # The lock is not held here: a listener may subscribe, unsubscribe and emit.
            try:
                listener(*args, **kwargs)
            except Exception as error:
                errors.append(error)
        if errors:
            raise ListenerErrors(errors)
        return len(called)

    def listener_count(self, event: Hashable) -> int:
        """Return the number of subscriptions to `event`, those to `ANY` not counted."""
        with self._lock:
            return len(self._listeners.get(event, []))

"""A publish-subscribe bus with dotted topics, wildcards and isolation of failing subscribers."""

import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_FAILURES_KEPT = 100
MAX_TOPIC_LENGTH = 255

SINGLE = "*"
REST = "#"


@dataclass(frozen=True)
class Message:
    """What subscribers receive."""

    topic: str
    payload: Any


@dataclass(frozen=True)
class Failure:
    """A subscriber that raised; the others got the message all the same."""

    pattern: str
    message: Message
    error: Exception


Handler = Callable[[Message], object]
ErrorHandler = Callable[[Failure], object]


class Subscription:
    """One handler on one pattern. A context manager that unsubscribes at its end."""

    def __init__(self, bus: "EventBus", number: int, pattern: str, handler: Handler) -> None:
        self._bus = bus
        self.number = number
        self.pattern = pattern
        self.handler = handler

    def cancel(self) -> bool:
        """End the subscription; return whether it was active."""
        return self._bus.unsubscribe(self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *error: object) -> None:
        self.cancel()


class EventBus:
    """Deliver messages to the subscribers of matching patterns, in the publisher's thread and in the order of subscription.

    In a pattern `*` matches one word of a topic, and `#` at the end any number of further words: `orders.*.paid`, `orders.#`.
    """

    def __init__(self, *, on_error: ErrorHandler | None = None) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._on_error = on_error
        # Exact topics are found at once; only patterns with wildcards are compared one by one.
        self._exact: dict[str, list[Subscription]] = {}
        self._wild: list[Subscription] = []
        self._failures: deque[Failure] = deque(maxlen=MAX_FAILURES_KEPT)

    def subscribe(self, pattern: str, handler: Handler) -> Subscription:
        """Call `handler` with each message whose topic matches `pattern`, until the subscription is cancelled."""
        if not callable(handler):
            raise TypeError("handler must be callable")
        words = _words(pattern)
        if any((SINGLE in word or REST in word) and len(word) > 1 for word in words):
            raise ValueError(f"a wildcard must be a whole word: {pattern!r}")
        if REST in words[:-1]:
            raise ValueError(f"{REST} is allowed at the end only: {pattern!r}")
        with self._lock:
            subscription = Subscription(self, next(self._numbers), pattern, handler)
            if SINGLE in words or REST in words:
                self._wild.append(subscription)
            else:
                self._exact.setdefault(pattern, []).append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> bool:
        """End a subscription; return whether it was active. A delivery that has begun may still reach it."""
        with self._lock:
            if subscription in self._wild:
                self._wild.remove(subscription)
                return True
            active = self._exact.get(subscription.pattern, [])
            if subscription not in active:
                return False
            active.remove(subscription)
            if not active:
                del self._exact[subscription.pattern]
            return True

    def publish(self, topic: str, payload: Any = None) -> int:
        """Deliver a message and return how many subscribers took it without an error."""
        words = _words(topic)
        if any(SINGLE in word or REST in word for word in words):
            raise ValueError(f"a topic must not contain wildcards: {topic!r}")
        message = Message(topic, payload)
        return sum(self._deliver(subscription, message) for subscription in self._matching(topic, words))

    def _matching(self, topic: str, words: list[str]) -> list[Subscription]:
        with self._lock:
            wild = [each for each in self._wild if matches(each.pattern.split("."), words)]
            found = self._exact.get(topic, []) + wild
        return sorted(found, key=lambda each: each.number)

    def _deliver(self, subscription: Subscription, message: Message) -> bool:
        # The lock is not held here: a handler may subscribe, unsubscribe and publish.
        try:
            subscription.handler(message)
        except Exception as error:
            failure = Failure(subscription.pattern, message, error)
            self._failures.append(failure)
            if self._on_error is not None:
                self._on_error(failure)
            return False
        return True

    def failures(self) -> list[Failure]:
        """Return the latest failures, the oldest first."""
        return list(self._failures)


def _words(topic: str) -> list[str]:
    words = topic.split(".")
    if not all(words) or len(topic) > MAX_TOPIC_LENGTH:
        raise ValueError(f"a topic is 1 to {MAX_TOPIC_LENGTH} characters, words joined by single dots: {topic[:40]!r}")
    return words


def matches(pattern: list[str], topic: list[str]) -> bool:
    """Return whether the words of a pattern match the words of a topic."""
    if pattern[-1] == REST:
        pattern = pattern[:-1]
        topic = topic[: len(pattern)]
    return len(pattern) == len(topic) and all(word in (SINGLE, part) for word, part in zip(pattern, topic))

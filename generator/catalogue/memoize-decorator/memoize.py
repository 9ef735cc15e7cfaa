"""A decorator that remembers what a function returned."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


def _key(arguments: tuple[Any, ...], keywords: dict[str, Any], typed: bool) -> Hashable:
    key: tuple[Any, ...] = (arguments, tuple(sorted(keywords.items())))
    if typed:
        key += (tuple(map(type, arguments)), tuple(type(value) for _, value in sorted(keywords.items())))
    return key


class _Store:
    """Results by key, the least recently used first."""

    def __init__(self, max_size: int | None) -> None:
        self._max_size = max_size
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def find(self, key: Hashable) -> tuple[bool, Any]:
        """Return (True, result), or (False, None)."""
        with self._lock:
            if key not in self._results:
                self.misses += 1
                return False, None
            self.hits += 1
            self._results.move_to_end(key)
            return True, self._results[key]

    def keep(self, key: Hashable, result: Any) -> None:
        with self._lock:
            self._results[key] = result
            self._results.move_to_end(key)
            if self._max_size is not None and len(self._results) > self._max_size:
                self._results.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._results.clear()
            self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._results)


def memoize(function: Callable[..., Any] | None = None, *, max_size: int | None = None, typed: bool = False) -> Any:
    """Remember results by arguments, at most `max_size`; use with or without parentheses.

    Arguments must be hashable. A call that raises is not remembered. Two threads may compute the same result at once.
    """
    if max_size is not None and (isinstance(max_size, bool) or not isinstance(max_size, int) or max_size < 1):
        raise ValueError("max_size must be an integer of at least 1, or None")
    if function is None:
        return functools.partial(memoize, max_size=max_size, typed=typed)
    if not callable(function):
        raise TypeError("memoize decorates functions; give options by name")
    store = _Store(max_size)

    @functools.wraps(function)
    def remembering(*arguments: Any, **keywords: Any) -> Any:
        key = _key(arguments, keywords, typed)
        try:
            found, result = store.find(key)
        except TypeError as error:
            raise TypeError(f"{function.__name__} is memoized: its arguments must be hashable") from error
        if not found:
            # Without the lock, so that the function may call itself.
            result = function(*arguments, **keywords)
            store.keep(key, result)
        return result

    setattr(remembering, "cache", store)
    return remembering

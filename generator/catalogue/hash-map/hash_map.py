"""A hash map with open addressing: entries are in one list, collisions go to the next free place."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# Number of places of an empty map; a power of two.
_MIN_PLACES = 8
# The list grows when more than two thirds of the places are taken, so that searches stay short.
_MAX_LOAD = (2, 3)
# 2**64 divided by the golden ratio, made odd.
_SCATTER = 0x9E37_79B9_7F4A_7C15


class HashMap(Generic[Key, Value]):
    """Map keys to values. Keys must be hashable; the order of iteration is arbitrary."""

    def __init__(self, entries: Iterable[tuple[Key, Value]] = ()) -> None:
        self._places: list[tuple[Key, Value] | None] = [None] * _MIN_PLACES
        self._size = 0
        for key, value in entries:
            self[key] = value

    def _home(self, key: Key) -> int:
        # Integers hash to themselves: multiplication scatters them, and the upper bits of the product are the place.
        scattered = hash(key) * _SCATTER & 0xFFFF_FFFF_FFFF_FFFF
        return scattered >> (65 - len(self._places).bit_length())

    def _find(self, key: Key) -> int:
        """Return the place of `key`, or the free place where it belongs."""
        at = self._home(key)
        while (entry := self._places[at]) is not None and entry[0] != key:
            at = (at + 1) & (len(self._places) - 1)
        return at

    def _resize(self, places: int) -> None:
        entries = [entry for entry in self._places if entry is not None]
        self._places = [None] * places
        for entry in entries:
            self._places[self._find(entry[0])] = entry

    def __setitem__(self, key: Key, value: Value) -> None:
        at = self._find(key)
        if self._places[at] is None:
            self._size += 1
        self._places[at] = (key, value)
        if self._size * _MAX_LOAD[1] > len(self._places) * _MAX_LOAD[0]:
            self._resize(2 * len(self._places))

    def __getitem__(self, key: Key) -> Value:
        entry = self._places[self._find(key)]
        if entry is None:
            raise KeyError(key)
        return entry[1]

    def __delitem__(self, key: Key) -> None:
        hole = self._find(key)
        if self._places[hole] is None:
            raise KeyError(key)
        self._size -= 1
        self._close(hole)
        if len(self._places) > _MIN_PLACES and 8 * self._size < len(self._places):
            self._resize(len(self._places) // 2)

    def _close(self, hole: int) -> None:
        """Empty a place, and move later entries of its run so that each can still be found from its home."""
        mask = len(self._places) - 1
        at = hole
        while True:
            self._places[hole] = None
            while True:
                at = (at + 1) & mask
                entry = self._places[at]
                if entry is None:
                    return
                # An entry may move back to the hole only if its home is not between the two.
                if (at - self._home(entry[0])) & mask >= (at - hole) & mask:
                    break
            self._places[hole] = entry
            hole = at

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of `key`, or `default`."""
        entry = self._places[self._find(key)]
        return default if entry is None else entry[1]

    def items(self) -> Iterator[tuple[Key, Value]]:
        """Yield the entries. The map must not change meanwhile."""
        return (entry for entry in self._places if entry is not None)

    def clear(self) -> None:
        """Remove all entries."""
        self._places = [None] * _MIN_PLACES
        self._size = 0

    def __iter__(self) -> Iterator[Key]:
        return (key for key, _ in self.items())

    def __contains__(self, key: Key) -> bool:
        return self._places[self._find(key)] is not None

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"HashMap({list(self.items())!r})"

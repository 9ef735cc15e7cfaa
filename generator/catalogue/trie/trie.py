"""A trie (prefix tree) of words with values."""

from collections.abc import Iterable, Iterator
from typing import Any

_END = object()
_MISSING = object()


class Trie:
    """Map words to values; look them up by prefix in time proportional to the prefix, not to the number of words."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        # Letters lead to further nodes, `_END` to the value of the word that ends here.
        self._root: dict[Any, Any] = {}
        self._count = 0
        for word in words:
            self.insert(word)

    @staticmethod
    def _check(word: str) -> None:
        if not isinstance(word, str):
            raise TypeError("a word must be a string")

    def insert(self, word: str, value: Any = True) -> None:
        """Add `word`; a word that is there gets the new value."""
        self._check(word)
        if not word:
            raise ValueError("a word must not be empty")
        node = self._root
        for character in word:
            node = node.setdefault(character, {})
        self._count += _END not in node
        node[_END] = value

    def _node(self, prefix: str) -> dict[Any, Any] | None:
        self._check(prefix)
        node = self._root
        for character in prefix:
            if character not in node:
                return None
            node = node[character]
        return node

    def get(self, word: str, default: Any = None) -> Any:
        """Return the value of `word`, or `default` if it was not added."""
        node = self._node(word)
        return default if node is None else node.get(_END, default)

    def starts_with(self, prefix: str) -> bool:
        """Say whether any word starts with `prefix`."""
        node = self._node(prefix)
        return node is not None and len(node) > 0

    def with_prefix(self, prefix: str = "", limit: int | None = None) -> list[str]:
        """Return the words that start with `prefix` in alphabetical order, at most `limit`."""
        if limit is not None and limit < 0:
            raise ValueError("limit must not be negative")
        found: list[str] = []
        node = self._node(prefix)
        # A stack of its own instead of recursion: a word may be longer than Python's call depth.
        pending = [] if node is None else [(prefix, node)]
        while pending and (limit is None or len(found) < limit):
            word, node = pending.pop()
            if _END in node:
                found.append(word)
            letters = sorted((key for key in node if key is not _END), reverse=True)
            pending.extend((word + letter, node[letter]) for letter in letters)
        return found

    def longest_prefix_of(self, text: str) -> str:
        """Return the longest word that `text` starts with, or an empty text."""
        self._check(text)
        node, longest = self._root, 0
        for length, character in enumerate(text, start=1):
            if character not in node:
                break
            node = node[character]
            if _END in node:
                longest = length
        return text[:longest]

    def remove(self, word: str) -> bool:
        """Forget `word` and every node that only it needed; say whether it was there."""
        self._check(word)
        path = [self._root]
        for character in word:
            if character not in path[-1]:
                return False
            path.append(path[-1][character])
        if path[-1].pop(_END, _MISSING) is _MISSING:
            return False
        for parent, character in zip(reversed(path[:-1]), reversed(word)):
            if parent[character]:
                break
            del parent[character]
        self._count -= 1
        return True

    def __contains__(self, word: str) -> bool:
        node = self._node(word)
        return node is not None and _END in node

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Yield the words in alphabetical order."""
        return iter(self.with_prefix())

"""Search texts in spite of typing mistakes, the best match first."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

Item = TypeVar("Item")

LIMIT = 10
MIN_SCORE = 0.6
MAX_QUERY_LENGTH = 200

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Hit(Generic[Item]):
    """A found item; `score` is 1.0 if every word of the query is a word of it."""

    item: Item
    score: float


def normalized_words(text: str) -> tuple[str, ...]:
    """Return the words of a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return tuple(_WORD.findall("".join(letter for letter in decomposed if not unicodedata.combining(letter))))


class FuzzyIndex(Generic[Item]):
    """Hold items and find those whose text resembles a query."""

    def __init__(self, items: Iterable[Item], key: Callable[[Item], str] = str) -> None:
        self._entries: list[tuple[Item, tuple[str, ...]]] = []
        self._key = key
        for item in items:
            self.add(item)

    def add(self, item: Item) -> None:
        """Add an item at the end."""
        text = self._key(item)
        if not isinstance(text, str):
            raise TypeError(f"key must return a text, not {type(text).__name__}")
        self._entries.append((item, normalized_words(text)))

    def __len__(self) -> int:
        return len(self._entries)

    def search(self, query: str, *, limit: int = LIMIT, min_score: float = MIN_SCORE) -> list[Hit[Item]]:
        """Return at most `limit` items that score `min_score` or more, the best first and equals in their order.

        Each word of the query must resemble a word of the item; the order of the words does not matter.
        """
        if limit < 1:
            raise ValueError("limit must be at least 1")
        if not 0 < min_score <= 1:
            raise ValueError("min_score must be above 0 and at most 1")
        if len(query) > MAX_QUERY_LENGTH:
            raise ValueError(f"query must have at most {MAX_QUERY_LENGTH} characters")
        wanted = normalized_words(query)
        if not wanted:
            return []
        # Items share many words, so each pair is compared once per search.
        compare = lru_cache(maxsize=None)(word_score)
        scored = [(_score(wanted, words, compare), item, len(words)) for item, words in self._entries]
        found = [(score, item, length) for score, item, length in scored if score >= min_score]
        # Of equal scores the item with fewer other words is nearer.
        found.sort(key=lambda entry: (-entry[0], entry[2]))
        return [Hit(item, score) for score, item, _ in found[:limit]]


def _score(wanted: tuple[str, ...], words: tuple[str, ...], compare: Callable[[str, str], float]) -> float:
    """Return the mean of the best score of each wanted word, weighted by length; 0 if one resembles no word."""
    total = 0.0
    for word in wanted:
        best = max((compare(word, other) for other in words), default=0.0)
        if best == 0.0:
            return 0.0
        total += best * len(word)
    return total / sum(map(len, wanted))


def word_score(wanted: str, word: str) -> float:
    """Return how much a word resembles a wanted one: 1.0 if equal, 0.9 and more if it begins with it, 0.0 if too different."""
    if wanted == word:
        return 1.0
    if word.startswith(wanted):
        # "pro" is nearer to "prose" than to "programming".
        return 0.9 + 0.09 * len(wanted) / len(word)
    allowed = allowed_typos(len(wanted))
    if allowed == 0 or abs(len(wanted) - len(word)) > allowed:
        return 0.0
    typos = typo_distance(wanted, word)
    return 0.0 if typos > allowed else 0.9 * (1 - typos / len(wanted))


def allowed_typos(length: int) -> int:
    """Return how many typos a word of that length may have: short words would resemble everything."""
    return 0 if length < 3 else 1 if length < 6 else 2


def typo_distance(first: str, second: str) -> int:
    """Return the least number of insertions, deletions, substitutions and exchanges of neighbours between two words."""
    before_last: list[int] = []
    last = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            best = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != other))
            is_exchange = row > 1 and column > 1 and letter == second[column - 2] and first[row - 2] == other
            current.append(min(best, before_last[column - 2] + 1) if is_exchange else best)
        before_last, last = last, current
    return last[-1]

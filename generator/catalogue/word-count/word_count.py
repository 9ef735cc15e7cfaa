"""Count words, lines and characters of texts and files."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike

# Letters and digits, with apostrophes and hyphens inside a word.
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


@dataclass(frozen=True)
class TextCounts:
    """The size of a text."""

    words: int
    unique_words: int
    lines: int
    characters: int


def words_of(text: str) -> Iterator[str]:
    """Yield the words of `text` in lower case, in order."""
    if not isinstance(text, str):
        raise TypeError("the text must be a string")
    return (match.group().lower() for match in _WORD.finditer(text))


def count_words(text: str) -> int:
    """Return how many words `text` has."""
    return sum(1 for _ in words_of(text))


def word_frequencies(text: str, *, ignore: Iterable[str] = ()) -> Counter[str]:
    """Return how often each word occurs, without the words in `ignore`."""
    ignored = {word.lower() for word in ignore}
    return Counter(word for word in words_of(text) if word not in ignored)


def most_common_words(text: str, limit: int = 10, *, ignore: Iterable[str] = ()) -> list[tuple[str, int]]:
    """Return (word, count) pairs, most frequent first, then by name, at most `limit`."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise ValueError("limit must be an integer of at least 0")
    ranked = sorted(word_frequencies(text, ignore=ignore).items(), key=lambda item: (-item[1], item[0]))
    return ranked[:limit]


def summarise(text: str) -> TextCounts:
    """Return the counts of a text; a last line counts whether or not it ends with a line break."""
    frequencies = word_frequencies(text)
    return TextCounts(
        words=frequencies.total(),
        unique_words=len(frequencies),
        lines=len(text.splitlines()),
        characters=len(text),
    )


def summarise_file(path: str | PathLike[str], encoding: str = "utf-8") -> TextCounts:
    """Return the counts of a text file."""
    with open(path, encoding=encoding) as file:
        return summarise(file.read())

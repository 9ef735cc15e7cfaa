"""Finds anagrams in lists of words, by an index of their sorted letters."""

import unicodedata
from collections import Counter
from collections.abc import Iterable


def signature(text: str) -> str:
    """Return the letters and digits of a text, sorted and in lower case: anagrams have the same."""
    folded = unicodedata.normalize("NFC", text.casefold())
    return "".join(sorted(character for character in folded if character.isalnum()))


def are_anagrams(first: str, second: str) -> bool:
    """Say whether two different texts have the same letters; a word is no anagram of itself."""
    return _plain(first) != _plain(second) and signature(first) == signature(second)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFC", text.casefold())
    return "".join(character for character in folded if character.isalnum())


class AnagramIndex:
    """Words by their letters. Case, spaces and punctuation do not matter."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        # Signature -> the words, each once and in the order in which they were added.
        self._groups: dict[str, dict[str, None]] = {}
        self._size = 0
        for word in words:
            self.add(word)

    def add(self, word: str) -> bool:
        """Add a word; return False if it is there already."""
        letters = signature(word)
        if not letters:
            raise ValueError(f"{word!r} has no letters")
        group = self._groups.setdefault(letters, {})
        if word in group:
            return False
        group[word] = None
        self._size += 1
        return True

    def anagrams(self, text: str) -> list[str]:
        """Return the words with the same letters as `text`, but not `text` itself."""
        return [word for word in self._groups.get(signature(text), {}) if _plain(word) != _plain(text)]

    def groups(self, least: int = 2) -> list[list[str]]:
        """Return the groups of at least so many words, the largest first, then in order of addition."""
        found = [list(group) for group in self._groups.values() if len(group) >= least]
        return sorted(found, key=len, reverse=True)

    def words_from(self, letters: str, least_length: int = 1) -> list[str]:
        """Return the words that can be made from some of the letters, each used once; the longest first."""
        supply = Counter(signature(letters))
        found = []
        for known, group in self._groups.items():
            if len(known) >= least_length and not Counter(known) - supply:
                found.extend((len(known), word) for word in group)
        return [word for _, word in sorted(found, key=lambda entry: -entry[0])]

    def __contains__(self, word: str) -> bool:
        return word in self._groups.get(signature(word), {})

    def __len__(self) -> int:
        """Return the number of words."""
        return self._size


def group_anagrams(words: Iterable[str]) -> list[list[str]]:
    """Return all words in groups of anagrams, in order of appearance; a word without an anagram is alone."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(signature(word), []).append(word)
    return list(groups.values())

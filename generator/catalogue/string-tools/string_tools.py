"""Small tools for text: reversing, palindromes, anagrams, word counts, a Caesar cipher, edit distance."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


def _clusters(text: str) -> list[str]:
    """Return the characters of `text`, each with the combining marks that follow it."""
    clusters: list[str] = []
    for character in text:
        if clusters and unicodedata.combining(character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _letters(text: str) -> list[str]:
    folded = unicodedata.normalize("NFC", text.casefold())
    return [cluster for cluster in _clusters(folded) if cluster[0].isalnum()]


def reverse(text: str) -> str:
    """Return `text` backwards; accents stay on their letters."""
    return "".join(reversed(_clusters(text)))


def is_palindrome(text: str) -> bool:
    """Say whether letters and digits read the same both ways, whatever their case; a text without any does."""
    letters = _letters(text)
    return letters == letters[::-1]


def are_anagrams(first: str, second: str) -> bool:
    """Say whether both texts have the same letters and digits, whatever their case and order."""
    return Counter(_letters(first)) == Counter(_letters(second))


def group_anagrams(words: Iterable[str]) -> list[list[str]]:
    """Return lists of words that are anagrams of each other, in order of appearance."""
    groups: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for word in words:
        groups[tuple(sorted(_letters(word)))].append(word)
    return list(groups.values())


def word_counts(text: str) -> list[tuple[str, int]]:
    """Return (word, count) pairs in lower case, most frequent first, then by name."""
    counted = Counter(word.lower() for word in _WORD.findall(text))
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def caesar(text: str, shift: int) -> str:
    """Return `text` with its Latin letters moved along the alphabet; a negative shift undoes. No protection at all."""

    def move(character: str) -> str:
        if not ("a" <= character <= "z" or "A" <= character <= "Z"):
            return character
        start = ord("a") if character.islower() else ord("A")
        return chr((ord(character) - start + shift) % 26 + start)

    return "".join(map(move, text))


def edit_distance(first: str, second: str) -> int:
    """Return the least number of insertions, deletions and substitutions that make one text the other."""
    # The shorter text gives the row, so that memory is O(min(m, n)).
    if len(first) < len(second):
        first, second = second, first
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(second, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]

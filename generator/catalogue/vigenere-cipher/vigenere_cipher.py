"""The Vigenère cipher: each letter is shifted by a letter of the key. Of historical interest only."""

from itertools import cycle

_FIRST_UPPER, _FIRST_LOWER = ord("A"), ord("a")
_LETTERS = 26


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _shifts(key: str) -> list[int]:
    if not key or not all(_is_latin(character) for character in key):
        raise ValueError("the key must have letters from A to Z only, and at least one")
    return [ord(character) - _FIRST_UPPER for character in key.upper()]


def _shifted(character: str, shift: int) -> str:
    first = _FIRST_UPPER if character.isupper() else _FIRST_LOWER
    return chr((ord(character) - first + shift) % _LETTERS + first)


def _apply(text: str, key: str, direction: int) -> str:
    shifts = cycle(_shifts(key))
    # Only letters use up letters of the key.
    return "".join(_shifted(character, direction * next(shifts)) if _is_latin(character) else character for character in text)


def encrypt(text: str, key: str) -> str:
    """Return `text` with its Latin letters shifted by those of `key`; case and all other characters stay."""
    return _apply(text, key, 1)


def decrypt(text: str, key: str) -> str:
    """Return the text that was encrypted with `key`."""
    return _apply(text, key, -1)


def key_from(plain: str, encrypted: str) -> str:
    """Return the shortest key that turns one text into the other: knowing both betrays it."""
    pairs = [(first, second) for first, second in zip(plain, encrypted, strict=True) if _is_latin(first) and _is_latin(second)]
    letters = "".join(chr((ord(second.upper()) - ord(first.upper())) % _LETTERS + _FIRST_UPPER) for first, second in pairs)
    for length in range(1, len(letters) + 1):
        if encrypt(plain, letters[:length]) == encrypted:
            return letters[:length]
    raise ValueError("no key turns one text into the other")


def tabula_recta() -> list[str]:
    """Return the square of 26 shifted alphabets by which people encrypt on paper."""
    alphabet = "".join(chr(_FIRST_UPPER + number) for number in range(_LETTERS))
    return [alphabet[shift:] + alphabet[:shift] for shift in range(_LETTERS)]

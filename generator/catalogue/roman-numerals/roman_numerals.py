"""Roman numerals from 1 to 3999 in their standard form."""

import re

MAXIMUM = 3999

_VALUES = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]  # fmt: skip
_LETTERS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_STANDARD = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")


def to_roman(number: int) -> str:
    """Return the numeral of an integer from 1 to 3999."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("the number must be an integer")
    if not 1 <= number <= MAXIMUM:
        raise ValueError(f"the number must be from 1 to {MAXIMUM}")
    numerals = []
    for value, letters in _VALUES:
        count, number = divmod(number, value)
        numerals.append(letters * count)
    return "".join(numerals)


def is_roman(text: str) -> bool:
    """Say whether `text` is a numeral in standard form, in any case."""
    return isinstance(text, str) and bool(text) and text.isascii() and _STANDARD.fullmatch(text.upper()) is not None


def from_roman(text: str) -> int:
    """Return the integer of a numeral in standard form; anything else raises `ValueError`."""
    if not is_roman(text):
        raise ValueError("not a Roman numeral in standard form")
    values = [_LETTERS[letter] for letter in text.upper()]
    # A letter before a greater one is taken away.
    return sum(-value if value < following else value for value, following in zip(values, [*values[1:], 0]))

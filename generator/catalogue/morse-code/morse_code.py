"""International Morse code (ITU-R M.1677-1): text to signals and back."""

from collections.abc import Iterator

CODES = {
    "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--.", "H": "....", "I": "..", "J": ".---",
    "K": "-.-", "L": ".-..", "M": "--", "N": "-.", "O": "---", "P": ".--.", "Q": "--.-", "R": ".-.", "S": "...", "T": "-",
    "U": "..-", "V": "...-", "W": ".--", "X": "-..-", "Y": "-.--", "Z": "--..",
    "0": "-----", "1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-....", "7": "--...",
    "8": "---..", "9": "----.",
    ".": ".-.-.-", ",": "--..--", ":": "---...", "?": "..--..", "'": ".----.", "-": "-....-", "/": "-..-.", "(": "-.--.",
    ")": "-.--.-", '"': ".-..-.", "=": "-...-", "+": ".-.-.", "@": ".--.-.",
}  # fmt: skip

LETTERS = {code: character for character, code in CODES.items()}

# Stands between words; a space stands between letters.
WORD_SEPARATOR = "/"


def encode(text: str, *, skip_unknown: bool = False) -> str:
    """Return text as Morse code, with a space between letters and ` / ` between words."""
    words = []
    for word in text.upper().split():
        unknown = [character for character in word if character not in CODES]
        if unknown and not skip_unknown:
            raise ValueError(f"{unknown[0]!r} has no Morse code")
        codes = [CODES[character] for character in word if character in CODES]
        if codes:
            words.append(" ".join(codes))
    return f" {WORD_SEPARATOR} ".join(words)


def decode(morse: str) -> str:
    """Return Morse code as text in capitals. Other signs for dots and dashes (`·`, `•`, `–`, `_`) are understood."""
    plain = morse.translate(str.maketrans({"·": ".", "•": ".", "–": "-", "—": "-", "−": "-", "_": "-"}))
    words = []
    for word in plain.split(WORD_SEPARATOR):
        codes = word.split()
        unknown = [code for code in codes if code not in LETTERS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not a Morse code")
        if codes:
            words.append("".join(LETTERS[code] for code in codes))
    return " ".join(words)


def signals(text: str) -> Iterator[tuple[bool, int]]:
    """Yield whether the key is down, and for how many units, for each part of a message.

    A dot is 1 unit and a dash 3; pauses are 1 within a letter, 3 between letters and 7 between words.
    """
    pause = 0
    for code in encode(text).split():
        if code == WORD_SEPARATOR:
            pause = 7
            continue
        for sign in code:
            if pause:
                yield False, pause
            yield True, 1 if sign == "." else 3
            pause = 1
        pause = 3


def duration_seconds(text: str, words_per_minute: float = 20) -> float:
    """Return how long a message takes; at 20 words a minute a unit is 60 ms (the word PARIS has 50 units)."""
    if words_per_minute <= 0:
        raise ValueError("words_per_minute must be positive")
    return sum(units for _, units in signals(text)) * 1.2 / words_per_minute

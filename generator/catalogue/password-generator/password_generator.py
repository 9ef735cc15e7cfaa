"""Generate passwords and passphrases with secure randomness, and estimate how strong a given password is."""

import math
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass

LENGTH = 20
PASSPHRASE_WORDS = 6

MIN_LENGTH = 8
MAX_LENGTH = 1024
LOWER = string.ascii_lowercase
UPPER = string.ascii_uppercase
DIGITS = string.digits
SYMBOLS = "!#$%&()*+,-./:;<=>?@[]^_{|}~"
AMBIGUOUS = frozenset("0O1lI|5S2Z")
MIN_WORDS_IN_LIST = 1000
LABELS = ((28, "very weak"), (45, "weak"), (60, "fair"), (80, "strong"))
# Guessed first by every attacker. Use a list of breached passwords where you can.
COMMON = frozenset(
    "password passwort passw0rd qwerty qwertz azerty letmein welcome admin login master monkey dragon football "
    "baseball iloveyou sunshine princess shadow superman batman trustno1 starwars hello freedom whatever secret "
    "changeme".split()
)
LEET = str.maketrans("013457$@!", "oleastsai")
RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
SPAN = 4


def generate_password(length: int = LENGTH, *, symbols: bool = True, avoid_ambiguous: bool = False) -> str:
    """Return a random password with at least one lower-case letter, upper-case letter, digit and symbol."""
    if isinstance(length, bool) or not isinstance(length, int) or not MIN_LENGTH <= length <= MAX_LENGTH:
        raise ValueError(f"the length must be a whole number from {MIN_LENGTH} to {MAX_LENGTH}")
    kinds = _kinds(symbols, avoid_ambiguous)
    alphabet = "".join(kinds)
    # Drawing again until every kind is there keeps all allowed passwords equally likely.
    while True:
        password = "".join(secrets.choice(alphabet) for _ in range(length))
        if all(any(character in kind for character in password) for kind in kinds):
            return password


def _kinds(symbols: bool, avoid_ambiguous: bool) -> list[str]:
    kinds = [LOWER, UPPER, DIGITS] + ([SYMBOLS] if symbols else [])
    left_out = AMBIGUOUS if avoid_ambiguous else frozenset()
    return ["".join(character for character in kind if character not in left_out) for kind in kinds]


def generate_passphrase(words: Sequence[str], count: int = PASSPHRASE_WORDS, *, separator: str = "-") -> str:
    """Return random words of a list, such as the EFF's long list of 7,776 words."""
    if count < 3:
        raise ValueError("a passphrase has at least 3 words")
    if len(set(words)) != len(words) or len(words) < MIN_WORDS_IN_LIST:
        raise ValueError(f"the list must have at least {MIN_WORDS_IN_LIST} words, each once")
    return separator.join(secrets.choice(words) for _ in range(count))


def passphrase_bits(words: Sequence[str], count: int = PASSPHRASE_WORDS) -> float:
    """Return the entropy of a passphrase that was made from a list."""
    return count * math.log2(len(words))


@dataclass(frozen=True)
class Strength:
    """An estimate: entropy in bits, a label, and what makes the password weaker."""

    bits: float
    label: str
    warnings: tuple[str, ...]


def estimate_strength(password: str, *, personal: Sequence[str] = ()) -> Strength:
    """Estimate how hard a password is to guess; `personal` holds names and the like that an attacker knows."""
    if not isinstance(password, str) or not 0 < len(password) <= MAX_LENGTH:
        raise ValueError(f"the password must be text of 1 to {MAX_LENGTH} characters")
    rest, warnings = password.lower(), []
    # Each weak part is worth about one random character: it is replaced by one before counting.
    for warning, pattern in _weaknesses(password, personal):
        rest, hits = pattern.subn("\0", rest)
        if hits:
            warnings.append(warning)
    bits = len(rest) * math.log2(_alphabet_size(password))
    label = next((label for limit, label in LABELS if bits < limit), "very strong")
    return Strength(round(bits, 1), label, tuple(warnings))


def _alphabet_size(password: str) -> int:
    kinds = (LOWER, UPPER, DIGITS)
    size = sum(len(kind) for kind in kinds if any(character in kind for character in password))
    others = any(character not in LOWER + UPPER + DIGITS for character in password)
    return max(2, size + (len(SYMBOLS) if others else 0))


def _weaknesses(password: str, personal: Sequence[str]) -> list[tuple[str, re.Pattern[str]]]:
    lowered = password.lower()
    plain = lowered.translate(LEET)
    # A common word written with digits stands at the same place in the password as in its plain form.
    common = {lowered[at : at + len(word)] for word in COMMON if (at := plain.find(word)) >= 0}
    common |= {word for word in COMMON if word in lowered}
    known = {word.lower() for word in personal if len(word) >= 3}
    return [
        ("contains something personal", _any_of(known)),
        ("contains a common password", _any_of(common)),
        ("contains a sequence such as 1234 or qwerty", _any_of(_runs_in(lowered))),
        ("repeats a character", re.compile(r"(.)\1{2,}")),
        ("contains a year", re.compile(r"(?:19|20)[0-9]{2}")),
    ]


def _runs_in(text: str) -> set[str]:
    lines = [line for run in RUNS for line in (run, run[::-1])]
    windows = (text[at : at + SPAN] for at in range(len(text) - SPAN + 1))
    return {window for window in windows if any(window in line for line in lines)}


def _any_of(words: set[str]) -> re.Pattern[str]:
    # The longest first. Nothing to find is a pattern that matches nowhere.
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(re.escape(word) for word in ordered) if ordered else r"(?!)")

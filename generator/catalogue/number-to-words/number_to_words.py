"""Integers in English words, and back."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ["", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion"]
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip

LIMIT = 1000 ** len(_SCALES)


def _check(number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("number must be an integer")
    if abs(number) >= LIMIT:
        raise ValueError(f"number must be below {len(_SCALES)} groups of three digits")


def _below_thousand(number: int, joiner: str) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return f"{_ONES[hundreds]} hundred" + (f"{joiner}{_below_thousand(rest, joiner)}" if rest else "")


def number_to_words(number: int, *, british: bool = False) -> str:
    """Return an integer in words; British English puts "and" before the tens and ones."""
    _check(number)
    if number < 0:
        return f"minus {number_to_words(-number, british=british)}"
    if number < 1000:
        return _below_thousand(number, " and " if british else " ")
    groups = []
    rest = number
    while rest:
        rest, group = divmod(rest, 1000)
        groups.append(group)
    joiner = " and " if british else " "
    parts = [
        f"{_below_thousand(group, joiner)} {_SCALES[scale]}".strip() for scale, group in reversed(list(enumerate(groups))) if group
    ]
    # One thousand and one: the last group has no hundreds to carry the "and".
    if british and 0 < groups[0] < 100:
        return f"{' '.join(parts[:-1])} and {parts[-1]}"
    return " ".join(parts)


def ordinal_words(number: int, *, british: bool = False) -> str:
    """Return a number as an ordinal: "twenty-first"."""
    words = number_to_words(number, british=british)
    start = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[start:]
    if last in _ORDINALS:
        ordinal = _ORDINALS[last]
    elif last.endswith("y"):
        ordinal = f"{last[:-1]}ieth"
    else:
        ordinal = f"{last}th"
    return words[:start] + ordinal


def amount_in_words(cents: int, *, unit: str = "dollar", part: str = "cent") -> str:
    """Return an amount of money in words, as on a cheque. It is given in hundredths, which are exact."""
    _check(cents)
    whole, rest = divmod(abs(cents), 100)
    text = f"{number_to_words(whole)} {unit}{'' if whole == 1 else 's'}"
    if rest:
        text += f" and {number_to_words(rest)} {part}{'' if rest == 1 else 's'}"
    return f"minus {text}" if cents < 0 else text


_VALUES = {word: value for value, word in enumerate(_ONES)} | {word: 10 * value for value, word in enumerate(_TENS) if word}


def words_to_number(text: str) -> int:
    """Return the integer of English words. Hyphens, commas and "and" are optional, the order of the words is not."""
    words = [word for word in text.lower().replace("-", " ").replace(",", " ").split() if word != "and"]
    sign = -1 if words[:1] in (["minus"], ["negative"]) else 1
    total = group = 0
    for word in words[sign < 0 :]:
        if word in _VALUES:
            group += _VALUES[word]
        elif word == "hundred":
            group *= 100
        elif word in _SCALES[1:]:
            total, group = total + group * 1000 ** _SCALES.index(word), 0
        else:
            raise ValueError(f"{word!r} is not a number word")
    number = sign * (total + group)
    # Writing the number again finds words in the wrong order, such as "two twenty".
    if not words or number_to_words(number).replace("-", " ").split()[number < 0 :] != words[sign < 0 :]:
        raise ValueError(f"{text!r} is not a number in words")
    return number

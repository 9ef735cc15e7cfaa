"""Integers as text in any base from 2 to 36."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

_PREFIXES = {2: "0b", 8: "0o", 16: "0x"}


def _check_base(base: int) -> None:
    if isinstance(base, bool) or not isinstance(base, int):
        raise TypeError("a base must be an integer")
    if not 2 <= base <= len(DIGITS):
        raise ValueError(f"a base must be from 2 to {len(DIGITS)}, not {base}")


def to_base(number: int, base: int, *, width: int = 0) -> str:
    """Return `number` in a base, in lower case, with zeros up to `width` digits."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("number must be an integer")
    _check_base(base)
    digits = []
    rest = abs(number)
    while rest:
        rest, digit = divmod(rest, base)
        digits.append(DIGITS[digit])
    text = "".join(reversed(digits)).rjust(max(width, 1), "0")
    return f"-{text}" if number < 0 else text


def _split_sign(text: str) -> tuple[int, str]:
    digits = text.strip().lower()
    if digits[:1] in ("-", "+"):
        return (-1 if digits[0] == "-" else 1), digits[1:]
    return 1, digits


def from_base(text: str, base: int) -> int:
    """Return the number that `text` is in a base.

    Upper and lower case, a sign, underscores between digits and the prefixes `0b`, `0o` and `0x` of their base are allowed.
    """
    if not isinstance(text, str):
        raise TypeError("the number must be text")
    _check_base(base)
    sign, digits = _split_sign(text)
    # Only the prefix of the base itself: in base 16, `0b1` is a number.
    digits = digits.removeprefix(_PREFIXES.get(base, ""))
    if not all(digits.split("_")):
        raise ValueError(f"{text!r} is not a number")
    number = 0
    for character in digits.replace("_", ""):
        value = DIGITS.find(character)
        if not 0 <= value < base:
            raise ValueError(f"{character!r} is not a digit of base {base}")
        number = number * base + value
    return sign * number


def convert(text: str, from_: int, to: int) -> str:
    """Return a number that is written in one base in another."""
    return to_base(from_base(text, from_), to)


def to_binary(number: int, *, width: int = 0) -> str:
    """Return `number` in base 2."""
    return to_base(number, 2, width=width)


def to_octal(number: int) -> str:
    """Return `number` in base 8."""
    return to_base(number, 8)


def to_hexadecimal(number: int, *, width: int = 0) -> str:
    """Return `number` in base 16."""
    return to_base(number, 16, width=width)


def from_binary(text: str) -> int:
    """Return the number of a text in base 2."""
    return from_base(text, 2)


def from_octal(text: str) -> int:
    """Return the number of a text in base 8."""
    return from_base(text, 8)


def from_hexadecimal(text: str) -> int:
    """Return the number of a text in base 16."""
    return from_base(text, 16)


def twos_complement(number: int, bits: int) -> str:
    """Return the bits of a signed number, as computers store it."""
    if bits < 1:
        raise ValueError("bits must be at least 1")
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise ValueError(f"{number} does not fit into {bits} bits")
    return to_base(number % (1 << bits), 2, width=bits)

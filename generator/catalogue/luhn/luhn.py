"""The Luhn check (ISO/IEC 7812-1): tells mistyped card and account numbers from well-formed ones."""

_DIGITS = set("0123456789")


def _digits(number: str, minimum: int) -> list[int]:
    if not isinstance(number, str):
        # An integer would have lost its leading zeros.
        raise TypeError("the number must be a text")
    compact = number.replace(" ", "").replace("-", "")
    if len(compact) < minimum or not set(compact) <= _DIGITS:
        raise ValueError(f"the number must have at least {minimum} digits, and only digits, spaces and hyphens")
    return [int(digit) for digit in compact]


def _checksum(digits: list[int]) -> int:
    """Add the digits up from the right, every second one doubled and reduced to one digit."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        if position % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10


def is_valid(number: str) -> bool:
    """Say whether the last digit checks the others; what is not a number at all is not valid."""
    try:
        return _checksum(_digits(number, 2)) == 0
    except ValueError:
        return False


def check_digit(partial: str) -> str:
    """Return the digit to append to `partial`."""
    return str(-_checksum([*_digits(partial, 1), 0]) % 10)


def with_check_digit(partial: str) -> str:
    """Return the digits of `partial` and their check digit."""
    return "".join(map(str, _digits(partial, 1))) + check_digit(partial)


def mask(number: str, shown: int = 4) -> str:
    """Return the number with all but its last `shown` digits hidden, for output and logs."""
    digits = "".join(map(str, _digits(number, 1)))
    if not 0 <= shown <= 4:
        raise ValueError("shown must be between 0 and 4")
    hidden = max(0, len(digits) - shown)
    return "*" * hidden + digits[hidden:]

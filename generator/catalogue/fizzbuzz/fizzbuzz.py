"""FizzBuzz, with rules of one's own."""

from collections.abc import Iterable

# Pairs of divisor and word.
Rules = Iterable[tuple[int, str]]

CLASSIC = ((3, "Fizz"), (5, "Buzz"))


def _check_integer(value: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer")


def _checked_rules(rules: Rules) -> tuple[tuple[int, str], ...]:
    rules = tuple(rules)
    for divisor, word in rules:
        _check_integer(divisor, "a divisor")
        if divisor < 1:
            raise ValueError("a divisor must be at least 1")
        if not isinstance(word, str) or not word:
            raise ValueError("a word must be a text that is not empty")
    return rules


def fizzbuzz(number: int, rules: Rules = CLASSIC) -> str:
    """Return the words of every rule that divides `number`, joined in order, or else the number as text."""
    _check_integer(number, "number")
    words = "".join(word for divisor, word in _checked_rules(rules) if number % divisor == 0)
    return words or str(number)


def fizzbuzz_sequence(last: int = 100, first: int = 1, rules: Rules = CLASSIC) -> list[str]:
    """Return the answers for `first` to `last`, both included; none if `last` comes before `first`."""
    _check_integer(last, "last")
    _check_integer(first, "first")
    rules = _checked_rules(rules)
    return [fizzbuzz(number, rules) for number in range(first, last + 1)]


def main() -> None:
    """Print the classic game up to 100."""
    print("\n".join(fizzbuzz_sequence()))


if __name__ == "__main__":
    main()

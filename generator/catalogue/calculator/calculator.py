"""Evaluate arithmetic expressions without executing code."""

import math
import re
from collections.abc import Callable

Number = int | float
# Kind, text and position.
Token = tuple[str, str, int]

MAX_LENGTH = 1000
MAX_DEPTH = 50
MAX_POWER_BITS = 4096

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|//|[-+*/%^(),]))", re.ASCII)

CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, tuple[int | None, Callable[..., Number]]] = {"sqrt": (1, math.sqrt), "abs": (1, abs), "round": (1, round), "min": (None, min), "max": (None, max)}


class CalculatorError(ValueError):
    """The expression cannot be evaluated; the message says why and, where known, at which character."""


def tokenize(text: str) -> list[Token]:
    """Return (kind, text, position) triples, closed by an `end` token."""
    if len(text) > MAX_LENGTH:
        raise CalculatorError(f"the expression is longer than {MAX_LENGTH} characters")
    text = text.rstrip()
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastindex is None:
            raise CalculatorError(f"unexpected character at {position + 1}")
        kind = ("number", "name", "operator")[match.lastindex - 1]
        tokens.append((kind, match.group(match.lastindex), match.start(match.lastindex)))
        position = match.end()
    return [*tokens, ("end", "", len(text))]


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0 and base.bit_length() * exponent > MAX_POWER_BITS:
        raise CalculatorError("the power is too large")
    result = base**exponent
    if isinstance(result, complex):
        raise CalculatorError("the power is not a real number")
    return result


_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": _power,
    "^": _power,
}


class _Parser:
    """Recursive descent: sum > product > sign > power > atom. `depth` guards the stack."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.index][1]

    def take(self) -> Token:
        token = self.tokens[self.index]
        self.index += 1
        return token

    def expect(self, text: str) -> None:
        _, found, position = self.take()
        if found != text:
            raise CalculatorError(f"expected {text or 'the end'} at {position + 1}")

    def chain(self, operators: tuple[str, ...], operand: Callable[[], Number]) -> Number:
        value = operand()
        while self.peek() in operators:
            operator = self.take()[1]
            value = _BINARY[operator](value, operand())
        return value

    def sum(self) -> Number:
        return self.chain(("+", "-"), self.product)

    def product(self) -> Number:
        return self.chain(("*", "/", "//", "%"), self.sign)

    def sign(self) -> Number:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CalculatorError(f"the expression is nested deeper than {MAX_DEPTH} levels")
        if self.peek() in ("+", "-"):
            operator = self.take()[1]
            value = self.sign()
            value = -value if operator == "-" else value
        else:
            value = self.power()
        self.depth -= 1
        return value

    def power(self) -> Number:
        # Binds tighter than a sign on its left, and groups from the right: -2 ** 2 is -4, 2 ** 3 ** 2 is 512.
        value = self.atom()
        if self.peek() in ("**", "^"):
            operator = self.take()[1]
            value = _BINARY[operator](value, self.sign())
        return value

    def atom(self) -> Number:
        kind, text, position = self.take()
        if kind == "number":
            return int(text) if text.isdigit() else float(text)
        if kind == "name":
            return self.call(text, position) if self.peek() == "(" else self.constant(text, position)
        if text == "(":
            value = self.sum()
            self.expect(")")
            return value
        raise CalculatorError(f"expected a number at {position + 1}")

    def constant(self, name: str, position: int) -> Number:
        if name not in CONSTANTS:
            raise CalculatorError(f"unknown name at {position + 1}")
        return CONSTANTS[name]

    def call(self, name: str, position: int) -> Number:
        if name not in FUNCTIONS:
            raise CalculatorError(f"unknown function at {position + 1}")
        self.expect("(")
        arguments = [self.sum()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.sum())
        self.expect(")")
        arity, function = FUNCTIONS[name]
        if arity is not None and len(arguments) != arity:
            raise CalculatorError(f"wrong number of arguments at {position + 1}")
        return function(*arguments) if len(arguments) > 1 or arity else arguments[0]


def calculate(expression: str) -> Number:
    """Return the value of an arithmetic expression; whatever is wrong with it raises `CalculatorError`."""
    parser = _Parser(tokenize(expression))
    try:
        value = parser.sum()
        parser.expect("")
    except ZeroDivisionError as error:
        raise CalculatorError("division by zero") from error
    except (OverflowError, ValueError) as error:
        if isinstance(error, CalculatorError):
            raise
        raise CalculatorError("the result is not a representable number") from error
    if not math.isfinite(value):
        raise CalculatorError("the result is not a representable number")
    return value

"""Declarative validation of submitted forms: typed fields, rules between fields, all errors at once."""

import datetime
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_TEXT_LENGTH = 1000
FORM_ERRORS = "_form"
EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
TRUE_WORDS = frozenset({"true", "on", "yes", "1"})
FALSE_WORDS = frozenset({"false", "off", "no", "0"})


class Invalid(ValueError):
    """A value breaks a rule; the message is meant for the person who fills in the form."""


# Turns the submitted text into a value, or raises `Invalid`.
Parser = Callable[[str], Any]
# Looks at all valid values; raises `Invalid`. Its errors belong to the field it is registered for.
Rule = Callable[[Mapping[str, Any]], None]


def text(*, min_length: int = 0, max_length: int = MAX_TEXT_LENGTH, pattern: str | None = None) -> Parser:
    """Accept text within bounds; `pattern` must match all of it."""
    compiled = None if pattern is None else re.compile(pattern)

    def parse(value: str) -> str:
        if not min_length <= len(value) <= max_length:
            raise Invalid(f"must have {min_length} to {max_length} characters")
        if compiled is not None and not compiled.fullmatch(value):
            raise Invalid("has the wrong format")
        return value

    return parse


def email(value: str) -> str:
    """Accept an e-mail address of the usual form; the domain becomes lower case."""
    if len(value) > 254 or not EMAIL.fullmatch(value):
        raise Invalid("must be an e-mail address")
    local, _, domain = value.rpartition("@")
    return f"{local}@{domain.lower()}"


def _within(number: Any, minimum: Any, maximum: Any) -> None:
    if minimum is not None and number < minimum:
        raise Invalid(f"must be at least {minimum}")
    if maximum is not None and number > maximum:
        raise Invalid(f"must be at most {maximum}")


def integer(*, minimum: int | None = None, maximum: int | None = None) -> Parser:
    """Accept a whole number within bounds."""

    def parse(value: str) -> int:
        if not INTEGER.fullmatch(value):
            raise Invalid("must be a whole number")
        number = int(value)
        _within(number, minimum, maximum)
        return number

    return parse


def decimal(*, places: int = 2, minimum: Decimal | None = None, maximum: Decimal | None = None) -> Parser:
    """Accept a decimal number such as an amount of money, with at most `places` digits behind the point."""

    def parse(value: str) -> Decimal:
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise Invalid("must be a number") from error
        if not number.is_finite():
            raise Invalid("must be a number")
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            raise Invalid(f"must have at most {places} decimal places")
        _within(number, minimum, maximum)
        return number

    return parse


def boolean(value: str) -> bool:
    """Accept what checkboxes and people send for yes and no."""
    word = value.lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise Invalid("must be yes or no")
    return word in TRUE_WORDS


def date(value: str) -> datetime.date:
    """Accept a date in the form of date inputs, YYYY-MM-DD."""
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError as error:
        raise Invalid("must be a date such as 2024-02-29") from error


def choice(options: Collection[str]) -> Parser:
    """Accept one of some words."""

    def parse(value: str) -> str:
        if value not in options:
            raise Invalid(f"must be one of: {', '.join(options)}")
        return value

    return parse


@dataclass(frozen=True)
class Field:
    """How one field is read. `strip` removes space around the text; leave it off for passwords."""

    parser: Parser
    required: bool = True
    default: Any = None
    strip: bool = True


@dataclass(frozen=True)
class Validation:
    """The valid values and, for each field that has any, its errors."""

    values: Mapping[str, Any]
    errors: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether the form may be accepted."""
        return not self.errors


class Form:
    """The fields of a form, and rules between them."""

    def __init__(self, fields: Mapping[str, Field], *, allow_unknown: bool = False) -> None:
        if not fields:
            raise ValueError("a form has at least one field")
        self._fields = dict(fields)
        self._allow_unknown = allow_unknown
        self._rules: list[tuple[str, Rule]] = []

    def rule(self, name: str, check: Rule) -> None:
        """Add a rule between fields, which runs once every field is valid. Its error is shown at `name`."""
        if name not in self._fields and name != FORM_ERRORS:
            raise ValueError(f"the form has no field {name}")
        self._rules.append((name, check))

    def validate(self, submitted: Mapping[str, str]) -> Validation:
        """Read a submitted form. All fields are read, so that all errors can be shown at once."""
        values: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        for name, declared in self._fields.items():
            try:
                values[name] = _read(declared, submitted.get(name))
            except Invalid as error:
                errors.setdefault(name, []).append(str(error))
        if not self._allow_unknown:
            unknown = [name for name in submitted if name not in self._fields]
            errors.update({name: ["is not a field of this form"] for name in unknown})
        if not errors:
            self._apply_rules(values, errors)
        return Validation(values, errors)

    def _apply_rules(self, values: Mapping[str, Any], errors: dict[str, list[str]]) -> None:
        for name, check in self._rules:
            try:
                check(values)
            except Invalid as error:
                errors.setdefault(name, []).append(str(error))


def _read(declared: Field, submitted: str | None) -> Any:
    if submitted is not None and not isinstance(submitted, str):
        raise Invalid("must be text")
    value = "" if submitted is None else submitted
    if declared.strip:
        value = value.strip()
    # Browsers send an empty text for a field that was left empty.
    if not value:
        if declared.required:
            raise Invalid("is required")
        return declared.default
    return declared.parser(value)

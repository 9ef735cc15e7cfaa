"""Check JSON-like data against a schema (a subset of JSON Schema) and report every violation."""

import re
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

MAX_DEPTH = 100

KEYWORDS = {
    "type", "enum", "const", "required", "properties", "additionalProperties", "items", "minItems", "maxItems", "uniqueItems",
    "minLength", "maxLength", "pattern", "minimum", "maximum", "anyOf", "title", "description", "default",
}  # fmt: skip

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer())),
}


class SchemaError(ValueError):
    """The schema itself is wrong."""


@dataclass(frozen=True)
class Violation:
    """One place where the data breaks the schema; `path` is a JSON pointer, empty for the root."""

    path: str
    message: str


def _same(left: Any, right: Any) -> bool:
    # In JSON, 1 and true differ though Python calls them equal.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)


def _pointer(path: str, key: object) -> str:
    return f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _check_type(schema: Schema, value: Any, path: str) -> Iterator[Violation]:
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    unknown = [name for name in names if name not in TYPES]
    if unknown:
        raise SchemaError(f"unknown type {unknown[0]!r}")
    if names and not any(TYPES[name](value) for name in names):
        yield Violation(path, f"must be of type {' or '.join(names)}")


def _check_value(schema: Schema, value: Any, path: str) -> Iterator[Violation]:
    if "enum" in schema and not any(_same(value, option) for option in schema["enum"]):
        yield Violation(path, "must be one of the allowed values")
    if "const" in schema and not _same(value, schema["const"]):
        yield Violation(path, "must be the expected constant")
    if TYPES["number"](value):
        if "minimum" in schema and value < schema["minimum"]:
            yield Violation(path, f"must be at least {schema['minimum']}")
        if "maximum" in schema and value > schema["maximum"]:
            yield Violation(path, f"must be at most {schema['maximum']}")


def _check_length(schema: Schema, value: Sized, path: str, low: str, high: str, unit: str) -> Iterator[Violation]:
    if low in schema and len(value) < schema[low]:
        yield Violation(path, f"must have at least {schema[low]} {unit}")
    if high in schema and len(value) > schema[high]:
        yield Violation(path, f"must have at most {schema[high]} {unit}")


def _check_string(schema: Schema, value: str, path: str, _depth: int) -> Iterator[Violation]:
    yield from _check_length(schema, value, path, "minLength", "maxLength", "characters")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield Violation(path, "must match the pattern")


def _check_array(schema: Schema, value: list[Any], path: str, depth: int) -> Iterator[Violation]:
    yield from _check_length(schema, value, path, "minItems", "maxItems", "items")
    if schema.get("uniqueItems") and any(_same(a, b) for i, a in enumerate(value) for b in value[:i]):
        yield Violation(path, "must not hold an item twice")
    if "items" in schema:
        for index, item in enumerate(value):
            yield from _check(schema["items"], item, _pointer(path, index), depth + 1)


def _check_object(schema: Schema, value: dict[str, Any], path: str, depth: int) -> Iterator[Violation]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield Violation(_pointer(path, name), "is required")
    extra = schema.get("additionalProperties", True)
    for name, item in value.items():
        rule = properties.get(name, extra)
        if rule is False:
            yield Violation(_pointer(path, name), "is not allowed here")
        elif rule is not True:
            yield from _check(rule, item, _pointer(path, name), depth + 1)


def _check(schema: Any, value: Any, path: str, depth: int) -> Iterator[Violation]:
    if depth > MAX_DEPTH:
        yield Violation(path, f"is nested deeper than {MAX_DEPTH} levels")
        return
    if not isinstance(schema, dict):
        raise SchemaError("a schema must be an object")
    surplus = sorted(schema.keys() - KEYWORDS)
    if surplus:
        raise SchemaError(f"unknown keyword {surplus[0]!r}")
    yield from _check_type(schema, value, path)
    yield from _check_value(schema, value, path)
    if "anyOf" in schema and all(list(_check(option, value, path, depth + 1)) for option in schema["anyOf"]):
        yield Violation(path, "must match at least one of the alternatives")
    checks: tuple[tuple[type, Callable[[Schema, Any, str, int], Iterator[Violation]]], ...]
    checks = ((str, _check_string), (list, _check_array), (dict, _check_object))
    for kind, check in checks:
        if isinstance(value, kind):
            yield from check(schema, value, path, depth)


def validate(schema: Schema, data: Any) -> list[Violation]:
    """Return every `Violation` of `schema` in `data`, in document order; an empty list means valid."""
    return list(_check(schema, data, "", 0))


def is_valid(schema: Schema, data: Any) -> bool:
    """Say whether `data` satisfies `schema`."""
    return next(_check(schema, data, "", 0), None) is None

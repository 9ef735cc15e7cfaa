"""Read typed settings from JSON files, INI files and environment variables into a dataclass."""

import configparser
import json
import os
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Settings = TypeVar("Settings")

INI_SECTION = "settings"
MAX_FILE_BYTES = 1_000_000
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class ConfigError(ValueError):
    """The configuration cannot be used; `problems` names every wrong setting and its source."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("invalid configuration:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = problems


def load_config(
    schema: type[Settings],
    *,
    files: Iterable[Path | str] = (),
    environ: Mapping[str, str] | None = None,
    prefix: str = "APP_",
) -> Settings:
    """Return `schema` filled from its defaults, then `files` in order, then environment variables named PREFIX + FIELD.

    Raises `ConfigError` with all problems: unreadable files, unknown or missing settings, values of the wrong type.
    """
    if not (isinstance(schema, type) and is_dataclass(schema)):
        raise TypeError("schema must be a dataclass type")
    hints = get_type_hints(schema)
    variables = {name: prefix + name.upper() for name in hints}
    problems: list[str] = []
    values: dict[str, Any] = {}
    from_files = ((str(file), item) for file in files for item in _read_file(Path(file), problems).items())
    for source, (name, value) in chain(from_files, _read_environment(variables, environ)):
        _store(values, hints, name, value, source, problems)
    reported = " ".join(problems)
    for name in sorted(_required(schema) - values.keys()):
        if f": {name}:" not in reported:
            problems.append(f"{name} is missing: set {variables[name]} or add it to a file")
    if problems:
        raise ConfigError(problems)
    return schema(**values)


def _read_environment(
    variables: Mapping[str, str], environ: Mapping[str, str] | None
) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Yield source, name and value of each variable that is set."""
    environment = os.environ if environ is None else environ
    for name, variable in variables.items():
        if variable in environment:
            yield f"environment variable {variable}", (name, environment[variable])


def _required(schema: Any) -> set[str]:
    """Return the names of the fields without a default."""
    return {each.name for each in fields(schema) if each.default is MISSING and each.default_factory is MISSING}


def _read_file(path: Path, problems: list[str]) -> dict[str, Any]:
    """Return the settings of a file; what is wrong with the file as a whole is added to `problems`."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return _read_json(text)
        if path.suffix in (".ini", ".cfg"):
            return _read_ini(text)
        raise ValueError("unknown format; use .json, .ini or .cfg")
    except (OSError, ValueError, configparser.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        problems.append(f"{path}: {reason}")
        return {}


def _read_json(text: str) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("the top level must be an object")
    return content


def _read_ini(text: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    if not parser.has_section(INI_SECTION):
        raise ValueError(f"section [{INI_SECTION}] is missing")
    return dict(parser[INI_SECTION])


def _store(
    values: dict[str, Any], hints: Mapping[str, Any], key: str, value: Any, source: str, problems: list[str]
) -> None:
    if key not in hints:
        problems.append(f"{source}: {key} is unknown; known are {', '.join(sorted(hints))}")
        return
    try:
        values[key] = convert(value, hints[key])
    except ValueError as error:
        # The value itself is left out: it may be a secret.
        problems.append(f"{source}: {key}: {error}")


def convert(value: Any, wanted: Any) -> Any:
    """Return `value` (text, or a value from JSON) as the type `wanted`; raises `ValueError` that says what is expected."""
    if get_origin(wanted) is types.UnionType:
        inner = [member for member in get_args(wanted) if member is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"unsupported type {wanted}")
        return None if value is None or value == "" else convert(value, inner[0])
    if wanted == list[str]:
        return _to_list(value)
    if wanted is bool:
        return _to_bool(value)
    if wanted in (int, float):
        return _to_number(value, wanted)
    if wanted in (str, Path):
        if not isinstance(value, str):
            raise ValueError("expected text")
        return wanted(value)
    raise TypeError(f"unsupported type {wanted}")


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _BOOLEANS:
        raise ValueError(f"expected one of {', '.join(_BOOLEANS)}")
    return _BOOLEANS[word]


def _to_number(value: Any, wanted: type[int] | type[float]) -> int | float:
    expected = "expected a whole number" if wanted is int else "expected a number"
    is_lossy = wanted is int and isinstance(value, float)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or is_lossy:
        raise ValueError(expected)
    try:
        return wanted(value)
    except ValueError:
        raise ValueError(expected) from None


def _to_list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise ValueError("expected a list of texts, or texts separated by commas")

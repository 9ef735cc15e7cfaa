"""Convert CSV to JSON and back."""

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DELIMITER = ","
INDENT = 2
# Longer integers are identifiers that other JSON readers would round.
MAX_INTEGER_DIGITS = 15
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class ConversionError(ValueError):
    """The input cannot be converted; the message says where and why."""


def csv_to_records(text: str, *, delimiter: str = DELIMITER, infer_types: bool = False) -> list[dict[str, Any]]:
    """Return a dictionary for each row, by the names of the header; with `infer_types`, numbers and booleans are values."""
    rows = [row for row in _rows(text, delimiter) if row[1]]
    if not rows:
        raise ConversionError("the CSV is empty; a header is needed")
    header = rows[0][1]
    _check_header(header)
    records = []
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise ConversionError(f"line {line} has {len(row)} fields instead of {len(header)}")
        records.append(dict(zip(header, map(infer, row) if infer_types else row)))
    return records


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    # A byte order mark would become a part of the first name.
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        for row in reader:
            rows.append((reader.line_num, row))
    except csv.Error as error:
        raise ConversionError(f"line {reader.line_num}: {error}") from error
    return rows


def _check_header(header: Sequence[str]) -> None:
    if any(not name.strip() for name in header):
        raise ConversionError("the header has an empty name")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ConversionError(f"the header repeats {', '.join(repeated)}")


def infer(text: str) -> str | int | float | bool | None:
    """Return the number or boolean that `text` writes as JSON does, None for no text, and `text` itself otherwise.

    Codes such as "007", "+49" and "1_000" stay text.
    """
    if text == "":
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if not _JSON_NUMBER.fullmatch(text):
        return text
    if text.removeprefix("-").isdigit():
        return int(text) if len(text) <= MAX_INTEGER_DIGITS else text
    value = float(text)
    return value if math.isfinite(value) else text


def records_to_csv(records: Sequence[dict[str, Any]], *, delimiter: str = DELIMITER) -> str:
    """Return the records as CSV; the columns are all keys, in the order of their first occurrence."""
    columns: dict[str, None] = {}
    for record in records:
        columns.update(dict.fromkeys(record))
    if not columns:
        return ""
    output = io.StringIO(newline="")
    writer = csv.writer(output, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    for record in records:
        writer.writerow([_cell(record.get(name)) for name in columns])
    return output.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # Nested values stay readable, and booleans are written as JSON does.
    return json.dumps(value, ensure_ascii=False)


def csv_to_json(text: str, *, delimiter: str = DELIMITER, infer_types: bool = False) -> str:
    """Return a JSON array with an object for each row of a CSV text."""
    records = csv_to_records(text, delimiter=delimiter, infer_types=infer_types)
    return json.dumps(records, indent=INDENT, ensure_ascii=False)


def json_to_csv(text: str, *, delimiter: str = DELIMITER) -> str:
    """Return the CSV of a JSON array of objects."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConversionError(f"not JSON: {error}") from error
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise ConversionError("the JSON must be an array of objects")
    return records_to_csv(content, delimiter=delimiter)


def convert_file(source: Path, target: Path, *, delimiter: str = DELIMITER, infer_types: bool = False) -> None:
    """Convert `source` to `target`; the endings `.csv` and `.json` say in which direction."""
    endings = (source.suffix.lower(), target.suffix.lower())
    text = source.read_text(encoding="utf-8-sig")
    if endings == (".csv", ".json"):
        converted = csv_to_json(text, delimiter=delimiter, infer_types=infer_types) + "\n"
    elif endings == (".json", ".csv"):
        converted = json_to_csv(text, delimiter=delimiter)
    else:
        raise ConversionError(f"cannot convert {endings[0] or 'no ending'} to {endings[1] or 'no ending'}; use .csv and .json")
    target.write_text(converted, encoding="utf-8")

"""Summarise the columns of a CSV text: counts, means, quartiles, most frequent values."""

import csv
import io
import math
import statistics
from collections import Counter
from dataclasses import dataclass, field
from os import PathLike

MISSING = {"", "na", "n/a", "nan", "null", "none", "-"}


class CsvError(ValueError):
    """The text is not a table; the message names the row."""


@dataclass(frozen=True)
class NumericSummary:
    """A column whose present values are all numbers."""

    count: int
    missing: int
    total: float
    mean: float
    minimum: float
    maximum: float
    quartiles: tuple[float, ...]
    standard_deviation: float


@dataclass(frozen=True)
class TextSummary:
    """A column with at least one value that is not a number."""

    count: int
    missing: int
    distinct: int
    most_common: list[tuple[str, int]] = field(default_factory=list)


def parse_rows(text: str, delimiter: str = ",") -> tuple[list[str], list[list[str]]]:
    """Return (header, rows); every row must have as many fields as the header, blank lines are skipped."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [[cell.strip() for cell in row] for row in reader if row]
    except csv.Error as error:
        raise CsvError(f"line {reader.line_num}: {error}") from error
    if not rows:
        raise CsvError("the text has no header")
    header = rows.pop(0)
    if len(set(header)) != len(header) or "" in header:
        raise CsvError("column names must be present and unique")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise CsvError(f"row {number} has {len(row)} fields, the header has {len(header)}")
    return header, rows


def read_file(
    path: str | PathLike[str],
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> tuple[list[str], list[list[str]]]:
    """Return (header, rows) of a CSV file."""
    with open(path, encoding=encoding, newline="") as file:
        return parse_rows(file.read(), delimiter)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    # Python also reads "inf" and "1_000" as numbers; in a table they are text.
    return value if math.isfinite(value) and "_" not in cell else None


def _quartiles(values: list[float]) -> tuple[float, ...]:
    if len(values) == 1:
        return (values[0],) * 3
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def summarise_column(cells: list[str], top: int = 3) -> NumericSummary | TextSummary:
    """Return the summary of one column's cells."""
    present = [cell for cell in cells if cell.lower() not in MISSING]
    missing = len(cells) - len(present)
    numbers = [number for number in map(_number, present) if number is not None]
    if present and len(numbers) == len(present):
        return NumericSummary(
            count=len(numbers),
            missing=missing,
            total=math.fsum(numbers),
            mean=statistics.fmean(numbers),
            minimum=min(numbers),
            maximum=max(numbers),
            quartiles=_quartiles(numbers),
            standard_deviation=statistics.stdev(numbers) if len(numbers) > 1 else 0.0,
        )
    counted = Counter(present)
    # Ties are broken by name, so that the same table always gives the same summary.
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return TextSummary(len(present), missing, len(counted), ranked[:top])


def summarise(text: str, delimiter: str = ",") -> dict[str, NumericSummary | TextSummary]:
    """Return a summary for each column of a CSV text, by column name and in the table's order."""
    header, rows = parse_rows(text, delimiter)
    return {name: summarise_column([row[index] for row in rows]) for index, name in enumerate(header)}


def column_total(text: str, name: str, delimiter: str = ",") -> float:
    """Return the sum of a numeric column; missing values do not count."""
    summary = summarise(text, delimiter).get(name)
    if summary is None:
        raise CsvError("the table has no column of this name")
    if not isinstance(summary, NumericSummary):
        raise CsvError("the column is not numeric")
    return summary.total


def summarise_file(
    path: str | PathLike[str],
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> dict[str, NumericSummary | TextSummary]:
    """Return the summary of a CSV file."""
    with open(path, encoding=encoding, newline="") as file:
        return summarise(file.read(), delimiter)

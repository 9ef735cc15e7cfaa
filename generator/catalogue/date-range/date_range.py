"""Ranges of calendar days: overlap, iteration, business days."""

from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6
WEEKEND = frozenset({SATURDAY, SUNDAY})


@dataclass(frozen=True, order=True)
class DateRange:
    """The days from `start` to `end`, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        for name, day in (("start", self.start), ("end", self.end)):
            if isinstance(day, datetime) or not isinstance(day, date):
                raise TypeError(f"{name} must be a date without a time")
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")

    @classmethod
    def parse(cls, text: str) -> "DateRange":
        """Return the range written as `2024-01-31/2024-02-05`, or as a single day."""
        start, separator, end = text.strip().partition("/")
        try:
            return cls(date.fromisoformat(start), date.fromisoformat(end if separator else start))
        except ValueError as error:
            raise ValueError(f"not a date range such as 2024-01-31/2024-02-05: {error}") from error

    @classmethod
    def of_month(cls, year: int, month: int) -> "DateRange":
        """Return all days of a month."""
        return cls(date(year, month, 1), date(year, month, monthrange(year, month)[1]))

    def __len__(self) -> int:
        return (self.end - self.start).days + 1

    def __contains__(self, day: object) -> bool:
        if isinstance(day, datetime):
            day = day.date()
        return isinstance(day, date) and self.start <= day <= self.end

    def __iter__(self) -> Iterator[date]:
        return self.days()

    def days(self, step: int = 1) -> Iterator[date]:
        """Yield every `step`-th day, the earliest first."""
        if step < 1:
            raise ValueError("step must be at least 1")
        for offset in range(0, len(self), step):
            yield self.start + timedelta(days=offset)

    def __str__(self) -> str:
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    def overlaps(self, other: "DateRange") -> bool:
        """Return whether the ranges share a day."""
        return self.start <= other.end and other.start <= self.end

    def contains_range(self, other: "DateRange") -> bool:
        """Return whether every day of `other` is in this range."""
        return self.start <= other.start and other.end <= self.end

    def intersection(self, other: "DateRange") -> "DateRange | None":
        """Return the shared days, or None."""
        if not self.overlaps(other):
            return None
        return DateRange(max(self.start, other.start), min(self.end, other.end))

    def difference(self, other: "DateRange") -> list["DateRange"]:
        """Return the days that are not in `other`, as zero, one or two ranges."""
        if not self.overlaps(other):
            return [self]
        parts = []
        if self.start < other.start:
            parts.append(DateRange(self.start, other.start - _DAY))
        if other.end < self.end:
            parts.append(DateRange(other.end + _DAY, self.end))
        return parts

    def business_days(self, holidays: Collection[date] = (), weekend: Collection[int] = WEEKEND) -> list[date]:
        """Return the days that are neither holidays nor on the weekend (Monday is 0, Sunday is 6)."""
        return [day for day in self if is_business_day(day, holidays, weekend)]

    def split(self, days: int) -> Iterator["DateRange"]:
        """Yield ranges of `days` days; the last one may be shorter."""
        for first in self.days(days):
            last = self.end if (self.end - first).days < days else first + timedelta(days=days - 1)
            yield DateRange(first, last)


def is_business_day(day: date, holidays: Collection[date] = (), weekend: Collection[int] = WEEKEND) -> bool:
    """Return whether `day` is neither a holiday nor on the weekend."""
    return day.weekday() not in weekend and day not in holidays


def add_business_days(
    start: date, count: int, holidays: Collection[date] = (), weekend: Collection[int] = WEEKEND
) -> date:
    """Return the day that is `count` business days after `start`, or before it if `count` is negative."""
    if set(range(7)) <= set(weekend):
        raise ValueError("weekend must leave at least one business day")
    step = _DAY if count >= 0 else -_DAY
    day, left = start, abs(count)
    while left:
        day += step
        left -= is_business_day(day, holidays, weekend)
    return day


def merge(ranges: Iterable[DateRange]) -> list[DateRange]:
    """Return the same days as few ranges, in order: ranges that overlap or adjoin become one."""
    merged: list[DateRange] = []
    for each in sorted(ranges):
        last = merged[-1] if merged else None
        # Compared by difference, so that date.max has no day after it to compute.
        if last is not None and each.start - last.end <= _DAY:
            merged[-1] = DateRange(last.start, max(last.end, each.end))
        else:
            merged.append(each)
    return merged

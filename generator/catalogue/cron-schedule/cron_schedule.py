"""Parse five-field cron expressions and compute when they run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

# A leap day on a given weekday comes back within 40 years, even over a century without a leap year.
MAX_SEARCH_YEARS = 40

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_WEEKDAYS = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}
_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class CronError(ValueError):
    """The expression is not a cron expression, or never comes due; the message names the field."""


@dataclass(frozen=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: dict[str, int]

    def number(self, text: str) -> int:
        value = self.names.get(text.lower())
        if value is None and text.isascii() and text.isdigit():
            value = int(text)
        if value is None or not self.lowest <= value <= self.highest:
            raise CronError(f"{self.name}: {text!r} is not a value from {self.lowest} to {self.highest}")
        return value

    def item(self, text: str) -> range:
        """Return the values of one item: `*`, `5`, `1-5`, `*/15`, `10-40/5` or `10/5`."""
        span, slash, step_text = text.partition("/")
        if slash and not (step_text.isascii() and step_text.isdigit() and int(step_text) > 0):
            raise CronError(f"{self.name}: the step in {text!r} must be a positive number")
        step = int(step_text) if slash else 1
        first_text, dash, last_text = span.partition("-")
        if span == "*":
            first, last = self.lowest, self.highest
        else:
            first = self.number(first_text)
            last = self.number(last_text) if dash else (self.highest if slash else first)
        if first > last:
            raise CronError(f"{self.name}: the range {span!r} runs backwards")
        return range(first, last + 1, step)

    def values(self, text: str) -> frozenset[int]:
        return frozenset(value for item in text.split(",") for value in self.item(item))


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    # 7 is Sunday as well as 0.
    _Field("day of week", 0, 7, _WEEKDAYS),
)


class CronSchedule:
    """The minutes at which a cron expression is due."""

    def __init__(self, expression: str) -> None:
        parts = _ALIASES.get(expression.strip().lower(), expression).split()
        if len(parts) != len(_FIELDS):
            names = ", ".join(field.name for field in _FIELDS)
            raise CronError(f"expected 5 fields ({names}) or an alias such as @daily, found {len(parts)}")
        minutes, hours, days, months, weekdays = (field.values(part) for field, part in zip(_FIELDS, parts))
        self.expression = " ".join(parts)
        self._months, self._days = months, days
        self._weekdays = frozenset(day % 7 for day in weekdays)
        self._times = [time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)]
        # By tradition, if both days are restricted then either of them is enough.
        self._either_day = not parts[2].startswith("*") and not parts[4].startswith("*")

    def __repr__(self) -> str:
        return f"CronSchedule({self.expression!r})"

    def _runs_on(self, day: date) -> bool:
        if day.month not in self._months:
            return False
        by_month, by_week = day.day in self._days, day.isoweekday() % 7 in self._weekdays
        return by_month or by_week if self._either_day else by_month and by_week

    def matches(self, moment: datetime) -> bool:
        """Return whether the schedule is due in the minute of `moment`."""
        return self._runs_on(moment.date()) and time(moment.hour, moment.minute) in self._times

    def next_run(self, after: datetime) -> datetime:
        """Return the first due minute that is later than `after`; raises `CronError` if there is none within 40 years."""
        return next(self.runs(after))

    def runs(self, after: datetime) -> Iterator[datetime]:
        """Yield the due minutes later than `after`, in order."""
        day, found_on = after.date(), after.date()
        while True:
            if self._runs_on(day):
                for at in self._times:
                    moment = datetime.combine(day, at, after.tzinfo)
                    # Compared without a zone: the schedule follows the clock on the wall.
                    if moment.replace(tzinfo=None) > after.replace(tzinfo=None):
                        yield moment
                        found_on = day
            if day == date.max or day.year - found_on.year > MAX_SEARCH_YEARS:
                raise CronError(f"{self.expression!r} is not due again after {found_on}")
            day = self._next_day(day)

    def _next_day(self, day: date) -> date:
        if day.month in self._months or day.year == date.max.year and day.month == date.max.month:
            return day + timedelta(days=1)
        # A month without runs is passed over as a whole.
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def next_runs(expression: str, after: datetime, count: int = 1) -> list[datetime]:
    """Return the next `count` due minutes of a cron expression."""
    if count < 1:
        raise ValueError("count must be at least 1")
    return list(islice(CronSchedule(expression).runs(after), count))

"""Ages and differences of dates in years, months and days, as people count them."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, order=True)
class Age:
    """Completed years, then months, then days."""

    years: int
    months: int
    days: int

    def __str__(self) -> str:
        parts = [(self.years, "year"), (self.months, "month"), (self.days, "day")]
        named = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
        return ", ".join(named) or "0 days"


def _check(value: date, name: str) -> date:
    # A datetime is a date as well, but its time of day would be dropped silently.
    if type(value) is not date:
        raise TypeError(f"{name} must be a date without a time")
    return value


def add_months(start: date, months: int) -> date:
    """Return the same day some months later; the last day of the month where it has no such day."""
    year, month = divmod(_check(start, "start").year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def age(birth: date, on: date | None = None) -> Age:
    """Return the age on a day, today by default.

    Somebody born on 29 February completes a year on 28 February of years without that day.
    """
    today = _check(on, "on") if on is not None else date.today()
    if today < _check(birth, "birth"):
        raise ValueError(f"{today} is before the birth on {birth}")
    months = (today.year - birth.year) * 12 + today.month - birth.month
    if add_months(birth, months) > today:
        months -= 1
    return Age(months // 12, months % 12, (today - add_months(birth, months)).days)


def age_in_years(birth: date, on: date | None = None) -> int:
    """Return the completed years."""
    return age(birth, on).years


def is_at_least(years: int, birth: date, on: date | None = None) -> bool:
    """Say whether somebody has completed a number of years."""
    return age_in_years(birth, on) >= years


def next_birthday(birth: date, on: date | None = None) -> date:
    """Return the next birthday; a birthday of today counts."""
    today = _check(on, "on") if on is not None else date.today()
    years = today.year - _check(birth, "birth").year
    this_year = add_months(birth, 12 * years)
    return this_year if this_year >= today else add_months(birth, 12 * (years + 1))


def days_until_birthday(birth: date, on: date | None = None) -> int:
    """Return the days until the next birthday; 0 on the day itself."""
    today = _check(on, "on") if on is not None else date.today()
    return (next_birthday(birth, today) - today).days


def days_between(first: date, second: date) -> int:
    """Return the days from one date to the other, whichever is earlier."""
    return abs((_check(second, "second") - _check(first, "first")).days)


def difference(first: date, second: date) -> Age:
    """Return the time between two dates in years, months and days, whichever is earlier."""
    return age(min(first, second), max(first, second))


def parse_date(text: str) -> date:
    """Return the date of a text such as `1990-12-31`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date of the form YYYY-MM-DD") from None


def round_birthday(birth: date, days: int) -> date:
    """Return the day on which somebody is a number of days old, such as 10,000."""
    return _check(birth, "birth") + timedelta(days=days)

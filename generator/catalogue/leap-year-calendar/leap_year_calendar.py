"""The Gregorian calendar by arithmetic: leap years, weekdays and a month as text."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _check(value: int, name: str, least: int, greatest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer")
    if not least <= value <= greatest:
        raise ValueError(f"{name} must be from {least} to {greatest}, not {value}")


def is_leap_year(year: int) -> bool:
    """Say whether a year has 366 days: divisible by 4, but by 100 only if also by 400."""
    _check(year, "year", 1, 9999)
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def leap_years(first: int, last: int) -> list[int]:
    """Return the leap years from `first` to `last`, both included."""
    return [year for year in range(first, last + 1) if is_leap_year(year)]


def days_in_month(year: int, month: int) -> int:
    """Return the number of days of a month from 1 to 12."""
    _check(year, "year", 1, 9999)
    _check(month, "month", 1, 12)
    return 29 if month == 2 and is_leap_year(year) else _DAYS[month - 1]


def days_in_year(year: int) -> int:
    """Return 366 for leap years, else 365."""
    return 366 if is_leap_year(year) else 365


def day_of_year(year: int, month: int, day: int) -> int:
    """Return the number of a day in its year: 1 for 1 January."""
    _check(day, "day", 1, days_in_month(year, month))
    return sum(days_in_month(year, earlier) for earlier in range(1, month)) + day


def weekday(year: int, month: int, day: int) -> int:
    """Return the weekday of a date: 0 for Monday to 6 for Sunday."""
    before = year - 1
    # 1 January of year 1 is a Monday; each earlier year moves the weekday by one, each leap year by one more.
    leap_days = before // 4 - before // 100 + before // 400
    return (before + leap_days + day_of_year(year, month, day) - 1) % 7


def weekday_name(year: int, month: int, day: int) -> str:
    """Return the name of the weekday of a date."""
    return WEEKDAYS[weekday(year, month, day)]


def month_weeks(year: int, month: int, *, sunday_first: bool = False) -> list[list[int]]:
    """Return the weeks of a month as lists of seven days; 0 is a day of another month."""
    blank = (weekday(year, month, 1) + sunday_first) % 7
    days = [0] * blank + list(range(1, days_in_month(year, month) + 1))
    days += [0] * (-len(days) % 7)
    return [days[start : start + 7] for start in range(0, len(days), 7)]


def render_month(year: int, month: int, *, sunday_first: bool = False) -> str:
    """Return a month as text, a line for each week."""
    names = WEEKDAYS[-1:] + WEEKDAYS[:-1] if sunday_first else WEEKDAYS
    weeks = month_weeks(year, month, sunday_first=sunday_first)
    lines = [f"{MONTHS[month - 1]} {year}".center(20), " ".join(name[:2] for name in names)]
    lines += [" ".join(f"{day:2}" if day else "  " for day in week) for week in weeks]
    return "\n".join(line.rstrip() for line in lines)

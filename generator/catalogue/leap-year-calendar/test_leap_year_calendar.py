import calendar
import datetime

import pytest

from leap_year_calendar import (
    day_of_year,
    days_in_month,
    days_in_year,
    is_leap_year,
    leap_years,
    month_weeks,
    render_month,
    weekday,
    weekday_name,
)


@pytest.mark.parametrize("year, expected", [(2024, True), (2023, False), (1900, False), (2000, True), (2100, False), (4, True), (1, False)])
def test_leap_years(year, expected):
    assert is_leap_year(year) == expected


def test_every_year_agrees_with_the_standard_library():
    assert all(is_leap_year(year) == calendar.isleap(year) for year in range(1, 10_000))


def test_leap_years_of_a_range_include_both_ends():
    assert leap_years(1896, 1912) == [1896, 1904, 1908, 1912]
    assert leap_years(2021, 2023) == []
    assert leap_years(2024, 2020) == []


def test_days_of_months_and_years():
    assert [days_in_month(2023, month) for month in range(1, 13)] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert days_in_month(2024, 2) == 29
    assert (days_in_year(2023), days_in_year(2024)) == (365, 366)


@pytest.mark.parametrize("first", [datetime.date(1, 1, 1), datetime.date(1899, 12, 1), datetime.date(1999, 12, 1), datetime.date(9998, 11, 1)])
def test_weekdays_and_days_of_the_year_agree_with_the_standard_library(first):
    for offset in range(400):
        date = first + datetime.timedelta(days=offset)
        assert weekday(date.year, date.month, date.day) == date.weekday()
        assert day_of_year(date.year, date.month, date.day) == date.timetuple().tm_yday


def test_names_of_weekdays():
    assert weekday_name(2024, 2, 29) == "Thursday"
    assert weekday_name(1969, 7, 20) == "Sunday"


@pytest.mark.parametrize("sunday_first", [False, True])
def test_weeks_agree_with_the_standard_library(sunday_first):
    expected = calendar.Calendar(6 if sunday_first else 0)
    for year, month in [(2024, 2), (2015, 2), (2023, 10), (2026, 3)]:
        assert month_weeks(year, month, sunday_first=sunday_first) == expected.monthdayscalendar(year, month)


def test_a_month_as_text():
    assert render_month(2024, 2).splitlines() == [
        "   February 2024",
        "Mo Tu We Th Fr Sa Su",
        "          1  2  3  4",
        " 5  6  7  8  9 10 11",
        "12 13 14 15 16 17 18",
        "19 20 21 22 23 24 25",
        "26 27 28 29",
    ]


def test_a_month_that_starts_on_sunday():
    assert render_month(2015, 2, sunday_first=True).splitlines()[1:3] == ["Su Mo Tu We Th Fr Sa", " 1  2  3  4  5  6  7"]


@pytest.mark.parametrize("date", [(0, 1, 1), (10_000, 1, 1), (2023, 0, 1), (2023, 13, 1), (2023, 2, 29), (2023, 4, 31), (2023, 1, 0)])
def test_days_that_do_not_exist_are_refused(date):
    with pytest.raises(ValueError, match="must be from"):
        weekday(*date)


@pytest.mark.parametrize("year", [2024.0, "2024", None, True])
def test_only_integers(year):
    with pytest.raises(TypeError, match="year must be an integer"):
        is_leap_year(year)

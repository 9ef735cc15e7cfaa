from datetime import date, datetime, timedelta

import pytest

from age_calculator import (
    Age,
    add_months,
    age,
    age_in_years,
    days_between,
    days_until_birthday,
    difference,
    is_at_least,
    next_birthday,
    parse_date,
    round_birthday,
)


@pytest.mark.parametrize(
    "birth, on, expected",
    [
        (date(1990, 5, 15), date(2024, 5, 15), Age(34, 0, 0)),
        (date(1990, 5, 15), date(2024, 5, 14), Age(33, 11, 29)),
        (date(1990, 5, 15), date(1990, 5, 15), Age(0, 0, 0)),
        (date(2000, 12, 31), date(2001, 1, 1), Age(0, 0, 1)),
        (date(2000, 1, 31), date(2000, 2, 29), Age(0, 1, 0)),
        (date(2000, 1, 31), date(2000, 3, 1), Age(0, 1, 1)),
        (date(2004, 2, 29), date(2023, 2, 28), Age(19, 0, 0)),
        (date(2004, 2, 29), date(2024, 2, 28), Age(19, 11, 30)),
    ],
)
def test_ages(birth, on, expected):
    assert age(birth, on) == expected


def test_an_age_added_to_the_birth_is_the_day():
    birth = date(1999, 8, 31)
    for offset in range(3000):
        day = birth + timedelta(days=offset)
        found = age(birth, day)
        assert add_months(birth, 12 * found.years + found.months) + timedelta(days=found.days) == day
        assert 0 <= found.months < 12 and 0 <= found.days < 31


def test_completed_years():
    assert age_in_years(date(2006, 3, 10), date(2024, 3, 9)) == 17
    assert is_at_least(18, date(2006, 3, 10), date(2024, 3, 10))
    assert not is_at_least(18, date(2006, 3, 10), date(2024, 3, 9))


def test_today_is_the_default():
    yesterday = date.today() - timedelta(days=1)
    # Midnight may pass between the two calls.
    assert age(yesterday) in (Age(0, 0, 1), Age(0, 0, 2))
    assert days_until_birthday(yesterday) > 300


def test_the_next_birthday():
    birth = date(1990, 5, 15)
    assert next_birthday(birth, date(2024, 5, 15)) == date(2024, 5, 15)
    assert next_birthday(birth, date(2024, 5, 16)) == date(2025, 5, 15)
    assert days_until_birthday(birth, date(2024, 5, 14)) == 1
    assert next_birthday(date(2004, 2, 29), date(2023, 1, 1)) == date(2023, 2, 28)
    assert next_birthday(date(2004, 2, 29), date(2023, 3, 1)) == date(2024, 2, 29)


def test_days_between_dates():
    assert days_between(date(2024, 1, 1), date(2024, 12, 31)) == 365
    assert days_between(date(2024, 12, 31), date(2024, 1, 1)) == 365
    assert days_between(date(2024, 1, 1), date(2024, 1, 1)) == 0


def test_the_difference_does_not_depend_on_the_order():
    first, second = date(2020, 2, 29), date(2024, 3, 1)
    assert difference(first, second) == difference(second, first) == Age(4, 0, 1)


def test_ages_in_words_and_in_order():
    assert str(Age(1, 2, 1)) == "1 year, 2 months, 1 day"
    assert str(Age(0, 0, 0)) == "0 days"
    assert Age(2, 0, 0) > Age(1, 11, 30)


def test_round_birthdays():
    assert round_birthday(date(2000, 1, 1), 10_000) == date(2027, 5, 19)


def test_dates_from_text():
    assert parse_date(" 1990-12-31 ") == date(1990, 12, 31)
    for text in ["", "31.12.1990", "1990-02-30"]:
        with pytest.raises(ValueError, match="YYYY-MM-DD"):
            parse_date(text)


def test_a_birth_in_the_future_is_refused():
    with pytest.raises(ValueError, match="before the birth"):
        age(date(2030, 1, 1), date(2029, 12, 31))


@pytest.mark.parametrize("value", ["1990-12-31", datetime(1990, 12, 31), None, 1990])
def test_only_dates(value):
    with pytest.raises(TypeError, match="birth must be a date"):
        age(value, date(2024, 1, 1))

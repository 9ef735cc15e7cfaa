from datetime import date, datetime

import pytest

from date_range import WEEKEND, DateRange, add_business_days, is_business_day, merge


def span(text):
    return DateRange.parse(text)


def test_both_ends_belong_to_a_range():
    days = span("2024-02-28/2024-03-01")
    assert list(days) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert (len(days), str(days)) == (3, "2024-02-28/2024-03-01")


def test_a_single_day_is_a_range():
    assert span("2024-01-01") == DateRange(date(2024, 1, 1), date(2024, 1, 1))
    assert len(span("2024-01-01")) == 1


def test_membership_of_days_times_and_other_things():
    days = span("2024-01-01/2024-01-31")
    assert date(2024, 1, 31) in days
    assert datetime(2024, 1, 31, 23, 59) in days
    assert date(2024, 2, 1) not in days
    assert "2024-01-05" not in days


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("2024-01-01/2024-01-10", "2024-01-10/2024-01-20", "2024-01-10"),
        ("2024-01-01/2024-01-31", "2024-01-05/2024-01-06", "2024-01-05/2024-01-06"),
        ("2024-01-01/2024-01-09", "2024-01-10/2024-01-20", None),
    ],
)
def test_overlap_and_intersection_in_both_directions(first, second, shared):
    expected = span(shared) if shared else None
    for one, other in ((span(first), span(second)), (span(second), span(first))):
        assert one.intersection(other) == expected
        assert one.overlaps(other) == (expected is not None)


def test_containment():
    assert span("2024-01-01/2024-01-31").contains_range(span("2024-01-01/2024-01-31"))
    assert not span("2024-01-01/2024-01-31").contains_range(span("2024-01-31/2024-02-01"))


def test_difference_leaves_up_to_two_parts():
    whole = span("2024-01-01/2024-01-10")
    assert [str(part) for part in whole.difference(span("2024-01-04/2024-01-05"))] == ["2024-01-01/2024-01-03", "2024-01-06/2024-01-10"]
    assert whole.difference(whole) == []
    assert whole.difference(span("2025-01-01")) == [whole]


def test_business_days_leave_out_weekends_and_holidays():
    week = span("2024-04-29/2024-05-05")
    assert week.business_days() == [date(2024, 4, 29), date(2024, 4, 30), date(2024, 5, 1), date(2024, 5, 2), date(2024, 5, 3)]
    assert date(2024, 5, 1) not in week.business_days(holidays={date(2024, 5, 1)})
    assert len(week.business_days(weekend={4, 5})) == 5
    assert not is_business_day(date(2024, 5, 4), weekend=WEEKEND)


def test_business_days_are_added_over_weekends_and_subtracted():
    friday = date(2024, 5, 3)
    assert add_business_days(friday, 1) == date(2024, 5, 6)
    assert add_business_days(friday, 1, holidays={date(2024, 5, 6)}) == date(2024, 5, 7)
    assert add_business_days(date(2024, 5, 6), -1) == friday
    assert add_business_days(date(2024, 5, 4), 0) == date(2024, 5, 4)
    with pytest.raises(ValueError, match="weekend"):
        add_business_days(friday, 1, weekend=range(7))


def test_steps_and_splits():
    days = span("2024-01-01/2024-01-10")
    assert [day.day for day in days.days(step=4)] == [1, 5, 9]
    assert [str(part) for part in days.split(4)] == ["2024-01-01/2024-01-04", "2024-01-05/2024-01-08", "2024-01-09/2024-01-10"]
    assert list(days.split(10)) == [days]


@pytest.mark.parametrize("days", [0, -1])
def test_steps_below_one_are_refused(days):
    with pytest.raises(ValueError, match="at least 1"):
        list(span("2024-01-01").split(days))


def test_ranges_that_overlap_or_adjoin_are_merged():
    ranges = [span("2024-01-05/2024-01-08"), span("2024-01-01/2024-01-04"), span("2024-01-07"), span("2024-02-01")]
    assert [str(each) for each in merge(ranges)] == ["2024-01-01/2024-01-08", "2024-02-01/2024-02-01"]
    assert merge([]) == []


def test_months_and_the_end_of_the_calendar():
    assert str(DateRange.of_month(2024, 2)) == "2024-02-01/2024-02-29"
    december = DateRange.of_month(9999, 12)
    assert december.end == date.max
    assert list(december)[-1] == date.max
    assert [len(part) for part in december.split(30)] == [30, 1]
    assert merge([december, december]) == [december]


@pytest.mark.parametrize("text", ["", "2024-13-01", "2024-01-02/", "2024-01-02/2024-01-01", "yesterday"])
def test_text_that_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match="not a date range"):
        span(text)


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="before start"):
        DateRange(date(2024, 1, 2), date(2024, 1, 1))
    with pytest.raises(TypeError, match="start must be a date"):
        DateRange(datetime(2024, 1, 1), date(2024, 1, 2))
    with pytest.raises(TypeError, match="end must be a date"):
        DateRange(date(2024, 1, 1), "2024-01-02")

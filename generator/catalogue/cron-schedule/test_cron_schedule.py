from datetime import datetime, timedelta, timezone

import pytest

from cron_schedule import CronError, CronSchedule, next_runs

MONDAY = datetime(2024, 1, 1, 10, 7, 30)


def runs(expression, count=3, after=MONDAY):
    return [f"{moment:%m-%d %H:%M}" for moment in next_runs(expression, after, count)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", ["01-01 10:08", "01-01 10:09", "01-01 10:10"]),
        ("*/15 * * * *", ["01-01 10:15", "01-01 10:30", "01-01 10:45"]),
        ("10-20/5 9 * * *", ["01-02 09:10", "01-02 09:15", "01-02 09:20"]),
        ("50/5 * * * *", ["01-01 10:50", "01-01 10:55", "01-01 11:50"]),
        ("0 9 * * 1-5", ["01-02 09:00", "01-03 09:00", "01-04 09:00"]),
        ("0 0 1,15 * *", ["01-15 00:00", "02-01 00:00", "02-15 00:00"]),
        ("30 6 * MAR sun", ["03-03 06:30", "03-10 06:30", "03-17 06:30"]),
        ("0 12 31 * *", ["01-31 12:00", "03-31 12:00", "05-31 12:00"]),
        ("@weekly", ["01-07 00:00", "01-14 00:00", "01-21 00:00"]),
        ("@hourly", ["01-01 11:00", "01-01 12:00", "01-01 13:00"]),
    ],
)
def test_expressions_come_due(expression, expected):
    assert runs(expression) == expected


def test_sunday_is_zero_and_seven():
    assert runs("0 0 * * 0") == runs("0 0 * * 7") == runs("0 0 * * sun")
    assert runs("0 0 * * 5-7") == ["01-05 00:00", "01-06 00:00", "01-07 00:00"]


def test_two_restricted_days_are_alternatives():
    assert runs("0 0 13 * fri") == ["01-05 00:00", "01-12 00:00", "01-13 00:00"]


def test_a_step_over_all_days_restricts_nothing_by_itself():
    assert runs("0 0 */2 * mon", 2) == ["01-15 00:00", "01-29 00:00"]


def test_the_current_minute_is_not_the_next_run():
    assert CronSchedule("7 10 * * *").next_run(MONDAY.replace(second=0)) == datetime(2024, 1, 2, 10, 7)


def test_leap_days_are_found():
    assert CronSchedule("0 0 29 2 *").next_run(datetime(2024, 3, 1)) == datetime(2028, 2, 29)
    assert CronSchedule("0 0 29 2 *").next_run(datetime(2096, 3, 1)) == datetime(2104, 2, 29)


def test_a_day_that_never_comes_is_an_error():
    with pytest.raises(CronError, match="not due again"):
        CronSchedule("0 0 31 2 *").next_run(MONDAY)
    with pytest.raises(CronError, match="not due again"):
        CronSchedule("0 0 1 1 *").next_run(datetime(9999, 12, 31))


def test_every_run_matches_and_the_minute_after_does_not():
    schedule = CronSchedule("5 4 * * *")
    due = schedule.next_run(MONDAY)
    assert schedule.matches(due.replace(second=59))
    assert not schedule.matches(due + timedelta(minutes=1))
    assert not schedule.matches(due + timedelta(hours=1))


def test_a_time_zone_is_kept():
    zone = timezone(timedelta(hours=-5))
    assert CronSchedule("0 9 * * *").next_run(MONDAY.replace(tzinfo=zone)) == datetime(2024, 1, 2, 9, tzinfo=zone)


def test_searching_agrees_with_trying_every_minute():
    schedule = CronSchedule("*/20 3,22 1-3,30 */2 tue")
    moment = datetime(2024, 1, 1)
    expected = []
    while len(expected) < 12:
        moment += timedelta(minutes=1)
        if schedule.matches(moment):
            expected.append(moment)
    assert next_runs(schedule.expression, datetime(2024, 1, 1), 12) == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "found 0"),
        ("* * * *", "found 4"),
        ("* * * * * *", "found 6"),
        ("@never", "found 1"),
        ("60 * * * *", "minute: '60'"),
        ("* 24 * * *", "hour: '24'"),
        ("* * 0 * *", "day of month: '0'"),
        ("* * * foo *", "month: 'foo'"),
        ("* * * * 8", "day of week: '8'"),
        ("*/0 * * * *", "positive number"),
        ("*/x * * * *", "positive number"),
        ("5-1 * * * *", "backwards"),
        ("1,,2 * * * *", "minute: ''"),
        ("-5 * * * *", "minute: ''"),
        ("² * * * *", "minute"),
    ],
)
def test_malformed_expressions_name_the_field(expression, reason):
    with pytest.raises(CronError, match=reason):
        CronSchedule(expression)


def test_a_count_below_one_is_refused():
    with pytest.raises(ValueError, match="count"):
        next_runs("@daily", MONDAY, 0)

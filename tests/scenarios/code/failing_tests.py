def is_leap(year):
    return year % 4 == 0


def test_ordinary_leap_year():
    assert is_leap(2024)


def test_century_is_no_leap_year():
    assert not is_leap(1900)

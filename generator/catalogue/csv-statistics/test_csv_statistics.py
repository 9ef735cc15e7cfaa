import pytest

from csv_statistics import (
    CsvError,
    NumericSummary,
    TextSummary,
    column_total,
    parse_rows,
    read_file,
    summarise,
    summarise_file,
)

TABLE = "name,age,city\nada,36,London\ngrace,45,New York\nlinus,,London\n"


def test_numbers_and_text_are_told_apart():
    summary = summarise(TABLE)
    assert list(summary) == ["name", "age", "city"]
    assert isinstance(summary["age"], NumericSummary)
    assert isinstance(summary["name"], TextSummary)


def test_numeric_summary():
    summary = summarise("x\n1\n2\n3\n4\n")["x"]
    assert (summary.count, summary.mean, summary.minimum, summary.maximum) == (4, 2.5, 1, 4)
    assert summary.quartiles == (1.75, 2.5, 3.25)
    assert summary.standard_deviation == pytest.approx(1.2909944)


def test_missing_values_are_counted_and_left_out():
    age = summarise(TABLE)["age"]
    assert (age.count, age.missing, age.mean) == (2, 1, 40.5)
    assert summarise("x,y\nNA,1\nnull,1\n-,1\n5,1\n")["x"].missing == 3


def test_most_common_values_break_ties_by_name():
    city = summarise("city\nb\na\nb\na\nc\nd\n")["city"]
    assert (city.distinct, city.most_common) == (4, [("a", 2), ("b", 2), ("c", 1)])


def test_one_row_has_no_spread():
    summary = summarise("x\n7\n")["x"]
    assert (summary.quartiles, summary.standard_deviation) == ((7, 7, 7), 0.0)


def test_a_header_alone_is_an_empty_table():
    assert summarise("a,b\n") == {"a": TextSummary(0, 0, 0), "b": TextSummary(0, 0, 0)}


def test_one_word_makes_a_column_text():
    assert isinstance(summarise("x\n1\n2\nthree\n")["x"], TextSummary)


@pytest.mark.parametrize("cell", ["inf", "1_000", "0x10"])
def test_what_only_programmers_call_a_number_is_text(cell):
    assert isinstance(summarise(f"x\n{cell}\n")["x"], TextSummary)


def test_quotes_newlines_and_other_delimiters():
    header, rows = parse_rows('a;b\n"x;y";"line 1\nline 2"\n', delimiter=";")
    assert header == ["a", "b"]
    assert rows == [["x;y", "line 1\nline 2"]]


def test_blank_lines_byte_order_mark_and_windows_line_ends():
    assert parse_rows("\ufeffa,b\r\n1,2\r\n\r\n3,4\r\n") == (["a", "b"], [["1", "2"], ["3", "4"]])


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "no header"),
        ("a,a\n1,2\n", "unique"),
        ("a,\n1,2\n", "present"),
        ("a,b\n1,2\n3\n", "row 2 has 1 fields"),
        ('a\n"open\n', "line"),
    ],
)
def test_broken_tables_say_what_is_wrong(text, reason):
    with pytest.raises(CsvError, match=reason):
        summarise(text)


def test_files(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    assert summarise_file(path) == summarise(TABLE)
    assert read_file(path) == parse_rows(TABLE)


def test_the_total_of_a_column():
    assert column_total(TABLE, "age") == 81
    assert column_total("x\n0.1\n0.2\n-\n", "x") == pytest.approx(0.3)
    with pytest.raises(CsvError, match="no column"):
        column_total(TABLE, "height")
    with pytest.raises(CsvError, match="not numeric"):
        column_total(TABLE, "city")

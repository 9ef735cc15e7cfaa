import json

import pytest

from csv_json import MAX_INTEGER_DIGITS, ConversionError, convert_file, csv_to_json, csv_to_records, infer, json_to_csv, records_to_csv


def test_rows_become_objects():
    assert csv_to_records("name,age\nAda,36\nAlan,41\n") == [{"name": "Ada", "age": "36"}, {"name": "Alan", "age": "41"}]


def test_quotes_line_breaks_and_delimiters_inside_fields():
    text = 'a;b\n"x;1";"line\nbreak ""quoted"""\n'
    assert csv_to_records(text, delimiter=";") == [{"a": "x;1", "b": 'line\nbreak "quoted"'}]


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_are_accepted():
    assert csv_to_records("\ufeffa,b\r\n\r\n1,2\r\n") == [{"a": "1", "b": "2"}]


def test_a_header_without_rows_is_an_empty_array():
    assert json.loads(csv_to_json("a,b\n")) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-2.5", -2.5), ("1e3", 1000.0), ("true", True), ("FALSE", False), ("", None), ("0", 0), ("0.5", 0.5)],
)
def test_values_in_their_usual_form_are_inferred(text, value):
    found = infer(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["007", "+49", "1_000", " 1", "nan", "inf", "1e999", "1.", ".5", "٣", "9" * (MAX_INTEGER_DIGITS + 1), "yes"])
def test_codes_and_what_json_lacks_stay_text(text):
    assert infer(text) == text


def test_types_are_inferred_only_when_asked():
    assert json.loads(csv_to_json("n\n1\n")) == [{"n": "1"}]
    assert json.loads(csv_to_json("n\n1\n", infer_types=True)) == [{"n": 1}]


def test_objects_become_rows_with_all_keys():
    text = '[{"a": 1, "b": "x"}, {"b": "y,z", "c": true}, {"c": null, "a": [1, "ü"]}]'
    assert json_to_csv(text) == 'a,b,c\n1,x,\n,"y,z",true\n"[1, ""ü""]",,\n'


def test_an_empty_array_has_no_columns():
    assert json_to_csv("[]") == ""
    assert records_to_csv([{}]) == ""


def test_there_and_back_again():
    records = [{"name": 'A "quoted", name', "note": "two\nlines"}, {"name": "ünïcode", "note": ""}]
    assert csv_to_records(records_to_csv(records)) == records
    assert json.loads(csv_to_json(json_to_csv(json.dumps(records)))) == records


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("a,b\n1\n", "line 2 has 1 fields instead of 2"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 fields"),
        ("a,a\n1,2\n", "repeats a"),
        ("a,\n1,2\n", "empty name"),
        ('a\n"open\n', "line 2"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(text, reason):
    with pytest.raises(ConversionError, match=reason):
        csv_to_records(text)


@pytest.mark.parametrize(("text", "reason"), [("{", "not JSON"), ('{"a": 1}', "array of objects"), ("[1]", "array of objects")])
def test_json_of_another_shape_is_refused(text, reason):
    with pytest.raises(ConversionError, match=reason):
        json_to_csv(text)


def test_files_are_converted_in_both_directions(tmp_path):
    source, middle, target = tmp_path / "a.csv", tmp_path / "b.json", tmp_path / "c.csv"
    source.write_text("a,b\n1,ü\n", encoding="utf-8")
    convert_file(source, middle, infer_types=True)
    assert json.loads(middle.read_text(encoding="utf-8")) == [{"a": 1, "b": "ü"}]
    convert_file(middle, target)
    assert target.read_text(encoding="utf-8") == "a,b\n1,ü\n"
    with pytest.raises(ConversionError, match="use .csv and .json"):
        convert_file(source, tmp_path / "d.xml")

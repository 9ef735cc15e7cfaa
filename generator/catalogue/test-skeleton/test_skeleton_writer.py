import ast
import textwrap
from ast import literal_eval as parse_literal

import pytest

from skeleton_writer import MAX_CASES, MAX_LITERAL_CHARACTERS, write_tests

SHOP = '''
import math
import os
import random
import re
from datetime import datetime

TOTAL = 0


def discount(price: int, percent: int) -> float:
    if percent < 0:
        raise ValueError("negative")
    return price - price / (100 // percent)


def slug(text: str) -> str:
    return re.sub("[^a-z]+", "-", _clean(text))


def _clean(text: str) -> str:
    return text.strip().lower()


def biggest(numbers: list[int], default: int | None) -> int | None:
    return max(numbers) if numbers else default


def roll() -> int:
    return random.randint(1, 6)


def today() -> str:
    return str(datetime.now())


def noisy(text: str) -> str:
    return shout(text)


def shout(text: str) -> str:
    print(text)
    return text


def count() -> int:
    global TOTAL
    TOTAL += 1
    return TOTAL


def untyped(value):
    return value


def area(radius: float) -> float:
    return math.pi * radius**2


def sort_in_place(numbers: list[int]) -> None:
    numbers.sort()


def anything() -> object:
    return object()


def factorial(number: int) -> int:
    return 1 if number < 2 else number * factorial(number - 1)
'''


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop_example.py"
    path.write_text(SHOP, encoding="utf-8")
    return path


def cases_of(page, name):
    """Return the rows of a generated test as (arguments, expected)."""
    for node in ast.parse(page).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            rows = node.decorator_list[0].args[1].elts
            return [(parse_literal(row.elts[0]), ast.unparse(row.elts[1])) for row in rows]
    return None


def write(tmp_path, name, source):
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return path


def test_results_of_pure_functions_are_recorded(shop):
    found = dict(cases_of(write_tests(shop), "test_factorial_returns"))
    assert (found[(0,)], found[(2,)]) == ("1", "2")
    assert 1 < len(found) <= MAX_CASES


def test_errors_are_recorded_by_their_type(shop):
    page = write_tests(shop)
    recorded = dict(cases_of(page, "test_discount_raises") or []) | dict(cases_of(page, "test_discount_returns") or [])
    assert len(recorded) == min(MAX_CASES, 7)
    for (price, percent), expected in recorded.items():
        if percent < 0:
            assert expected == "ValueError"
        elif percent == 0:
            assert expected == "ZeroDivisionError"
        else:
            assert parse_literal(expected) == price - price / (100 // percent)


def test_functions_may_use_pure_modules_and_pure_functions_of_the_file(shop):
    page = write_tests(shop)
    assert all(expected == repr(expected[1:-1].lower()) for _, expected in cases_of(page, "test_slug_returns"))
    assert cases_of(page, "test_area_returns")


def test_lists_and_optional_values_are_made_from_their_hints(shop):
    for (numbers, default), expected in cases_of(write_tests(shop), "test_biggest_returns"):
        assert parse_literal(expected) == (max(numbers) if numbers else default)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("roll", "calls random.randint"),
        ("today", "calls datetime.now"),
        ("noisy", "calls print (in shout)"),
        ("count", "uses global"),
        ("untyped", "no sample values for the parameter value"),
        ("anything", "calls object"),
    ],
)
def test_other_functions_are_listed_with_the_reason(shop, name, reason):
    page = write_tests(shop)
    assert f"# - {name}: {reason}\n" in page
    assert f"test_{name}_" not in page


def test_calls_that_change_their_arguments_are_not_recorded(shop):
    page = write_tests(shop)
    for arguments, _ in cases_of(page, "test_sort_in_place_returns") or []:
        assert arguments[0] == sorted(arguments[0])


def test_values_that_are_too_long_or_not_literals_are_not_recorded(tmp_path):
    source = f"""
        def long(text: str) -> str:
            return "x" * {MAX_LITERAL_CHARACTERS + 1}

        def odd(number: int) -> object:
            return float("nan")

        def lazy(number: int) -> object:
            return range(number)
    """
    page = write_tests(write(tmp_path, "odd_example", source))
    assert cases_of(page, "test_long_returns") is None and cases_of(page, "test_odd_returns") is None
    assert page.count("no result is stable") == 3


def test_private_functions_and_errors_of_the_file_are_left_out(tmp_path):
    source = """
        class ShopError(Exception):
            pass

        def check(number: int) -> int:
            raise ShopError

        def _hidden(number: int) -> int:
            return number
    """
    page = write_tests(write(tmp_path, "errors_example", source))
    assert "hidden" not in page and "# - check: no result" in page


def test_a_file_without_functions_gives_a_page_without_tests(tmp_path):
    page = write_tests(write(tmp_path, "empty_example", ""))
    assert page == '"""Characterization tests of empty_example: they record what its functions do now."""\n'


def failures_of(page, function):
    """Evaluate the rows of a generated page against a function, as its tests do."""
    rows = [row for verb in ("returns", "raises") for row in cases_of(page, f"test_{function.__name__}_{verb}") or []]
    assert rows
    failed = 0
    for arguments, expected in rows:
        try:
            failed += repr(function(*arguments)) != expected
        except ZeroDivisionError as error:
            failed += type(error).__name__ != expected
    return failed


def test_the_recorded_cases_hold_for_the_code_and_not_for_a_changed_one(tmp_path):
    page = write_tests(write(tmp_path, "ratio_example", "def ratio(number: int) -> float:\n    return 6 / number\n"))

    def ratio(number):
        return 6 / number

    assert failures_of(page, ratio) == 0
    changed = lambda number: 7 / number  # noqa: E731
    changed.__name__ = "ratio"
    assert failures_of(page, changed) > 0


def test_a_file_that_is_not_python_is_refused(tmp_path):
    with pytest.raises(SyntaxError):
        write_tests(write(tmp_path, "broken_example", "def f(:\n"))

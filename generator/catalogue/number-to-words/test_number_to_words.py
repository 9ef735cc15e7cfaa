import random

import pytest

from number_to_words import LIMIT, amount_in_words, number_to_words, ordinal_words, words_to_number


@pytest.mark.parametrize(
    "number, expected",
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (42, "forty-two"),
        (100, "one hundred"),
        (115, "one hundred fifteen"),
        (999, "nine hundred ninety-nine"),
        (1000, "one thousand"),
        (1001, "one thousand one"),
        (12_345, "twelve thousand three hundred forty-five"),
        (1_000_000, "one million"),
        (2_000_000_003, "two billion three"),
        (-7, "minus seven"),
    ],
)
def test_numbers_in_words(number, expected):
    assert number_to_words(number) == expected


@pytest.mark.parametrize(
    "number, expected",
    [(100, "one hundred"), (101, "one hundred and one"), (1001, "one thousand and one"), (1100, "one thousand one hundred"), (121_045, "one hundred and twenty-one thousand and forty-five"), (12, "twelve")],
)
def test_british_english_has_and(number, expected):
    assert number_to_words(number, british=True) == expected


def test_the_largest_number():
    assert number_to_words(LIMIT - 1).startswith("nine hundred ninety-nine quintillion")
    for number in (LIMIT, -LIMIT):
        with pytest.raises(ValueError, match="groups"):
            number_to_words(number)


@pytest.mark.parametrize(
    "number, expected",
    [(1, "first"), (2, "second"), (3, "third"), (4, "fourth"), (5, "fifth"), (8, "eighth"), (9, "ninth"), (12, "twelfth"), (20, "twentieth"), (21, "twenty-first"), (100, "one hundredth"), (1_000_003, "one million third"), (0, "zeroth")],
)
def test_ordinals(number, expected):
    assert ordinal_words(number) == expected


@pytest.mark.parametrize(
    "cents, expected",
    [(0, "zero dollars"), (100, "one dollar"), (101, "one dollar and one cent"), (123_456, "one thousand two hundred thirty-four dollars and fifty-six cents"), (-5, "minus zero dollars and five cents")],
)
def test_amounts(cents, expected):
    assert amount_in_words(cents) == expected


def test_amounts_of_another_currency():
    assert amount_in_words(250, unit="pound", part="pence unit") == "two pounds and fifty pence units"


@pytest.mark.parametrize("british", [False, True])
def test_words_are_read_back(british):
    generator = random.Random(1)
    numbers = [*range(1200), *(generator.randrange(-LIMIT + 1, LIMIT) for _ in range(300))]
    for number in numbers:
        assert words_to_number(number_to_words(number, british=british)) == number


@pytest.mark.parametrize("text, expected", [("Forty Two", 42), ("negative one", -1), ("one thousand, two hundred and three", 1203), ("zero", 0)])
def test_other_spellings(text, expected):
    assert words_to_number(text) == expected


@pytest.mark.parametrize("text", ["", "minus", "and", "two twenty", "hundred", "one thousand million two", "ten one", "forty-twelve", "banana"])
def test_texts_that_are_no_number(text):
    with pytest.raises(ValueError):
        words_to_number(text)


@pytest.mark.parametrize("number", [1.0, "5", None, True])
def test_only_integers(number):
    with pytest.raises(TypeError, match="integer"):
        number_to_words(number)

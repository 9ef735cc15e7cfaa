import pytest

from roman_numerals import from_roman, is_roman, to_roman


@pytest.mark.parametrize(
    "number, numeral",
    [
        (1, "I"), (3, "III"), (4, "IV"), (5, "V"), (9, "IX"), (14, "XIV"), (40, "XL"), (49, "XLIX"), (90, "XC"), (99, "XCIX"), (400, "CD"),
        (444, "CDXLIV"), (900, "CM"), (1066, "MLXVI"), (1994, "MCMXCIV"), (2026, "MMXXVI"), (3888, "MMMDCCCLXXXVIII"), (3999, "MMMCMXCIX"),
    ],
)  # fmt: skip
def test_known_numerals(number, numeral):
    assert to_roman(number) == numeral
    assert from_roman(numeral) == number


def test_every_number_survives_the_way_there_and_back():
    numerals = [to_roman(number) for number in range(1, 4000)]
    assert len(set(numerals)) == 3999
    assert [from_roman(numeral) for numeral in numerals] == list(range(1, 4000))


def test_case_does_not_matter():
    assert from_roman("mcmxciv") == from_roman("McMxCiV") == 1994


@pytest.mark.parametrize("text", ["", " ", "IIII", "VV", "IL", "IC", "XM", "VX", "IIX", "LC", "DM", "MMMM", "CMCM", "IXI", "A", "X I", "XI\n", "\u2160", None, 5])
def test_anything_else_is_refused(text):
    assert not is_roman(text)
    with pytest.raises(ValueError):
        from_roman(text)


@pytest.mark.parametrize("number", [0, -1, 4000])
def test_numbers_out_of_range(number):
    with pytest.raises(ValueError):
        to_roman(number)


@pytest.mark.parametrize("number", [1.0, "1", True, None])
def test_only_integers(number):
    with pytest.raises(TypeError):
        to_roman(number)

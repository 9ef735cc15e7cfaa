import random

import pytest

from base_converter import (
    convert,
    from_base,
    from_binary,
    from_hexadecimal,
    from_octal,
    to_base,
    to_binary,
    to_hexadecimal,
    to_octal,
    twos_complement,
)


@pytest.mark.parametrize("number", [0, 1, 2, 7, 8, 10, 255, 256, -1, -255, 2**70])
def test_common_bases_agree_with_the_built_in_functions(number):
    sign, size = "-" if number < 0 else "", abs(number)
    assert to_binary(number) == f"{sign}{size:b}"
    assert to_octal(number) == f"{sign}{size:o}"
    assert to_hexadecimal(number) == f"{sign}{size:x}"


@pytest.mark.parametrize("base", range(2, 37))
def test_every_base_there_and_back(base):
    generator = random.Random(base)
    for _ in range(50):
        number = generator.randrange(-(10**12), 10**12)
        text = to_base(number, base)
        assert from_base(text, base) == number == int(text, base)
        assert from_base(text.upper(), base) == number


def test_converting_between_bases():
    assert convert("ff", 16, 2) == "11111111"
    assert convert("-1010", 2, 10) == "-10"
    assert convert("zz", 36, 10) == "1295"


def test_leading_zeros():
    assert to_binary(5, width=8) == "00000101"
    assert to_hexadecimal(-10, width=4) == "-000a"
    assert to_binary(300, width=2) == "100101100"


@pytest.mark.parametrize("text, expected", [("0b101", 5), ("101", 5), ("-0B11", -3), ("+1", 1), (" 1_000 ", 8)])
def test_forms_of_a_binary_number(text, expected):
    assert from_binary(text) == expected


def test_prefixes_belong_to_their_base():
    assert from_hexadecimal("0xFf") == 255
    assert from_octal("0o17") == 15
    assert from_hexadecimal("0b1") == 177
    with pytest.raises(ValueError, match="'x'"):
        from_base("0x10", 10)


@pytest.mark.parametrize("text", ["", "-", "+", "0b", "_1", "1_", "1__0", "1 0", "--1"])
def test_texts_that_are_no_number(text):
    with pytest.raises(ValueError):
        from_binary(text)


def test_digits_outside_the_base_are_named():
    with pytest.raises(ValueError, match="'2' is not a digit of base 2"):
        from_binary("102")
    with pytest.raises(ValueError, match="'g' is not a digit of base 16"):
        from_hexadecimal("G")


@pytest.mark.parametrize("number, bits, expected", [(5, 8, "00000101"), (-1, 8, "11111111"), (-128, 8, "10000000"), (127, 8, "01111111"), (-1, 1, "1")])
def test_twos_complement(number, bits, expected):
    assert twos_complement(number, bits) == expected


@pytest.mark.parametrize("number, bits", [(128, 8), (-129, 8), (1, 1), (0, 0)])
def test_numbers_that_do_not_fit_are_refused(number, bits):
    with pytest.raises(ValueError):
        twos_complement(number, bits)


@pytest.mark.parametrize("base, error", [(1, ValueError), (37, ValueError), (-2, ValueError), (2.0, TypeError), (True, TypeError)])
def test_senseless_bases_are_refused(base, error):
    with pytest.raises(error, match="base"):
        to_base(5, base)
    with pytest.raises(error, match="base"):
        from_base("1", base)


@pytest.mark.parametrize("number", [1.5, "5", None, True])
def test_only_integers(number):
    with pytest.raises(TypeError, match="integer"):
        to_base(number, 2)

import codecs

import pytest

from caesar_cipher import all_decryptions, decrypt, encrypt, rot13

PANGRAM = "The quick brown fox jumps over the lazy dog"


@pytest.mark.parametrize(
    "text, shift, expected",
    [("abc", 3, "def"), ("xyz", 3, "abc"), ("XYZ", 3, "ABC"), ("Hello, World!", 5, "Mjqqt, Btwqi!"), ("", 4, "")],
)
def test_encrypting(text, shift, expected):
    assert encrypt(text, shift) == expected


@pytest.mark.parametrize("shift", [-100, -26, -1, 0, 1, 13, 25, 26, 27, 10**20])
def test_decrypting_gives_the_text_back(shift):
    assert decrypt(encrypt(PANGRAM, shift), shift) == PANGRAM


def test_a_whole_turn_changes_nothing_and_less_changes_every_letter():
    assert encrypt(PANGRAM, 26) == PANGRAM
    assert all(a != b for a, b in zip(PANGRAM, encrypt(PANGRAM, 1)) if a.isalpha())


def test_digits_signs_and_other_alphabets_stay():
    assert encrypt("7 % é ß 日本\n", 5) == "7 % é ß 日本\n"


def test_rot13_agrees_with_the_standard_library():
    assert rot13(PANGRAM) == codecs.encode(PANGRAM, "rot13")
    assert rot13(rot13(PANGRAM)) == PANGRAM


def test_every_decryption_is_listed():
    found = dict(all_decryptions(encrypt(PANGRAM, 7)))
    assert len(found) == 26
    assert found[7] == PANGRAM


@pytest.mark.parametrize("function", [encrypt, decrypt])
@pytest.mark.parametrize("text, shift", [(None, 1), (b"abc", 1), ("abc", 1.5), ("abc", "3"), ("abc", True)])
def test_misuse_is_refused(function, text, shift):
    with pytest.raises(TypeError):
        function(text, shift)

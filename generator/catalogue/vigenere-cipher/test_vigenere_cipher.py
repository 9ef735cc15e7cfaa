import random
import string

import pytest

from vigenere_cipher import decrypt, encrypt, key_from, tabula_recta


@pytest.mark.parametrize(
    "text, key, expected",
    [
        ("ATTACKATDAWN", "LEMON", "LXFOPVEFRNHR"),
        ("CRYPTOISSHORTFORCRYPTOGRAPHY", "ABCD", "CSASTPKVSIQUTGQUCSASTPIUAQJB"),
        ("Attack at dawn!", "lemon", "Lxfopv ef rnhr!"),
        ("", "KEY", ""),
        ("zz", "b", "aa"),
    ],
)
def test_known_texts(text, key, expected):
    assert encrypt(text, key) == expected
    assert decrypt(expected, key) == text


def test_case_and_other_characters_stay():
    assert encrypt("Grüße, 2 x: 'ok'?", "b") == "Hsüßf, 2 y: 'pl'?"


def test_only_letters_use_up_the_key():
    assert encrypt("a b", "bc") == "b d"
    assert encrypt("a--b", "bc") == "b--d"


def test_the_key_A_changes_nothing_and_its_case_does_not_matter():
    assert encrypt("Any text", "A") == "Any text"
    assert encrypt("Any text", "KeY") == encrypt("Any text", "kEy")


def test_a_key_longer_than_the_text():
    assert encrypt("ab", "bcdefg") == "bd"


def test_random_texts_are_restored():
    generator = random.Random(8)
    for _ in range(200):
        text = "".join(generator.choices(string.printable, k=generator.randrange(40)))
        key = "".join(generator.choices(string.ascii_letters, k=generator.randint(1, 9)))
        assert decrypt(encrypt(text, key), key) == text


@pytest.mark.parametrize("key", ["", " ", "ke y", "k3y", "schlüssel"])
def test_keys_of_other_characters_are_refused(key):
    with pytest.raises(ValueError, match="key"):
        encrypt("text", key)
    with pytest.raises(ValueError, match="key"):
        decrypt("text", key)


def test_a_known_text_betrays_the_key():
    text = "Attack at dawn, not at dusk."
    assert key_from(text, encrypt(text, "lemon")) == "LEMON"
    assert key_from("abc", "abc") == "A"


def test_texts_that_no_key_joins():
    with pytest.raises(ValueError, match="no key"):
        key_from("a1", "b2")
    with pytest.raises(ValueError):
        key_from("abc", "ab")


def test_the_square():
    square = tabula_recta()
    assert (len(square), square[0][:3], square[25]) == (26, "ABC", "ZABCDEFGHIJKLMNOPQRSTUVWXY")
    assert square[ord("L") - 65][ord("A") - 65] == encrypt("A", "L")

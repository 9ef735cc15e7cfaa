import string

import pytest

from password_generator import (
    AMBIGUOUS,
    LENGTH,
    MAX_LENGTH,
    MIN_LENGTH,
    PASSPHRASE_WORDS,
    SYMBOLS,
    estimate_strength,
    generate_passphrase,
    generate_password,
    passphrase_bits,
)

WORDS = [f"word{number}" for number in range(7776)]


def kinds_of(password):
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SYMBOLS)
    return [any(character in kind for character in password) for kind in kinds]


@pytest.mark.parametrize("length", [MIN_LENGTH, 12, 64])
def test_a_password_has_its_length_and_every_kind_of_character(length):
    for _ in range(100):
        password = generate_password(length)
        assert len(password) == length
        assert all(kinds_of(password))


def test_passwords_do_not_repeat():
    assert len({generate_password() for _ in range(500)}) == 500
    assert len(generate_password()) == LENGTH


def test_symbols_can_be_left_out():
    for _ in range(50):
        assert generate_password(symbols=False).isalnum()


def test_ambiguous_characters_can_be_left_out():
    found = set("".join(generate_password(avoid_ambiguous=True) for _ in range(300)))
    assert not found & AMBIGUOUS
    assert all(kinds_of("".join(found)))


def test_no_character_is_preferred():
    found = "".join(generate_password(64) for _ in range(400))
    counts = [found.count(character) for character in set(found)]
    assert len(counts) == 62 + len(SYMBOLS)
    assert max(counts) < 2 * min(counts)


@pytest.mark.parametrize("length", [0, MIN_LENGTH - 1, MAX_LENGTH + 1, 12.0, True, "12"])
def test_unsafe_and_senseless_lengths_are_refused(length):
    with pytest.raises(ValueError, match="length"):
        generate_password(length)


def test_a_passphrase_is_made_of_words_of_the_list():
    phrase = generate_passphrase(WORDS, separator=" ")
    assert len(phrase.split()) == PASSPHRASE_WORDS
    assert set(phrase.split()) <= set(WORDS)
    assert len({generate_passphrase(WORDS) for _ in range(100)}) == 100
    assert passphrase_bits(WORDS, 6) == pytest.approx(77.5, abs=0.1)


def test_poor_word_lists_and_short_phrases_are_refused():
    for words in ([], ["a", "b"], ["same"] * 2000):
        with pytest.raises(ValueError, match="list"):
            generate_passphrase(words)
    with pytest.raises(ValueError, match="3 words"):
        generate_passphrase(WORDS, 2)


@pytest.mark.parametrize(
    "password, warning",
    [
        ("Password1", "common password"),
        ("P@55w0rd", "common password"),
        ("xx-letmein-77", "common password"),
        ("abcdefgh", "sequence"),
        ("xk9876q", "sequence"),
        ("Qwertyuiop", "sequence"),
        ("aaaaaaaa", "repeats"),
        ("blue1987", "year"),
    ],
)
def test_weak_parts_are_named(password, warning):
    strength = estimate_strength(password)
    assert any(warning in found for found in strength.warnings)
    assert strength.label in ("very weak", "weak")


def test_personal_words_count_as_known():
    strength = estimate_strength("Lovelace-London", personal=["lovelace", "London", "x"])
    assert strength.warnings == ("contains something personal",)
    assert strength.bits < estimate_strength("Lovelace-London").bits


def test_generated_passwords_are_strong():
    for _ in range(50):
        assert estimate_strength(generate_password(20)).label in ("strong", "very strong")


def test_more_random_characters_are_stronger():
    bits = [estimate_strength(password).bits for password in ("k3", "k3vq", "k3vqzt", "k3vqzt8m")]
    assert bits == sorted(bits)
    assert len(set(bits)) == 4


def test_labels_follow_the_bits():
    labels = [estimate_strength(password).label for password in ("kvqzt", "kvqztmw", "kvqztmwxr", "k3Vqz!t8mW#xR7")]
    assert labels == ["very weak", "weak", "weak", "very strong"]


@pytest.mark.parametrize("password", ["", "x" * (MAX_LENGTH + 1), None, b"bytes"])
def test_what_is_no_password_is_refused(password):
    with pytest.raises(ValueError, match="password"):
        estimate_strength(password)


def test_other_alphabets_are_counted():
    assert estimate_strength("дерево-гора-река").bits > 60

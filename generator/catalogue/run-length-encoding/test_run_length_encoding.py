import random

import pytest

from run_length_encoding import compress, decode, encode, expand, runs


@pytest.mark.parametrize(
    "text, expected",
    [("", ""), ("a", "a"), ("aaab", "a3b"), ("WWWWBBWW", "W4B2W2"), ("abc", "abc"), ("a" * 12, "a12"), ("  x", " 2x"), ("\n\n", "\n2"), ("ééé", "é3")],
)
def test_encoding(text, expected):
    assert encode(text) == expected
    assert decode(expected) == text


def test_digits_and_backslashes_can_be_restored():
    assert encode("1112") == r"\13\2"
    assert encode("a1") == r"a\1"
    assert encode("\\\\") == r"\\2"
    for text in ["111", "a11", "3a", "\\", "1\\2\\\\33", "\\n"]:
        assert decode(encode(text)) == text


def test_random_texts_are_restored():
    generator = random.Random(5)
    for _ in range(500):
        text = "".join(generator.choices("ab1\\0\n", k=generator.randrange(30)))
        assert decode(encode(text)) == text


@pytest.mark.parametrize("encoded", ["3a", "a1", "a0", "a03", "\\", "a\\", "1"])
def test_texts_that_are_no_encoding_are_refused(encoded):
    with pytest.raises(ValueError, match="position"):
        decode(encoded)


def test_a_small_encoding_of_a_huge_text_is_refused():
    with pytest.raises(ValueError, match="larger"):
        decode("a" + "9" * 100)
    with pytest.raises(ValueError, match="longer than 10"):
        decode("a6b6", max_length=10)
    assert decode("a5b5", max_length=10) == "aaaaabbbbb"


def test_runs_of_any_items():
    assert list(runs([1, 1, None, 2.5, 2.5])) == [(1, 2), (None, 1), (2.5, 2)]
    assert list(runs([])) == []
    assert list(runs(iter("aab"))) == [("a", 2), ("b", 1)]


def test_expanding_undoes_runs():
    items = [0, 0, 1, 0]
    assert expand(runs(items)) == items
    assert bytes(expand(runs(b"\0\0\1"))) == b"\0\0\1"


@pytest.mark.parametrize("length", [0, -1])
def test_empty_runs_are_refused(length):
    with pytest.raises(ValueError, match="at least 1"):
        expand([("a", length)])


@pytest.mark.parametrize("text, expected", [("aabcccccaaa", "a2b1c5a3"), ("abc", "abc"), ("", ""), ("aa", "aa"), ("aaa", "a3")])
def test_compression_only_where_it_is_shorter(text, expected):
    assert compress(text) == expected

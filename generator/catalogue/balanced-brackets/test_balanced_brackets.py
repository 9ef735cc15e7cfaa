import itertools

import pytest

from balanced_brackets import depth, first_mismatch, is_balanced, matches, missing_count


@pytest.mark.parametrize("text", ["", "()", "()[]{}", "{[()()]}", "no brackets", "f(a[1], {b: (2)})", "(" * 5000 + ")" * 5000])
def test_balanced_texts(text):
    assert is_balanced(text)
    assert missing_count(text) == 0


@pytest.mark.parametrize("text", ["(", ")", "([)]", "(()", "())", "}{", "(]"])
def test_unbalanced_texts(text):
    assert not is_balanced(text)
    assert missing_count(text) > 0


@pytest.mark.parametrize(
    "text, message",
    [
        ("a)b", "position 1: ')' closes nothing"),
        ("([)]", "position 2: ')' where ']' should be"),
        ("(a[b]", "position 5: ')' is missing at the end"),
    ],
)
def test_the_first_mismatch_is_named(text, message):
    assert str(first_mismatch(text)) == message
    with pytest.raises(ValueError, match="position"):
        matches(text)


def test_short_texts_agree_with_removing_pairs():
    for length in range(7):
        for characters in itertools.product("()[]", repeat=length):
            text = rest = "".join(characters)
            while "()" in rest or "[]" in rest:
                rest = rest.replace("()", "").replace("[]", "")
            assert is_balanced(text) == (rest == "")


def test_partners():
    assert matches("(a[b])()") == {0: 5, 2: 4, 6: 7}
    assert matches("none") == {}


@pytest.mark.parametrize("text, expected", [("", 0), ("abc", 0), ("()", 1), ("([]{()})()", 3)])
def test_depth(text, expected):
    assert depth(text) == expected


@pytest.mark.parametrize("text, expected", [("(", 1), ("())", 1), ("([)]", 2), (")(", 2), ("((]", 3), ("([{", 3)])
def test_missing_brackets(text, expected):
    assert missing_count(text) == expected


def test_other_brackets():
    angles = {"<": ">"}
    assert is_balanced("<a <b>> (", angles)
    assert str(first_mismatch("<", angles)) == "position 1: '>' is missing at the end"


@pytest.mark.parametrize("pairs", [{"|": "|"}, {"(": ")", "[": ")"}, {"begin": "end"}, {"(": ")", ")": "("}])
def test_brackets_that_cannot_be_told_apart_are_refused(pairs):
    with pytest.raises(ValueError, match="bracket"):
        is_balanced("", pairs)

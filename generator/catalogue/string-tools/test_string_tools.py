import pytest

from string_tools import are_anagrams, caesar, edit_distance, group_anagrams, is_palindrome, reverse, word_counts


@pytest.mark.parametrize("text, expected", [("", ""), ("a", "a"), ("abc", "cba"), ("caf\u00e9", "\u00e9fac"), ("cafe\u0301s", "se\u0301fac")])
def test_reverse(text, expected):
    assert reverse(text) == expected
    assert reverse(reverse(text)) == text


@pytest.mark.parametrize("text", ["", "a", "Anna", "A man, a plan, a canal: Panama!", "12321", "\u00c9t\u00e9", "e\u0301te\u0301", "..!"])
def test_palindromes(text):
    assert is_palindrome(text)


@pytest.mark.parametrize("text", ["ab", "Panama", "12", "race a car", "\u00e9te"])
def test_other_texts(text):
    assert not is_palindrome(text)


@pytest.mark.parametrize(
    "first, second, expected",
    [("Listen", "Silent", True), ("Dormitory", "dirty room", True), ("aab", "abb", False), ("", "", True), ("a", "", False)],
)
def test_anagrams(first, second, expected):
    assert are_anagrams(first, second) is expected


def test_anagrams_are_grouped_in_order():
    assert group_anagrams(["tea", "tan", "Eat", "nat", "bat"]) == [["tea", "Eat"], ["tan", "nat"], ["bat"]]
    assert group_anagrams([]) == []


def test_word_counts():
    text = "The cat; the dog. A cat's well-known TRICK, the_end 42"
    once = ["42", "a", "cat", "cat's", "dog", "end", "trick", "well-known"]
    assert word_counts(text) == [("the", 3), *((word, 1) for word in once)]
    assert word_counts("-- ... __") == []


@pytest.mark.parametrize("shift, expected", [(0, "Xyz, abc!"), (3, "Abc, def!"), (29, "Abc, def!"), (-3, "Uvw, xyz!")])
def test_caesar(shift, expected):
    assert caesar("Xyz, abc!", shift) == expected
    assert caesar(expected, -shift) == "Xyz, abc!"


def test_caesar_moves_latin_letters_only():
    assert caesar("\u00e9\u00df\u0431 7", 5) == "\u00e9\u00df\u0431 7"


@pytest.mark.parametrize(
    "first, second, expected",
    [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0), ("intention", "execution", 5)],
)
def test_edit_distance(first, second, expected):
    assert edit_distance(first, second) == expected
    assert edit_distance(second, first) == expected

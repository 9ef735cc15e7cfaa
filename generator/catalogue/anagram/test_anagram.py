import pytest

from anagram import AnagramIndex, are_anagrams, group_anagrams, signature

WORDS = ["listen", "silent", "enlist", "google", "Elgoog", "cat", "act", "tac", "dog"]


@pytest.fixture
def index():
    return AnagramIndex(WORDS)


def test_anagrams_of_a_word(index):
    assert index.anagrams("tinsel") == ["listen", "silent", "enlist"]
    assert index.anagrams("Listen") == ["silent", "enlist"]
    assert index.anagrams("bird") == []


def test_case_spaces_and_punctuation_do_not_matter():
    index = AnagramIndex(["dirty room", "Dormitory!"])
    assert index.anagrams("dormitory") == ["dirty room"]
    assert are_anagrams("The eyes", "They see")


def test_a_word_is_no_anagram_of_itself():
    assert not are_anagrams("cat", "Cat!")
    assert not are_anagrams("cat", "cats")
    assert not are_anagrams("", "")
    assert are_anagrams("cat", "act")


def test_groups_by_size(index):
    assert index.groups() == [["listen", "silent", "enlist"], ["cat", "act", "tac"], ["google", "Elgoog"]]
    assert index.groups(least=4) == []
    assert len(index.groups(least=1)) == 4


def test_a_word_is_added_once(index):
    assert not index.add("cat")
    assert index.add("Cat")
    assert (len(index), "cat" in index, "tca" in index) == (len(WORDS) + 1, True, False)


def test_words_from_letters(index):
    assert index.words_from("tacod") == ["cat", "act", "tac"]
    assert index.words_from("godtac") == ["cat", "act", "tac", "dog"]
    assert index.words_from("goggle", least_length=4) == []
    assert index.words_from("") == []


def test_letters_are_used_once():
    index = AnagramIndex(["too", "to"])
    assert index.words_from("to") == ["to"]
    assert index.words_from("oot") == ["too", "to"]


def test_grouping_a_list():
    assert group_anagrams(["eat", "tea", "tan", "ate", "nat", "bat"]) == [["eat", "tea", "ate"], ["tan", "nat"], ["bat"]]
    assert group_anagrams([]) == []


def test_accents_are_part_of_a_letter():
    assert signature("Ée\u0301") == signature("éÉ")
    assert not are_anagrams("été", "tee")


@pytest.mark.parametrize("word", ["", "  ", "?!"])
def test_words_without_letters_are_refused(word):
    with pytest.raises(ValueError, match="no letters"):
        AnagramIndex([word])

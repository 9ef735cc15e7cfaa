import pytest

from word_count import TextCounts, count_words, most_common_words, summarise, summarise_file, word_frequencies

TEXT = "The cat saw the dog.\nThe dog ran!\n"


@pytest.mark.parametrize(
    "text, expected",
    [("", 0), ("   \n", 0), ("one", 1), ("one  two\tthree\nfour", 4), ("...!?", 0), ("snake_case", 2), ("3 apples", 2)],
)
def test_counting(text, expected):
    assert count_words(text) == expected


def test_frequencies_ignore_case_and_punctuation():
    assert word_frequencies(TEXT) == {"the": 3, "dog": 2, "cat": 1, "saw": 1, "ran": 1}


@pytest.mark.parametrize("text", ["don't", "don\u2019t", "well-known", "état", "naïve"])
def test_one_word_stays_one(text):
    assert word_frequencies(text) == {text: 1}


def test_quotes_and_dashes_around_a_word_are_no_part_of_it():
    assert word_frequencies("'tis -- the 'end'") == {"tis": 1, "the": 1, "end": 1}


def test_most_common_words_break_ties_by_name():
    assert most_common_words("b a b a c", 2) == [("a", 2), ("b", 2)]
    assert most_common_words(TEXT, 1) == [("the", 3)]
    assert most_common_words(TEXT, 0) == []
    assert most_common_words("", 5) == []


def test_words_can_be_ignored():
    assert most_common_words(TEXT, 1, ignore=["THE"]) == [("dog", 2)]


@pytest.mark.parametrize("limit", [-1, 1.5, True])
def test_senseless_limits_are_refused(limit):
    with pytest.raises(ValueError, match="limit"):
        most_common_words(TEXT, limit)


def test_summary():
    assert summarise(TEXT) == TextCounts(words=8, unique_words=5, lines=2, characters=len(TEXT))
    assert summarise("") == TextCounts(0, 0, 0, 0)
    assert summarise("a\nb").lines == 2


def test_files(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert summarise_file(path) == summarise(TEXT)


def test_only_text_has_words():
    with pytest.raises(TypeError, match="string"):
        count_words(b"bytes")

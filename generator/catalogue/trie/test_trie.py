import pytest

from trie import Trie

WORDS = ["tea", "ten", "to", "team", "inn"]


def test_words_are_found_and_prefixes_are_no_words():
    trie = Trie(WORDS)
    assert all(word in trie for word in WORDS)
    assert "te" not in trie
    assert "teams" not in trie
    assert "" not in trie
    assert len(trie) == 5


def test_prefixes():
    trie = Trie(WORDS)
    assert trie.starts_with("te")
    assert trie.starts_with("team")
    assert not trie.starts_with("x")
    assert trie.with_prefix("te") == ["tea", "team", "ten"]
    assert trie.with_prefix("x") == []
    assert list(trie) == sorted(WORDS)


def test_completions_can_be_limited():
    trie = Trie(WORDS)
    assert trie.with_prefix("t", limit=2) == ["tea", "team"]
    assert trie.with_prefix("t", limit=0) == []
    with pytest.raises(ValueError, match="negative"):
        trie.with_prefix("t", limit=-1)


def test_adding_twice_counts_once_and_replaces_the_value():
    trie = Trie()
    trie.insert("key", 1)
    trie.insert("key", None)
    assert len(trie) == 1
    assert trie.get("key", "default") is None
    assert trie.get("ke", "default") == "default"


def test_removing_leaves_longer_and_shorter_words():
    trie = Trie(["te", "tea", "team"])
    assert trie.remove("tea")
    assert list(trie) == ["te", "team"]
    assert trie.remove("team")
    assert not trie.starts_with("tea")
    assert list(trie) == ["te"]


def test_removing_what_is_not_there_changes_nothing():
    trie = Trie(["tea"])
    assert not trie.remove("te")
    assert not trie.remove("teams")
    assert not trie.remove("")
    assert (list(trie), len(trie)) == (["tea"], 1)


def test_an_emptied_trie_keeps_no_nodes():
    trie = Trie(WORDS)
    for word in WORDS:
        assert trie.remove(word)
    assert len(trie) == 0
    assert not trie.starts_with("")


def test_longest_prefix():
    trie = Trie(["a", "ab", "abcd"])
    assert trie.longest_prefix_of("abcx") == "ab"
    assert trie.longest_prefix_of("abcde") == "abcd"
    assert trie.longest_prefix_of("x") == ""


def test_any_characters_and_long_words():
    long = "x" * 20_000
    trie = Trie(["日本", "日本語", "a b", long])
    assert trie.with_prefix("日") == ["日本", "日本語"]
    assert long in trie
    assert trie.remove(long)


@pytest.mark.parametrize("word, error", [("", ValueError), (None, TypeError), (7, TypeError)])
def test_what_is_no_word_is_refused(word, error):
    with pytest.raises(error):
        Trie().insert(word)

import pytest

from fuzzy_search import (
    LIMIT,
    MAX_QUERY_LENGTH,
    MIN_SCORE,
    FuzzyIndex,
    Hit,
    allowed_typos,
    normalized_words,
    typo_distance,
    word_score,
)

BOOKS = ["The Pragmatic Programmer", "Programming Pearls", "Clean Code", "Code Complete", "Crème Brûlée at Home", "Prose"]


@pytest.fixture
def books():
    return FuzzyIndex(BOOKS)


def found(index, query, **arguments):
    return [hit.item for hit in index.search(query, **{"limit": 10, **arguments})]


def test_exact_words_score_one(books):
    assert books.search("clean code", min_score=1)[0] == Hit("Clean Code", 1.0)


@pytest.mark.parametrize("query", ["clen code", "claen code", "cleann code", "CODE clean"])
def test_typos_case_and_order_do_not_matter(books, query):
    assert found(books, query, min_score=0.5)[0] == "Clean Code"


def test_accents_do_not_matter(books):
    assert found(books, "creme brulee", min_score=1) == ["Crème Brûlée at Home"]


def test_beginnings_of_words_match_and_shorter_words_are_nearer(books):
    assert found(books, "pro", min_score=0.5) == ["Prose", "The Pragmatic Programmer", "Programming Pearls"]


def test_every_word_of_the_query_must_resemble_one(books):
    assert found(books, "clean kitchen", min_score=0.1) == []


def test_better_matches_come_first():
    index = FuzzyIndex(["form", "from", "farm"])
    hits = index.search("from", limit=2, min_score=0.5)
    assert [hit.item for hit in hits] == ["from", "form"]
    assert hits[0].score == 1.0 > hits[1].score


def test_equal_scores_prefer_fewer_words_then_the_order():
    index = FuzzyIndex(["red big apple", "apple pie", "apple tart"])
    assert found(index, "apple", min_score=1) == ["apple pie", "apple tart", "red big apple"]


def test_the_limit_and_the_least_score():
    index = FuzzyIndex(f"entry {number}" for number in range(LIMIT + 5))
    assert len(index.search("entry", min_score=1)) == LIMIT
    assert len(index.search("entry", limit=3)) == 3
    assert all(hit.score >= MIN_SCORE for hit in index.search("entri"))
    assert found(index, "entri", min_score=0.99) == []


def test_items_can_be_anything_with_a_key():
    people = [{"name": "Ada Lovelace"}, {"name": "Alan Turing"}]
    index = FuzzyIndex(people, key=lambda person: person["name"])
    assert found(index, "lovelase", min_score=0.5) == [people[0]]
    index.add({"name": "Grace Hopper"})
    assert (len(index), found(index, "grace")) == (3, [{"name": "Grace Hopper"}])


@pytest.mark.parametrize("query", ["", "   ", "?!", "zzzzzz"])
def test_queries_that_find_nothing(books, query):
    assert books.search(query) == []


def test_an_empty_index_and_empty_texts():
    assert FuzzyIndex([]).search("x") == []
    assert FuzzyIndex([""]).search("x") == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("ab", "ba", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("abcd", "acbd", 1), ("same", "same", 0)],
)
def test_exchanged_neighbours_are_one_typo(first, second, expected):
    assert typo_distance(first, second) == typo_distance(second, first) == expected


def test_short_words_allow_no_typo():
    assert [allowed_typos(length) for length in (2, 3, 5, 6)] == [0, 1, 1, 2]
    assert word_score("to", "do") == 0.0
    assert word_score("house", "mouse") > 0.0


def test_words_are_normalized():
    assert normalized_words("Straße, ÉTÉ-2024 ﬁn") == ("strasse", "ete", "2024", "fin")


def test_misuse_is_refused(books):
    for arguments in ({"limit": 0}, {"min_score": 0}, {"min_score": 1.1}):
        with pytest.raises(ValueError):
            books.search("x", **arguments)
    with pytest.raises(ValueError, match="at most"):
        books.search("x" * (MAX_QUERY_LENGTH + 1))
    with pytest.raises(TypeError, match="key must return a text"):
        FuzzyIndex([1], key=lambda item: item)

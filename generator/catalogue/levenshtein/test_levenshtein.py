import random

import pytest

from levenshtein import MAX_LENGTH, Edit, closest, distance, edit_script, similarity


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("", "", 0),
        ("abc", "", 3),
        ("", "abc", 3),
        ("same", "same", 0),
        ("kitten", "sitting", 3),
        ("flaw", "lawn", 2),
        ("saturday", "sunday", 3),
        ("ab", "ba", 2),
        ("aaa", "aa", 1),
        ("café", "cafe", 1),
        ("日本語", "日本", 1),
    ],
)
def test_known_distances(first, second, expected):
    assert distance(first, second) == distance(second, first) == expected


def naive(first, second):
    if not first or not second:
        return len(first) + len(second)
    if first[0] == second[0]:
        return naive(first[1:], second[1:])
    return 1 + min(naive(first[1:], second), naive(first, second[1:]), naive(first[1:], second[1:]))


def random_pairs(count):
    generator = random.Random(3)
    for _ in range(count):
        yield tuple("".join(generator.choices("ab", k=generator.randrange(6))) for _ in range(2))


def test_random_texts_agree_with_the_definition():
    for first, second in random_pairs(300):
        assert distance(first, second) == naive(first, second), (first, second)


def test_a_limit_changes_only_what_is_above_it():
    for first, second in random_pairs(200):
        exact = distance(first, second)
        for limit in range(5):
            assert distance(first, second, limit=limit) == min(exact, limit + 1)


def test_similarity_is_between_zero_and_one():
    assert similarity("", "") == similarity("x", "x") == 1.0
    assert similarity("abc", "xyz") == 0.0
    assert similarity("kitten", "sitting") == pytest.approx(4 / 7)


def test_scripts_lead_from_one_text_to_the_other_in_the_fewest_steps():
    for first, second in random_pairs(200):
        script = edit_script(first, second)
        assert "".join(edit.old for edit in script) == first
        assert "".join(edit.new for edit in script) == second
        assert sum(edit.action != "keep" for edit in script) == distance(first, second)


def test_a_script_step_by_step():
    replaced, added = Edit("substitute", "a", "u"), Edit("insert", "", "s")
    assert edit_script("cat", "cuts") == [Edit("keep", "c", "c"), replaced, Edit("keep", "t", "t"), added]
    assert edit_script("ab", "b") == [Edit("delete", "a", ""), Edit("keep", "b", "b")]
    assert edit_script("", "") == []


def test_the_closest_candidates_are_found():
    words = ["commit", "checkout", "cherry-pick", "comment"]
    assert closest("comit", words) == ["commit"]
    assert closest("bat", ["cat", "dog", "hat", "cat"]) == ["cat", "hat"]
    assert closest("xyz", words, max_distance=2) == []
    assert closest("bat", ["bit", "bat"], max_distance=1) == ["bat"]
    assert closest("cat", ["at", "cart"], max_distance=1) == ["at", "cart"]
    assert closest("x", []) == []


def test_long_texts_are_refused():
    with pytest.raises(ValueError, match="at most"):
        distance("x" * (MAX_LENGTH + 1), "")
    with pytest.raises(ValueError, match="at most"):
        edit_script("", "x" * (MAX_LENGTH + 1))


def test_a_negative_limit_is_refused():
    with pytest.raises(ValueError, match="limit"):
        distance("a", "b", limit=-1)

import itertools
import random

import pytest

from longest_common_subsequence import (
    lcs_length,
    lcs_pairs,
    lcs_text,
    longest_common_subsequence,
    longest_common_substring,
    similarity,
)


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(item in rest for item in part)


def by_trying(first, second):
    """The length of the longest common subsequence by trying every selection."""
    lengths = range(len(first), -1, -1)
    return next(length for length in lengths if any(is_subsequence(part, second) for part in itertools.combinations(first, length)))


@pytest.mark.parametrize(
    "first, second, expected",
    [("ABCBDAB", "BDCABA", 4), ("AGGTAB", "GXTXAYB", 4), ("abc", "abc", 3), ("abc", "xyz", 0), ("", "abc", 0), ("", "", 0), ("a", "ba", 1)],
)
def test_known_lengths(first, second, expected):
    assert lcs_length(first, second) == lcs_length(second, first) == expected
    assert len(lcs_text(first, second)) == expected


def test_the_subsequence_itself():
    assert lcs_text("AGGTAB", "GXTXAYB") == "GTAB"
    assert longest_common_subsequence([1, 2, 3, 4], [2, 4, 5]) == [2, 4]


def test_random_texts_agree_with_trying_everything():
    generator = random.Random(7)
    for _ in range(150):
        first, second = ("".join(generator.choices("abc", k=generator.randrange(8))) for _ in range(2))
        found = lcs_text(first, second)
        assert is_subsequence(found, first) and is_subsequence(found, second)
        assert len(found) == lcs_length(first, second) == by_trying(first, second)


def test_pairs_rise_in_both_sequences():
    first, second = "nematode knowledge", "empty bottle"
    pairs = lcs_pairs(first, second)
    assert len(pairs) == 7
    assert all(first[i] == second[j] for i, j in pairs)
    assert all(left[0] < right[0] and left[1] < right[1] for left, right in itertools.pairwise(pairs))


@pytest.mark.parametrize(
    "first, second, expected",
    [("abcdxyz", "xyzabcd", "abcd"), ("zxabcdezy", "yzabcdezx", "abcdez"), ("abc", "def", ""), ("", "a", ""), ("aXbX", "bXaX", "aX"), ("aaaa", "aa", "aa")],
)
def test_substrings(first, second, expected):
    assert longest_common_substring(first, second) == expected


def test_random_substrings_agree_with_trying_everything():
    generator = random.Random(8)
    for _ in range(150):
        first, second = ("".join(generator.choices("ab", k=generator.randrange(9))) for _ in range(2))
        parts = [first[i:j] for i in range(len(first) + 1) for j in range(i, len(first) + 1)]
        found = longest_common_substring(first, second)
        assert found in first and found in second
        assert len(found) == max(len(part) for part in parts if part in second)


def test_similarity():
    assert similarity("abcd", "abcd") == 1.0
    assert similarity("abcd", "wxyz") == 0.0
    assert similarity([], []) == 1.0
    assert similarity("abcd", "bd") == pytest.approx(2 / 3)


def test_arguments_are_left_alone():
    first, second = [1, 2], [2, 1]
    longest_common_subsequence(first, second)
    assert (first, second) == ([1, 2], [2, 1])

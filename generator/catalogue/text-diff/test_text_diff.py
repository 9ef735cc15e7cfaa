import difflib
import random
import re

import pytest

from text_diff import NO_NEWLINE, Change, compare, similarity, split_lines, unified_diff


def start_of(number, count):
    """Return how many lines are before a span of a hunk."""
    return int(number) - (count != "0")


def patched(old, diff):
    """Apply a unified diff, checking every line and place in it."""
    source, result, at = split_lines(old), [], 0
    for line in re.findall(rf"[^\n]*\n(?:{re.escape(NO_NEWLINE)}\n)?", diff)[2:]:
        header = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n", line)
        if header:
            before = start_of(header[1], header[2])
            result += source[at:before]
            at = before
            assert len(result) == start_of(header[3], header[4])
            continue
        content = line[1:].removesuffix(f"\n{NO_NEWLINE}\n")
        kept_or_deleted = line[0] in " -"
        assert not kept_or_deleted or source[at] == content
        at += kept_or_deleted
        result += [content] * (line[0] in " +")
    return "".join(result + source[at:])


def test_equal_texts_have_no_diff():
    assert unified_diff("a\nb\n", "a\nb\n") == ""
    assert unified_diff("", "") == ""


def test_a_changed_line_with_context():
    old = "".join(f"{number}\n" for number in range(1, 11))
    assert unified_diff(old, old.replace("5\n", "five\n"), old_name="a.txt", new_name="b.txt", context=2) == (
        "--- a.txt\n+++ b.txt\n@@ -3,5 +3,5 @@\n 3\n 4\n-5\n+five\n 6\n 7\n"
    )


def test_far_changes_are_hunks_of_their_own_and_near_ones_join():
    old = "".join(f"{number}\n" for number in range(1, 11))
    far = unified_diff(old, "0\n" + old + "11\n", context=1)
    assert re.findall("@@.*@@", far) == ["@@ -1 +1,2 @@", "@@ -10 +11,2 @@"]
    near = unified_diff(old, old.replace("4\n", "").replace("6\n", ""), context=1)
    assert re.findall("@@.*@@", near) == ["@@ -3,5 +3,3 @@"]


def test_empty_texts_on_either_side():
    assert unified_diff("", "a\n", context=3) == "--- old\n+++ new\n@@ -0,0 +1 @@\n+a\n"
    assert unified_diff("a\nb\n", "", context=3) == "--- old\n+++ new\n@@ -1,2 +0,0 @@\n-a\n-b\n"


def test_a_missing_line_feed_at_the_end_is_shown():
    assert unified_diff("a\n", "a", context=0) == f"--- old\n+++ new\n@@ -1 +1 @@\n-a\n+a\n{NO_NEWLINE}\n"


def test_only_line_feeds_end_lines():
    assert split_lines("a\r\nb\x0cc\u2028d") == ["a\r\n", "b\x0cc\u2028d"]
    assert split_lines("") == []


def random_text(generator):
    return "".join(generator.choices(["a\n", "b\n", "c\n"], k=generator.randrange(12))) + generator.choice(["", "", "end"])


@pytest.mark.parametrize("context", [0, 1, 3])
def test_random_diffs_can_be_applied(context):
    generator = random.Random(context)
    for _ in range(300):
        old, new = random_text(generator), random_text(generator)
        diff = unified_diff(old, new, context=context)
        assert (diff == "") == (old == new)
        assert patched(old, diff) == new, (old, new, diff)


def longest_common(first, second):
    row = [0] * (len(second) + 1)
    for item in first:
        above = row
        row = [0]
        for column, other in enumerate(second):
            row.append(above[column] + 1 if item == other else max(row[-1], above[column + 1]))
    return row[-1]


def test_no_shorter_diff_exists():
    generator = random.Random(9)
    for _ in range(300):
        old, new = (generator.choices("abc", k=generator.randrange(12)) for _ in range(2))
        changes = compare(old, new)
        assert sum(change.kind == "equal" for change in changes) == longest_common(old, new)
        assert [change.line for change in changes if change.kind != "insert"] == old
        assert [change.line for change in changes if change.kind != "delete"] == new


def test_changes_know_their_places():
    assert compare(["a", "b"], ["b", "c"]) == [Change("delete", 0, 0, "a"), Change("equal", 1, 0, "b"), Change("insert", 2, 1, "c")]


def test_the_format_is_that_of_difflib():
    old, new = "a\nb\nc\nd\n", "a\nx\nc\nd\ne\n"
    expected = "".join(difflib.unified_diff(split_lines(old), split_lines(new), "o", "n", n=1))
    assert unified_diff(old, new, old_name="o", new_name="n", context=1) == expected


def test_large_texts_with_few_changes_are_fast():
    lines = [f"line {number}\n" for number in range(50_000)]
    changed = [*lines[:100], "new\n", *lines[100:49_000], *lines[49_001:]]
    assert sum(change.kind != "equal" for change in compare(lines, changed)) == 2


def test_similarity():
    assert similarity("", "") == 1.0
    assert similarity("a\nb\n", "a\nc\n") == 0.5
    assert similarity("a\n", "b\n") == 0.0


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="context"):
        unified_diff("a", "b", context=-1)
    with pytest.raises(ValueError, match="one line"):
        unified_diff("a", "b", old_name="x\n+++ y")

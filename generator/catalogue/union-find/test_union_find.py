import random

import pytest

from union_find import UnionFind


def test_items_start_in_groups_of_their_own():
    sets = UnionFind("abc")
    assert (len(sets), sets.group_count) == (3, 3)
    assert sets.find("a") == "a"
    assert not sets.connected("a", "b")


def test_joined_items_belong_together():
    sets = UnionFind(range(6))
    assert sets.union(0, 1)
    assert sets.union(2, 3)
    assert sets.union(1, 3)
    assert sets.connected(0, 2)
    assert not sets.connected(0, 4)
    assert (sets.size(3), sets.size(5), sets.group_count) == (4, 1, 3)


def test_joining_a_group_to_itself_changes_nothing():
    sets = UnionFind("ab")
    assert sets.union("a", "b")
    assert not sets.union("b", "a")
    assert not sets.union("a", "a")
    assert sets.group_count == 1


def test_new_items_are_added_by_union():
    sets = UnionFind()
    sets.union("x", "y")
    assert "x" in sets and "z" not in sets
    assert sets.groups() == [["x", "y"]]


def test_adding_twice_keeps_the_group():
    sets = UnionFind()
    sets.union(1, 2)
    assert not sets.add(1)
    assert sets.connected(1, 2)
    assert sets.add(3)


def test_groups_are_in_order_of_addition():
    sets = UnionFind("abcdef")
    sets.union("e", "b")
    sets.union("f", "a")
    assert sets.groups() == [["a", "f"], ["b", "e"], ["c"], ["d"]]


def test_members_share_one_representative():
    sets = UnionFind(range(10))
    for number in range(9):
        sets.union(number, number + 1)
    assert {sets.find(number) for number in range(10)} == {sets.find(0)}


def test_random_unions_agree_with_relabelling():
    generator = random.Random(4)
    sets, labels = UnionFind(range(60)), list(range(60))
    for _ in range(50):
        first, second = generator.randrange(60), generator.randrange(60)
        assert sets.union(first, second) == (labels[first] != labels[second])
        labels = [labels[first] if label == labels[second] else label for label in labels]
        assert sets.group_count == len(set(labels))
    for first in range(60):
        assert sets.size(first) == labels.count(labels[first])
        assert all(sets.connected(first, second) == (labels[first] == labels[second]) for second in range(60))


def test_a_long_chain_is_found_without_recursion():
    sets = UnionFind()
    for number in range(200_000):
        sets.union(number, number + 1)
    assert sets.size(0) == 200_001


@pytest.mark.parametrize("ask", [lambda sets: sets.find("x"), lambda sets: sets.size("x"), lambda sets: sets.connected("a", "x")])
def test_unknown_items_are_an_error(ask):
    with pytest.raises(KeyError, match="'x' was not added"):
        ask(UnionFind("a"))

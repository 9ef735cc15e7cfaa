import pytest

from linked_list import LinkedList


def test_both_ends_take_values():
    values = LinkedList()
    values.append(2)
    values.append(3)
    values.prepend(1)
    assert list(values) == [1, 2, 3]
    assert len(values) == 3


def test_prepending_first_leaves_the_end_usable():
    values = LinkedList()
    values.prepend(1)
    values.append(2)
    assert list(values) == [1, 2]


@pytest.mark.parametrize("index, expected", [(0, "xabc"), (1, "axbc"), (3, "abcx"), (-1, "abxc")])
def test_inserting(index, expected):
    values = LinkedList("abc")
    values.insert(index, "x")
    values.append("!")
    assert "".join(values) == expected + "!"
    assert len(values) == 5


@pytest.mark.parametrize("index, taken, rest", [(0, "a", "bc"), (1, "b", "ac"), (2, "c", "ab"), (-1, "c", "ab"), (-3, "a", "bc")])
def test_popping(index, taken, rest):
    values = LinkedList("abc")
    assert values.pop(index) == taken
    values.append("!")
    assert "".join(values) == rest + "!"


def test_removing_takes_the_first_occurrence():
    values = LinkedList([1, 2, 1, 3])
    values.remove(1)
    assert list(values) == [2, 1, 3]
    values.remove(3)
    values.append(4)
    assert list(values) == [2, 1, 4]
    with pytest.raises(ValueError, match="not in the list"):
        values.remove(9)


def test_the_last_value_can_leave_and_others_come():
    values = LinkedList([1])
    assert values.pop() == 1
    assert (len(values), list(values)) == (0, [])
    values.append(2)
    values.prepend(1)
    assert list(values) == [1, 2]


@pytest.mark.parametrize("content", [[], [1], [1, 2], [1, 2, 3, 4]])
def test_reversing(content):
    values = LinkedList(content)
    values.reverse()
    assert list(values) == content[::-1]
    values.append("end")
    assert list(values) == content[::-1] + ["end"]


def test_finding_and_indexing():
    values = LinkedList("abca")
    assert (values.find("a"), values.find("c"), values.find("x")) == (0, 2, -1)
    assert (values[0], values[-1], values[2]) == ("a", "a", "c")
    assert "b" in values


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_outside_is_an_error(index):
    values = LinkedList([1, 2])
    with pytest.raises(IndexError, match="outside a list of 2"):
        values[index]
    with pytest.raises(IndexError):
        values.pop(index)


def test_an_empty_list_has_nothing_to_pop():
    with pytest.raises(IndexError):
        LinkedList().pop()
    with pytest.raises(TypeError, match="integer"):
        LinkedList([1])["0"]


def test_equality_and_repr():
    assert LinkedList([1, 2]) == LinkedList([1, 2])
    assert LinkedList([1, 2]) != LinkedList([1])
    assert LinkedList([1]) != [1]
    assert repr(LinkedList("a")) == "LinkedList(['a'])"


def test_a_long_list_needs_no_recursion():
    values = LinkedList(range(20_000))
    values.reverse()
    assert (values[0], len(values)) == (19_999, 20_000)
    values.clear()
    assert list(values) == []

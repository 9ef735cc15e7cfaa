import random

import pytest

from hash_map import HashMap


class Colliding:
    """A key whose hash is the same as that of all others."""

    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return 7

    def __eq__(self, other):
        return isinstance(other, Colliding) and self.name == other.name


def test_values_are_found_by_key():
    numbers = HashMap([("one", 1), ("two", 2)])
    numbers["three"] = 3
    assert (numbers["one"], numbers["three"], len(numbers)) == (1, 3, 3)
    assert "two" in numbers and "four" not in numbers


def test_storing_again_replaces_the_value():
    numbers = HashMap([("a", 1), ("a", 2)])
    assert (numbers["a"], len(numbers)) == (2, 1)


def test_missing_keys():
    numbers = HashMap()
    assert numbers.get("a") is None
    assert numbers.get("a", 5) == 5
    with pytest.raises(KeyError, match="a"):
        numbers["a"]
    with pytest.raises(KeyError, match="a"):
        del numbers["a"]


def test_none_is_a_key_and_a_value():
    numbers = HashMap([(None, None)])
    assert None in numbers
    assert numbers.get(None, "default") is None


def test_equal_keys_of_different_types_are_one():
    assert HashMap([(1, "integer")])[1.0] == "integer"


def test_colliding_keys_are_told_apart():
    keys = [Colliding(name) for name in range(20)]
    numbers = HashMap((key, key.name) for key in keys)
    for key in keys[::2]:
        del numbers[key]
    assert [key.name for key in keys if key in numbers] == list(range(1, 20, 2))
    assert all(numbers[key] == key.name for key in keys[1::2])


def test_entries_stay_reachable_when_others_are_removed():
    generator = random.Random(2)
    # Few different hashes and many changes make long runs with holes.
    numbers, expected = HashMap(), {}
    for step in range(20_000):
        key = generator.randrange(60) * 8
        if generator.random() < 0.5:
            numbers[key] = expected[key] = step
        elif key in expected:
            del numbers[key], expected[key]
        assert len(numbers) == len(expected)
    assert dict(numbers.items()) == expected
    assert all(numbers[key] == value for key, value in expected.items())


def test_growing_and_shrinking():
    numbers = HashMap((number, str(number)) for number in range(10_000))
    assert sorted(numbers) == list(range(10_000))
    for number in range(10_000):
        del numbers[number]
    assert (len(numbers), list(numbers)) == (0, [])
    numbers[1] = "again"
    assert numbers[1] == "again"


def test_clear():
    numbers = HashMap([(1, 1)])
    numbers.clear()
    assert len(numbers) == 0 and 1 not in numbers


def test_representation():
    assert repr(HashMap([("a", 1)])) == "HashMap([('a', 1)])"


def test_keys_must_be_hashable():
    with pytest.raises(TypeError, match="unhashable"):
        HashMap()[[1]] = 1

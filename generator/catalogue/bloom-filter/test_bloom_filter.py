import math

import pytest

from bloom_filter import DEFAULT_CAPACITY, DEFAULT_ERROR_RATE, BloomFilter


def texts(prefix, count):
    return [f"{prefix}-{number}" for number in range(count)]


def test_an_empty_filter_has_nothing():
    empty = BloomFilter()
    assert "anything" not in empty
    assert (empty.fill_ratio(), empty.approximate_count()) == (0, 0)


def test_added_items_are_never_denied():
    bloom = BloomFilter(500)
    bloom.update(texts("member", 500))
    assert all(text in bloom for text in texts("member", 500))


@pytest.mark.parametrize("error_rate", [0.1, 0.01, 0.001])
def test_wrong_claims_are_as_rare_as_promised(error_rate):
    bloom = BloomFilter(2000, error_rate)
    bloom.update(texts("member", 2000))
    wrong = sum(text in bloom for text in texts("stranger", 10_000))
    assert wrong / 10_000 < 1.5 * error_rate + 0.001


def test_adding_says_whether_the_item_is_new():
    bloom = BloomFilter(100)
    assert bloom.add("ada")
    assert not bloom.add("ada")


def test_texts_and_bytes_are_different_items():
    bloom = BloomFilter(100, 0.0001)
    bloom.add("ada")
    assert b"ada" not in bloom
    bloom.add(b"\xff")
    assert b"\xff" in bloom
    bloom.add("")
    assert "" in bloom


def test_sizes_follow_from_capacity_and_error_rate():
    bloom = BloomFilter(1000, 0.01)
    assert (bloom.bit_count, bloom.hash_count) == (9586, 7)
    assert BloomFilter(1, 0.99).hash_count == 1


def test_half_of_the_bits_are_set_at_capacity():
    bloom = BloomFilter(3000)
    bloom.update(texts("member", 3000))
    assert bloom.fill_ratio() == pytest.approx(0.5, abs=0.03)
    assert bloom.approximate_count() == pytest.approx(3000, rel=0.05)


def test_a_full_filter_claims_everything():
    bloom = BloomFilter(1, 0.5)
    bloom.update(texts("member", 1000))
    assert "stranger" in bloom
    assert bloom.approximate_count() == math.inf


def test_filters_are_joined():
    first, second = BloomFilter(100), BloomFilter(100)
    first.add("ada")
    second.add("grace")
    joined = first.union(second)
    assert "ada" in joined and "grace" in joined
    assert "grace" not in first
    with pytest.raises(ValueError, match="same capacity"):
        first.union(BloomFilter(101))


def test_the_defaults_are_the_constants():
    bloom = BloomFilter()
    assert (bloom.capacity, bloom.error_rate) == (DEFAULT_CAPACITY, DEFAULT_ERROR_RATE)


@pytest.mark.parametrize("arguments, error", [((0,), ValueError), ((-1,), ValueError), ((1.5,), TypeError), ((10, 0), ValueError), ((10, 1), ValueError)])
def test_senseless_settings_are_refused(arguments, error):
    with pytest.raises(error):
        BloomFilter(*arguments)


@pytest.mark.parametrize("item", [5, None, ["a"]])
def test_only_texts_and_bytes(item):
    with pytest.raises(TypeError, match="text or bytes"):
        BloomFilter().add(item)

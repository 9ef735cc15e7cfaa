from math import prod

import pytest

from primes import factorise, is_prime, next_prime, nth_prime, primes_up_to


def is_prime_by_definition(number):
    return number > 1 and all(number % divisor for divisor in range(2, number))


def test_small_numbers_by_definition():
    for number in range(-5, 1000):
        assert is_prime(number) is is_prime_by_definition(number), number


@pytest.mark.parametrize("limit", [*range(-2, 60), 120, 121, 122, 997, 1000])
def test_the_sieve_agrees_with_the_test(limit):
    assert primes_up_to(limit) == [number for number in range(limit + 1) if is_prime(number)]


def test_the_number_of_primes_below_a_million():
    assert len(primes_up_to(1_000_000)) == 78_498


@pytest.mark.parametrize("number", [561, 1105, 1729, 3215031751, 3825123056546413051, 2**67 - 1])
def test_numbers_that_fool_weaker_tests(number):
    assert not is_prime(number)


@pytest.mark.parametrize("number", [2**31 - 1, 2**61 - 1, 2**127 - 1, 10**9 + 7])
def test_large_primes(number):
    assert is_prime(number)


def test_nth_prime():
    primes = primes_up_to(8000)
    assert [nth_prime(n) for n in range(1, len(primes) + 1)] == primes
    assert nth_prime(100_000) == 1_299_709


@pytest.mark.parametrize("n", [0, -1])
def test_places_are_counted_from_one(n):
    with pytest.raises(ValueError):
        nth_prime(n)


@pytest.mark.parametrize("number, expected", [(-10, 2), (1, 2), (2, 3), (13, 17), (89, 97), (10**9, 10**9 + 7)])
def test_next_prime(number, expected):
    assert next_prime(number) == expected


@pytest.mark.parametrize(
    "number, expected",
    [
        (1, []),
        (2, [2]),
        (360, [2, 2, 2, 3, 3, 5]),
        (1681, [41, 41]),
        (68921, [41, 41, 41]),
        (2**61 - 1, [2**61 - 1]),
        (1_000_003 * 1_000_033, [1_000_003, 1_000_033]),
        (3215031751, [151, 751, 28351]),
    ],
)
def test_factors(number, expected):
    assert factorise(number) == expected


def test_factors_are_prime_and_multiply_to_the_number():
    for number in [*range(1, 3000), 10**12 + 39, 600851475143]:
        factors = factorise(number)
        assert prod(factors) == number
        assert all(map(is_prime, factors))


@pytest.mark.parametrize("number", [0, -7])
def test_only_positive_numbers_have_factors(number):
    with pytest.raises(ValueError):
        factorise(number)


@pytest.mark.parametrize("function", [is_prime, primes_up_to, next_prime, nth_prime, factorise])
@pytest.mark.parametrize("argument", [2.0, "7", True, None])
def test_only_integers_are_accepted(function, argument):
    with pytest.raises(TypeError):
        function(argument)

"""Prime numbers: test, list, factor."""

from math import ceil, gcd, isqrt, log

_SMALL = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
# These bases make Miller-Rabin exact below this bound (Sorenson and Webster, 2015).
EXACT_BELOW = 318_665_857_834_031_151_167_461


def _check(number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("the number must be an integer")


def _is_witness(base: int, number: int, odd: int, halvings: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return False
    for _ in range(halvings - 1):
        power = power * power % number
        if power == number - 1:
            return False
    return True


def is_prime(number: int) -> bool:
    """Say whether `number` is prime: exact below `EXACT_BELOW`, beyond it a probable prime."""
    _check(number)
    if number < 2:
        return False
    for prime in _SMALL:
        if number % prime == 0:
            return number == prime
    halvings = ((number - 1) & -(number - 1)).bit_length() - 1
    odd = (number - 1) >> halvings
    return not any(_is_witness(base, number, odd, halvings) for base in _SMALL)


def primes_up_to(limit: int) -> list[int]:
    """Return all primes that are not above `limit`, by a sieve over the odd numbers."""
    _check(limit)
    if limit < 2:
        return []
    # Position k stands for 2k + 1; position 0 (the number 1) for the prime 2.
    sieve = bytearray([1]) * ((limit + 1) // 2)
    for k in range(1, isqrt(limit) // 2 + 1):
        if sieve[k]:
            start, step = 2 * k * (k + 1), 2 * k + 1
            sieve[start::step] = bytes(len(range(start, len(sieve), step)))
    return [2, *(2 * k + 1 for k in range(1, len(sieve)) if sieve[k])]


def next_prime(number: int) -> int:
    """Return the smallest prime above `number`."""
    _check(number)
    candidate = max(2, number + 1)
    while not is_prime(candidate):
        candidate += 1
    return candidate


def nth_prime(n: int) -> int:
    """Return the prime at place `n`, counted from 1: 2, 3, 5, ..."""
    _check(n)
    if n < 1:
        raise ValueError("n must be at least 1")
    # Rosser's bound holds from place 6 on.
    limit = 13 if n < 6 else ceil(n * (log(n) + log(log(n))))
    return primes_up_to(limit)[n - 1]


def _find_divisor(number: int) -> int:
    """Return a proper divisor of an odd composite number (Pollard's rho with Floyd's cycle search)."""
    root = isqrt(number)
    if root * root == number:
        return root
    for increment in range(1, number):
        slow = fast = 2
        divisor = 1
        while divisor == 1:
            slow = (slow * slow + increment) % number
            fast = (fast * fast + increment) % number
            fast = (fast * fast + increment) % number
            divisor = gcd(slow - fast, number)
        if divisor != number:
            return divisor
    raise AssertionError("an odd composite number has a divisor")


def factorise(number: int) -> list[int]:
    """Return the prime factors of a positive integer in ascending order, repeated as often as they divide it."""
    _check(number)
    if number < 1:
        raise ValueError("the number must be positive")
    factors = []
    for prime in _SMALL:
        while number % prime == 0:
            factors.append(prime)
            number //= prime
    pending = [number] if number > 1 else []
    while pending:
        part = pending.pop()
        if is_prime(part):
            factors.append(part)
        else:
            divisor = _find_divisor(part)
            pending += [divisor, part // divisor]
    return sorted(factors)

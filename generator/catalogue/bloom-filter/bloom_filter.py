"""A Bloom filter: a set that may claim an item which it has not, and never denies one which it has."""

import hashlib
import math
from collections.abc import Iterable, Iterator

# Number of items for which the error rate holds.
DEFAULT_CAPACITY = 1000

# Share of items that are claimed wrongly when the filter holds `capacity` items.
DEFAULT_ERROR_RATE = 0.01


class BloomFilter:
    """Remember texts and bytes approximately, in a fixed number of bits."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY, error_rate: float = DEFAULT_ERROR_RATE) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int):
            raise TypeError("capacity must be an integer")
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        if not 0 < error_rate < 1:
            raise ValueError("error_rate must be between 0 and 1")
        self.capacity = capacity
        self.error_rate = error_rate
        # The sizes that need the fewest bits for an error rate.
        self.bit_count = math.ceil(-capacity * math.log(error_rate) / math.log(2) ** 2)
        self.hash_count = max(1, round(self.bit_count / capacity * math.log(2)))
        self._bits = bytearray((self.bit_count + 7) // 8)

    def _positions(self, item: str | bytes) -> Iterator[int]:
        if not isinstance(item, str | bytes):
            raise TypeError("an item must be a text or bytes")
        # A text and its bytes are different items.
        data = b"t" + item.encode() if isinstance(item, str) else b"b" + item
        digest = hashlib.blake2b(data, digest_size=16).digest()
        first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
        # Two hashes give as many as are needed (Kirsch and Mitzenmacher).
        return ((first + number * step) % self.bit_count for number in range(self.hash_count))

    def add(self, item: str | bytes) -> bool:
        """Remember an item; return whether the filter is sure that it is new."""
        is_new = False
        for position in self._positions(item):
            byte, mask = position // 8, 1 << position % 8
            is_new |= not self._bits[byte] & mask
            self._bits[byte] |= mask
        return is_new

    def update(self, items: Iterable[str | bytes]) -> None:
        """Remember several items."""
        for item in items:
            self.add(item)

    def __contains__(self, item: str | bytes) -> bool:
        """Say whether an item may have been added: False is certain, True is not."""
        return all(self._bits[position // 8] & 1 << position % 8 for position in self._positions(item))

    def fill_ratio(self) -> float:
        """Return the share of bits that are set; about one half at capacity."""
        return sum(byte.bit_count() for byte in self._bits) / self.bit_count

    def approximate_count(self) -> float:
        """Return an estimate of how many different items were added; infinite when all bits are set."""
        free = 1 - self.fill_ratio()
        return math.inf if free <= 0 else -self.bit_count / self.hash_count * math.log(free)

    def union(self, other: "BloomFilter") -> "BloomFilter":
        """Return a filter with the items of both, which must have the same capacity and error rate."""
        if (self.capacity, self.error_rate) != (other.capacity, other.error_rate):
            raise ValueError("only filters of the same capacity and error rate can be joined")
        joined = BloomFilter(self.capacity, self.error_rate)
        joined._bits = bytearray(mine | theirs for mine, theirs in zip(self._bits, other._bits, strict=True))
        return joined

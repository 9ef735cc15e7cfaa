"""The coin change problem: the fewest coins for an amount, and the number of ways to pay it."""

from collections import Counter
from collections.abc import Iterable, Mapping


def _check_amount(amount: int) -> None:
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError("the amount must be an integer, such as cents")
    if amount < 0:
        raise ValueError("the amount must not be negative")


def _coins(denominations: Iterable[int]) -> list[int]:
    coins = sorted(set(denominations))
    for coin in coins:
        if isinstance(coin, bool) or not isinstance(coin, int):
            raise TypeError("a coin must be an integer, such as cents")
        if coin < 1:
            raise ValueError("a coin must be at least 1")
    return coins


def fewest_coins(denominations: Iterable[int], amount: int) -> Counter[int] | None:
    """Return how many of each coin pay an amount with the fewest coins; None where no coins do."""
    coins = _coins(denominations)
    _check_amount(amount)
    # For each smaller amount, the number of coins (amount + 1 is more than any), and the coin added last.
    counts = [0] + [amount + 1] * amount
    last = [0] * (amount + 1)
    for part in range(1, amount + 1):
        for coin in coins:
            if coin > part:
                break
            if counts[part - coin] + 1 < counts[part]:
                counts[part] = counts[part - coin] + 1
                last[part] = coin
    if counts[amount] > amount:
        return None
    paid: Counter[int] = Counter()
    while amount > 0:
        paid[last[amount]] += 1
        amount -= last[amount]
    return paid


def minimum_coin_count(denominations: Iterable[int], amount: int) -> int | None:
    """Return the least number of coins; None where no coins pay the amount."""
    paid = fewest_coins(denominations, amount)
    return None if paid is None else sum(paid.values())


def count_ways(denominations: Iterable[int], amount: int) -> int:
    """Return in how many ways coins pay an amount, whatever their order; there is one way to pay nothing."""
    coins = _coins(denominations)
    _check_amount(amount)
    ways = [1] + [0] * amount
    # Coin by coin, so that the same coins in another order do not count again.
    for coin in coins:
        for part in range(coin, amount + 1):
            ways[part] += ways[part - coin]
    return ways[amount]


def greedy_change(denominations: Iterable[int], amount: int) -> Counter[int] | None:
    """Return change with the largest coins first; fast, and the fewest coins for usual currencies but not for all coins."""
    coins = _coins(denominations)
    _check_amount(amount)
    paid: Counter[int] = Counter()
    for coin in reversed(coins):
        count, amount = divmod(amount, coin)
        if count:
            paid[coin] = count
    return paid if amount == 0 else None


def change_from(till: Mapping[int, int], amount: int) -> Counter[int] | None:
    """Return the fewest coins for an amount from a till with a limited number of each; None where it cannot be paid."""
    coins = _coins(till)
    _check_amount(amount)
    if any(count < 0 for count in till.values()):
        raise ValueError("a till has no negative number of coins")
    best: list[Counter[int] | None] = [Counter()] + [None] * amount
    for coin in coins:
        best = [_with_coin(best, part, coin, till[coin]) for part in range(amount + 1)]
    return best[amount]


def _with_coin(best: list[Counter[int] | None], part: int, coin: int, available: int) -> Counter[int] | None:
    """Return the fewest coins for a part of the amount when some more of one coin may be used."""
    chosen = best[part]
    for count in range(1, min(available, part // coin) + 1):
        rest = best[part - count * coin]
        if rest is not None and (chosen is None or rest.total() + count < chosen.total()):
            chosen = rest + Counter({coin: count})
    return chosen

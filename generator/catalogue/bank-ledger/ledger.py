"""A double-entry ledger: money moves between accounts and never appears or disappears."""

import threading
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

CENT = Decimal("0.01")
MAX_AMOUNT = Decimal("1e12")
# Money that enters or leaves the bank comes from, or goes to, this account; its balance mirrors all others.
OUTSIDE = "outside"


class InsufficientFunds(Exception):
    """The account does not hold enough."""


class UnknownAccount(LookupError):
    """No account has this name."""


@dataclass(frozen=True)
class Entry:
    """One movement of money, numbered from 1."""

    number: int
    source: str
    target: str
    amount: Decimal
    memo: str


def to_amount(value: str | int | Decimal) -> Decimal:
    """Return a positive amount in whole cents; floats are refused because they cannot hold cents."""
    if isinstance(value, (float, bool)):
        raise TypeError("give amounts as text, an integer or a Decimal")
    try:
        amount = Decimal(value)
        exact = amount.is_finite() and 0 < amount <= MAX_AMOUNT and amount == amount.quantize(CENT)
    except (InvalidOperation, ValueError) as error:
        raise ValueError("the amount is not a number") from error
    if not exact:
        raise ValueError("an amount is positive, in whole cents, and at most 1e12")
    return amount.quantize(CENT)


class Ledger:
    """Accounts and every entry ever made. Safe to share between threads."""

    def __init__(self) -> None:
        self._balances = {OUTSIDE: Decimal("0.00")}
        self._overdrafts: dict[str, Decimal] = {}
        self._entries: list[Entry] = []
        self._lock = threading.RLock()

    def open_account(self, name: str, overdraft: str | int | Decimal | None = None) -> None:
        """Add an account with a balance of zero; `overdraft` is how far it may go below."""
        limit = Decimal("0.00") if overdraft is None else to_amount(overdraft)
        if not isinstance(name, str) or not name:
            raise ValueError("an account needs a name")
        with self._lock:
            if name in self._balances:
                raise ValueError("the account exists")
            self._balances[name] = Decimal("0.00")
            self._overdrafts[name] = limit

    def _require(self, name: str) -> None:
        if name == OUTSIDE or name not in self._balances:
            raise UnknownAccount("no such account")

    def _move(self, source: str, target: str, amount: Decimal, memo: str) -> Entry:
        # Checked and done under one lock: either both balances change or none.
        if source != OUTSIDE and self._balances[source] - amount < -self._overdrafts[source]:
            raise InsufficientFunds("the account does not hold enough")
        self._balances[source] -= amount
        self._balances[target] += amount
        entry = Entry(len(self._entries) + 1, source, target, amount, memo)
        self._entries.append(entry)
        return entry

    def deposit(self, name: str, amount: str | int | Decimal, memo: str = "") -> Entry:
        """Bring money in."""
        amount = to_amount(amount)
        with self._lock:
            self._require(name)
            return self._move(OUTSIDE, name, amount, memo)

    def withdraw(self, name: str, amount: str | int | Decimal, memo: str = "") -> Entry:
        """Take money out, or raise `InsufficientFunds`."""
        amount = to_amount(amount)
        with self._lock:
            self._require(name)
            return self._move(name, OUTSIDE, amount, memo)

    def transfer(self, source: str, target: str, amount: str | int | Decimal, memo: str = "") -> Entry:
        """Move money between two accounts, or raise `InsufficientFunds` and change nothing."""
        amount = to_amount(amount)
        if source == target:
            raise ValueError("source and target must differ")
        with self._lock:
            self._require(source)
            self._require(target)
            return self._move(source, target, amount, memo)

    def balance(self, name: str) -> Decimal:
        """Return the balance of an account."""
        with self._lock:
            self._require(name)
            return self._balances[name]

    def history(self, name: str) -> list[Entry]:
        """Return the entries of an account, oldest first."""
        with self._lock:
            self._require(name)
            return [entry for entry in self._entries if name in (entry.source, entry.target)]

    def is_consistent(self) -> bool:
        """Recompute every balance from the entries and say whether all agree and sum to zero."""
        with self._lock:
            recomputed = dict.fromkeys(self._balances, Decimal("0.00"))
            for entry in self._entries:
                recomputed[entry.source] -= entry.amount
                recomputed[entry.target] += entry.amount
            return recomputed == self._balances and sum(recomputed.values()) == 0

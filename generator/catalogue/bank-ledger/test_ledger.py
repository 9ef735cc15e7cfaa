import random
import threading
from decimal import Decimal

import pytest

from ledger import OUTSIDE, InsufficientFunds, Ledger, UnknownAccount, to_amount


@pytest.fixture
def ledger():
    book = Ledger()
    book.open_account("ada")
    book.open_account("grace", overdraft=50)
    book.deposit("ada", "100.00")
    yield book
    assert book.is_consistent()


def test_deposits_and_withdrawals(ledger):
    ledger.withdraw("ada", "30.25", memo="books")
    assert ledger.balance("ada") == Decimal("69.75")
    assert [(entry.number, entry.amount, entry.memo) for entry in ledger.history("ada")] == [(1, 100, ""), (2, Decimal("30.25"), "books")]


def test_transfers_move_money_and_make_none(ledger):
    ledger.transfer("ada", "grace", 40)
    assert (ledger.balance("ada"), ledger.balance("grace")) == (60, 40)
    assert ledger.history("grace") == ledger.history("ada")[1:]


def test_nothing_changes_when_funds_are_short(ledger):
    for action in (lambda: ledger.withdraw("ada", "100.01"), lambda: ledger.transfer("ada", "grace", 101)):
        with pytest.raises(InsufficientFunds):
            action()
    assert (ledger.balance("ada"), ledger.balance("grace")) == (100, 0)
    assert len(ledger.history("ada")) == 1


def test_the_last_cent_can_be_spent_and_an_overdraft_has_an_end(ledger):
    ledger.withdraw("ada", 100)
    ledger.withdraw("grace", 50)
    assert (ledger.balance("ada"), ledger.balance("grace")) == (0, -50)
    with pytest.raises(InsufficientFunds):
        ledger.withdraw("grace", "0.01")


def test_cents_add_up_exactly(ledger):
    for _ in range(10):
        ledger.withdraw("ada", "0.10")
    assert ledger.balance("ada") == Decimal("99.00")


@pytest.mark.parametrize("amount", [0, -1, "-5", "0.001", "1e13", "NaN", "Infinity", "ten", ""])
def test_amounts_that_are_no_money(amount):
    with pytest.raises(ValueError):
        to_amount(amount)


@pytest.mark.parametrize("amount", [0.1, 5.0, True])
def test_floats_are_refused(amount):
    with pytest.raises(TypeError):
        to_amount(amount)


def test_unknown_accounts_and_the_outside(ledger):
    for name in ("nobody", OUTSIDE):
        for action in (
            lambda: ledger.balance(name),
            lambda: ledger.deposit(name, 1),
            lambda: ledger.withdraw(name, 1),
            lambda: ledger.transfer("ada", name, 1),
            lambda: ledger.transfer(name, "ada", 1),
            lambda: ledger.history(name),
        ):
            with pytest.raises(UnknownAccount):
                action()
    assert ledger.balance("ada") == 100


@pytest.mark.parametrize("name", ["", None, "ada", OUTSIDE])
def test_names_are_given_once(ledger, name):
    with pytest.raises(ValueError):
        ledger.open_account(name)


def test_a_transfer_to_oneself_is_refused(ledger):
    with pytest.raises(ValueError, match="differ"):
        ledger.transfer("ada", "ada", 1)


def test_threads_lose_no_money(ledger):
    names = ["ada", "grace"]

    def worker(seed):
        generator = random.Random(seed)
        for _ in range(300):
            source, target = generator.sample(names, 2)
            try:
                ledger.transfer(source, target, generator.randrange(1, 40))
            except InsufficientFunds:
                pass

    threads = [threading.Thread(target=worker, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.balance("ada") + ledger.balance("grace") == 100
    assert ledger.balance("ada") >= 0
    assert ledger.balance("grace") >= -50

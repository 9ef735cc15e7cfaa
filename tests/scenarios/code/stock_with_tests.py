class Stock:
    def __init__(self):
        self._amounts = {}

    def add(self, name, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self._amounts[name] = self._amounts.get(name, 0) + amount

    def take(self, name, amount):
        if self._amounts.get(name, 0) < amount:
            raise LookupError("not enough in stock")
        self._amounts[name] -= amount

    def amount(self, name):
        return self._amounts.get(name, 0)


def test_add_and_take():
    stock = Stock()
    stock.add("bolt", 5)
    stock.take("bolt", 2)
    assert stock.amount("bolt") == 3


def test_taking_too_much_fails():
    stock = Stock()
    try:
        stock.take("nut", 1)
    except LookupError:
        return
    raise AssertionError("took what is not there")

import itertools
import random

import pytest

from knapsack import Item, fractional_knapsack, knapsack, unbounded_knapsack

ITEMS = [Item("tent", 5, 10), Item("stove", 4, 40), Item("book", 6, 30), Item("radio", 3, 50)]


def test_the_best_selection():
    packing = knapsack(ITEMS, 10)
    assert [item.name for item in packing.chosen(ITEMS)] == ["stove", "radio"]
    assert (packing.value, packing.weight, packing.counts) == (90, 7, (0, 1, 0, 1))


@pytest.mark.parametrize("solve", [knapsack, unbounded_knapsack, fractional_knapsack])
def test_nothing_fits(solve):
    assert solve(ITEMS, 0).value == 0
    assert solve([], 10).counts == ()


def test_items_heavier_than_the_capacity_are_left():
    assert knapsack(ITEMS, 2).chosen(ITEMS) == []
    assert unbounded_knapsack(ITEMS, 2).value == 0


def test_everything_fits():
    assert knapsack(ITEMS, 100).counts == (1, 1, 1, 1)


def random_items(generator):
    return [Item(str(index), generator.randint(1, 9), generator.randint(0, 20)) for index in range(generator.randrange(7))]


def test_random_problems_agree_with_trying_everything():
    generator = random.Random(5)
    for _ in range(150):
        items, capacity = random_items(generator), generator.randrange(25)
        selections = itertools.chain.from_iterable(itertools.combinations(items, size) for size in range(len(items) + 1))
        best = max(sum(item.value for item in chosen) for chosen in selections if sum(item.weight for item in chosen) <= capacity)
        packing = knapsack(items, capacity)
        assert packing.value == best
        assert packing.weight <= capacity
        assert set(packing.counts) <= {0, 1}


def test_random_unbounded_problems_agree_with_trying_everything():
    generator = random.Random(6)
    for _ in range(60):
        items, capacity = random_items(generator)[:3], generator.randrange(13)
        counts = itertools.product(*(range(capacity // item.weight + 1) for item in items))
        totals = ((sum(n * item.weight for n, item in zip(c, items)), sum(n * item.value for n, item in zip(c, items))) for c in counts)
        packing = unbounded_knapsack(items, capacity)
        assert packing.value == max(value for weight, value in totals if weight <= capacity)
        assert packing.weight <= capacity


def test_an_item_may_be_used_many_times():
    packing = unbounded_knapsack([Item("coin", 3, 5)], 10)
    assert (packing.counts, packing.value, packing.weight) == ((3,), 15, 9)


def test_items_may_be_divided():
    items = [Item("gold", 10, 60), Item("silver", 20, 100), Item("sand", 30, 120)]
    packing = fractional_knapsack(items, 50)
    assert packing.value == pytest.approx(240)
    assert packing.counts == pytest.approx((1, 1, 2 / 3))


def test_dividing_is_never_worse():
    generator = random.Random(9)
    for _ in range(50):
        items, capacity = random_items(generator), generator.randrange(25)
        assert fractional_knapsack(items, capacity).value >= knapsack(items, capacity).value - 1e-9


@pytest.mark.parametrize("weight, value, error", [(0, 1, ValueError), (-1, 1, ValueError), (1, -1, ValueError), (1.5, 1, TypeError)])
def test_senseless_items_are_refused(weight, value, error):
    with pytest.raises(error, match="lamp"):
        Item("lamp", weight, value)


@pytest.mark.parametrize("solve", [knapsack, unbounded_knapsack, fractional_knapsack])
@pytest.mark.parametrize("capacity, error", [(-1, ValueError), (2.5, TypeError), (True, TypeError)])
def test_senseless_capacities_are_refused(solve, capacity, error):
    with pytest.raises(error, match="capacity"):
        solve(ITEMS, capacity)

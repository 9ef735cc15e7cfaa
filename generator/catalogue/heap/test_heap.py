import random

import pytest

from heap import Heap, smallest


def test_items_come_out_in_order():
    heap = Heap([5, 1, 4])
    heap.push(2)
    assert (heap.peek(), len(heap)) == (1, 4)
    assert [heap.pop() for _ in range(4)] == [1, 2, 4, 5]


def test_the_largest_first():
    heap = Heap([5, 1], largest_first=True)
    heap.push(7)
    assert heap.drain() == [7, 5, 1]


def test_a_key_decides_the_order():
    heap = Heap(["ccc", "a"], key=len)
    heap.push("bb")
    assert heap.drain() == ["a", "bb", "ccc"]


def test_the_key_is_computed_once_for_each_item():
    calls = []
    heap = Heap([3, 1, 2], key=lambda item: calls.append(item) or item)
    heap.drain()
    assert sorted(calls) == [1, 2, 3]


@pytest.mark.parametrize("largest_first", [False, True])
def test_random_items_agree_with_sorting(largest_first):
    generator = random.Random(1)
    for _ in range(200):
        items = generator.choices(range(30), k=generator.randrange(40))
        split = generator.randrange(len(items) + 1)
        heap = Heap(items[:split], largest_first=largest_first)
        for item in items[split:]:
            heap.push(item)
        assert heap.drain() == sorted(items, reverse=largest_first)


def test_pushes_and_pops_may_alternate():
    generator = random.Random(2)
    heap, items = Heap(), []
    for _ in range(2000):
        if items and generator.random() < 0.5:
            items.sort()
            assert heap.pop() == items.pop(0)
        else:
            item = generator.randrange(100)
            heap.push(item)
            items.append(item)


def test_replace_removes_first_and_adds_then():
    heap = Heap([1, 5])
    assert heap.replace(9) == 1
    assert heap.drain() == [5, 9]


@pytest.mark.parametrize("ask", [Heap.pop, Heap.peek, lambda heap: heap.replace(1)])
def test_an_empty_heap_has_nothing(ask):
    with pytest.raises(IndexError, match="empty"):
        ask(Heap())


def test_the_argument_is_left_alone():
    items = [3, 1, 2]
    Heap(items).pop()
    assert items == [3, 1, 2]


def test_items_without_an_order_may_have_a_key():
    assert Heap([{"n": 2}, {"n": 1}], key=lambda item: item["n"]).pop() == {"n": 1}


@pytest.mark.parametrize("count", [0, 1, 3, 10, 99])
def test_the_smallest_items(count):
    items = random.Random(3).choices(range(20), k=10)
    assert smallest(iter(items), count) == sorted(items)[:count]


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="negative"):
        smallest([1], -1)

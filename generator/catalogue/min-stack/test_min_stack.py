import random

import pytest

from min_stack import MinStack


def test_the_minimum_follows_pushes_and_pops():
    stack = MinStack()
    seen = []
    for item in [3, 5, 2, 2, 8]:
        stack.push(item)
        seen.append((stack.minimum(), stack.maximum()))
    assert seen == [(3, 3), (3, 5), (2, 5), (2, 5), (2, 8)]
    assert [stack.pop(), stack.minimum(), stack.maximum()] == [8, 2, 5]
    assert [stack.pop(), stack.minimum()] == [2, 2]
    assert [stack.pop(), stack.minimum()] == [2, 3]


def test_last_in_first_out():
    stack = MinStack("abc")
    assert (stack.peek(), len(stack)) == ("c", 3)
    assert [stack.pop() for _ in range(3)] == ["c", "b", "a"]
    assert len(stack) == 0


@pytest.mark.parametrize("ask", [MinStack.pop, MinStack.peek, MinStack.minimum, MinStack.maximum])
def test_an_empty_stack_has_nothing(ask):
    with pytest.raises(IndexError, match="empty"):
        ask(MinStack())


def test_an_emptied_stack_starts_anew():
    stack = MinStack([1])
    stack.pop()
    stack.push(9)
    assert (stack.minimum(), stack.maximum()) == (9, 9)


def test_random_operations_agree_with_searching():
    generator = random.Random(3)
    stack, items = MinStack(), []
    for _ in range(2000):
        if items and generator.random() < 0.45:
            assert stack.pop() == items.pop()
        else:
            item = generator.randrange(50)
            stack.push(item)
            items.append(item)
        if items:
            assert (stack.minimum(), stack.maximum(), stack.peek()) == (min(items), max(items), items[-1])


def test_of_equal_items_the_first_is_returned():
    first, second = 1, 1.0
    assert MinStack([first, second]).minimum() is first
    assert MinStack([first, second]).maximum() is first


def test_items_need_only_an_order():
    assert MinStack(["b", "a", "c"]).minimum() == "a"
    assert MinStack([(1, "x"), (0, "y")]).maximum() == (1, "x")


def test_items_that_cannot_be_compared_are_refused_and_not_pushed():
    stack = MinStack([1])
    with pytest.raises(TypeError):
        stack.push("a")
    assert len(stack) == 1


def test_representation():
    assert repr(MinStack([2, 1])) == "MinStack([2, 1])"

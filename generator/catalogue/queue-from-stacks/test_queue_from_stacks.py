import random

import pytest

from queue_from_stacks import QueueFromStacks, Stack, StackFromQueues

STACKS = [Stack, StackFromQueues]


def test_a_queue_is_first_in_first_out():
    queue = QueueFromStacks()
    for item in "abc":
        queue.enqueue(item)
    assert (queue.peek(), len(queue)) == ("a", 3)
    assert [queue.dequeue() for _ in range(3)] == ["a", "b", "c"]
    assert len(queue) == 0


def test_items_may_come_between():
    queue = QueueFromStacks()
    queue.enqueue(1)
    queue.enqueue(2)
    assert queue.dequeue() == 1
    queue.enqueue(3)
    assert [queue.dequeue(), queue.dequeue()] == [2, 3]


@pytest.mark.parametrize("container", STACKS)
def test_a_stack_is_last_in_first_out(container):
    stack = container()
    for item in "abc":
        stack.push(item)
    assert (stack.peek(), len(stack)) == ("c", 3)
    assert [stack.pop() for _ in range(3)] == ["c", "b", "a"]
    assert len(stack) == 0


@pytest.mark.parametrize("container", STACKS)
def test_items_may_be_pushed_between(container):
    stack = container()
    stack.push(1)
    stack.push(2)
    assert stack.pop() == 2
    stack.push(3)
    assert [stack.pop(), stack.pop()] == [3, 1]


def test_a_random_queue_agrees_with_a_list():
    generator = random.Random(1)
    queue, items = QueueFromStacks(), []
    for step in range(3000):
        if items and generator.random() < 0.48:
            assert queue.peek() == items[0]
            assert queue.dequeue() == items.pop(0)
        else:
            queue.enqueue(step)
            items.append(step)
        assert len(queue) == len(items)


@pytest.mark.parametrize("container", STACKS)
def test_a_random_stack_agrees_with_a_list(container):
    generator = random.Random(2)
    stack, items = container(), []
    for step in range(1000):
        if items and generator.random() < 0.48:
            assert stack.peek() == items[-1]
            assert stack.pop() == items.pop()
        else:
            stack.push(step)
            items.append(step)


def test_each_item_of_a_queue_moves_only_once():
    queue = QueueFromStacks()
    for number in range(100_000):
        queue.enqueue(number)
    assert [queue.dequeue() for _ in range(100_000)] == list(range(100_000))


@pytest.mark.parametrize("ask", [QueueFromStacks.dequeue, QueueFromStacks.peek])
def test_an_empty_queue_has_nothing(ask):
    with pytest.raises(IndexError, match="the queue is empty"):
        ask(QueueFromStacks())


@pytest.mark.parametrize("container", STACKS)
def test_an_empty_stack_has_nothing(container):
    for ask in (container.pop, container.peek):
        with pytest.raises(IndexError, match="the stack is empty"):
            ask(container())


def test_none_is_an_item():
    queue, stack = QueueFromStacks(), StackFromQueues()
    queue.enqueue(None)
    stack.push(None)
    assert queue.dequeue() is None
    assert stack.pop() is None

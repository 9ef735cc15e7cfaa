import pytest

from stack_and_queue import EmptyError, FullError, Queue, Stack


def test_a_stack_gives_the_newest_first():
    stack = Stack()
    for item in (1, 2, 3):
        stack.push(item)
    assert [stack.pop(), stack.pop(), stack.pop()] == [3, 2, 1]
    assert stack.is_empty()


def test_a_queue_gives_the_oldest_first():
    queue = Queue()
    for item in (1, 2, 3):
        queue.enqueue(item)
    assert [queue.dequeue(), queue.dequeue(), queue.dequeue()] == [1, 2, 3]
    assert queue.is_empty()


def test_adding_and_taking_can_alternate():
    queue = Queue("ab")
    assert queue.dequeue() == "a"
    queue.enqueue("c")
    assert list(queue) == ["b", "c"]
    stack = Stack("ab")
    assert stack.pop() == "b"
    stack.push("c")
    assert list(stack) == ["c", "a"]


def test_peeking_takes_nothing():
    stack, queue = Stack([1, 2]), Queue([1, 2])
    assert (stack.peek(), stack.peek(), len(stack)) == (2, 2, 2)
    assert (queue.peek(), queue.peek(), len(queue)) == (1, 1, 2)


@pytest.mark.parametrize("take", [Stack().pop, Stack().peek, Queue().dequeue, Queue().peek])
def test_taking_from_nothing_is_an_error(take):
    with pytest.raises(EmptyError, match="is empty"):
        take()


def test_none_and_false_are_items():
    stack = Stack([None, False])
    assert len(stack) == 2
    assert (stack.pop(), stack.pop()) == (False, None)


def test_a_capacity_is_kept():
    queue = Queue([1, 2], capacity=2)
    assert queue.is_full()
    with pytest.raises(FullError, match="the queue is full"):
        queue.enqueue(3)
    assert list(queue) == [1, 2]
    queue.dequeue()
    queue.enqueue(3)
    assert list(queue) == [2, 3]
    with pytest.raises(FullError):
        Stack([1, 2, 3], capacity=2)


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True, "3"])
def test_senseless_capacities_are_refused(capacity):
    with pytest.raises(ValueError, match="capacity"):
        Stack(capacity=capacity)


def test_contains_and_clear():
    stack = Stack([1, 2])
    assert 1 in stack
    assert 3 not in stack
    stack.clear()
    assert stack.is_empty()
    assert not stack.is_full()

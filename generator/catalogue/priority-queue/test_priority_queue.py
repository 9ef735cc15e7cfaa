import random

import pytest

from priority_queue import PriorityQueue


@pytest.fixture
def queue():
    return PriorityQueue()


def test_urgent_tasks_come_first(queue):
    for task, priority in (("low", 9), ("high", 1), ("middle", 5)):
        queue.push(task, priority)
    assert list(queue) == ["high", "middle", "low"]
    assert len(queue) == 0


def test_equals_keep_their_order(queue):
    for number in range(100):
        queue.push(number, priority=number % 2)
    assert list(queue) == [*range(0, 100, 2), *range(1, 100, 2)]


def test_tasks_themselves_are_never_compared(queue):
    tasks = [object() for _ in range(20)]
    for task in tasks:
        queue.push(task)
    assert list(queue) == tasks


def test_peek_leaves_the_task(queue):
    queue.push("a")
    assert queue.peek() == "a"
    assert "a" in queue
    assert queue.pop() == "a"
    assert "a" not in queue


@pytest.mark.parametrize("action", ["pop", "peek"])
def test_an_empty_queue_says_so(queue, action):
    with pytest.raises(IndexError):
        getattr(queue, action)()


def test_cancelled_tasks_never_come_out(queue):
    for task in "abc":
        queue.push(task)
    assert queue.cancel("a")
    assert not queue.cancel("a")
    assert len(queue) == 2
    assert queue.peek() == "b"
    assert list(queue) == ["b", "c"]


def test_a_task_waits_once(queue):
    queue.push("a")
    with pytest.raises(ValueError, match="already"):
        queue.push("a", 5)
    queue.pop()
    queue.push("a")
    assert len(queue) == 1


def test_another_priority_moves_a_task_behind_its_new_equals(queue):
    queue.push("a", 1)
    queue.push("b", 2)
    queue.push("c", 9)
    queue.reprioritise("c", 1)
    queue.reprioritise("a", 2)
    assert list(queue) == ["c", "b", "a"]
    with pytest.raises(KeyError):
        queue.reprioritise("missing", 1)


def test_priorities_that_cannot_be_ordered_are_refused(queue):
    with pytest.raises(ValueError):
        queue.push("a", float("nan"))
    assert len(queue) == 0


def test_memory_follows_the_waiting_tasks(queue):
    queue.push("keeper", 10)
    for number in range(10_000):
        queue.push(number)
        queue.cancel(number)
    assert len(queue._heap) < 100
    assert queue.pop() == "keeper"


def test_random_use_agrees_with_a_sorted_list(queue):
    generator = random.Random(11)
    model = {}
    for step in range(3000):
        choice = generator.random()
        if choice < 0.5:
            model[step] = (generator.randrange(5), step)
            queue.push(step, model[step][0])
        elif model and choice < 0.75:
            expected = min(model, key=model.get)
            assert queue.pop() == expected
            del model[expected]
        elif model:
            victim = generator.choice(list(model))
            assert queue.cancel(victim)
            del model[victim]
        assert len(queue) == len(model)

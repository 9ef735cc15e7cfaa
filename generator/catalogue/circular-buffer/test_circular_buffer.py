import gc
import random
import weakref
from collections import deque

import pytest

from circular_buffer import CAPACITY, BufferEmpty, BufferFull, CircularBuffer


def test_first_in_first_out():
    buffer = CircularBuffer(3)
    for item in "abc":
        buffer.write(item)
    assert [buffer.read() for _ in range(3)] == ["a", "b", "c"]


def test_the_default_capacity_is_the_constant():
    assert CircularBuffer().capacity == CAPACITY


def test_a_full_buffer_refuses_and_keeps_its_items():
    buffer = CircularBuffer(2)
    buffer.write(1)
    buffer.write(2)
    with pytest.raises(BufferFull):
        buffer.write(3)
    assert list(buffer) == [1, 2]


def test_overwriting_replaces_the_oldest():
    buffer = CircularBuffer(3)
    for number in range(8):
        buffer.overwrite(number)
    assert list(buffer) == [5, 6, 7]
    assert buffer.read() == 5


@pytest.mark.parametrize("action", ["read", "peek"])
def test_an_empty_buffer_says_so(action):
    buffer = CircularBuffer(1)
    with pytest.raises(BufferEmpty):
        getattr(buffer, action)()
    buffer.write(1)
    buffer.read()
    with pytest.raises(BufferEmpty):
        getattr(buffer, action)()


def test_peek_leaves_the_item():
    buffer = CircularBuffer(1)
    buffer.write("a")
    assert buffer.peek() == "a"
    assert len(buffer) == 1


def test_items_by_age():
    buffer = CircularBuffer(3)
    for number in range(5):
        buffer.overwrite(number)
    assert [buffer[0], buffer[2], buffer[-1], buffer[-3]] == [2, 4, 4, 2]
    for index in (3, -4):
        with pytest.raises(IndexError):
            buffer[index]
    with pytest.raises(IndexError):
        CircularBuffer(2)[0]


def test_none_is_an_item():
    buffer = CircularBuffer(2)
    buffer.write(None)
    assert (len(buffer), buffer.read(), len(buffer)) == (1, None, 0)


def test_clear():
    buffer = CircularBuffer(2)
    buffer.write(1)
    buffer.clear()
    assert (len(buffer), list(buffer), buffer.is_full()) == (0, [], False)


def test_items_that_were_read_are_let_go():
    class Item:
        pass

    buffer = CircularBuffer(4)
    item = Item()
    watcher = weakref.ref(item)
    buffer.write(item)
    del item
    buffer.read()
    gc.collect()
    assert watcher() is None


@pytest.mark.parametrize("capacity", [0, -1, 1.5, "3", None, True])
def test_a_capacity_is_a_positive_integer(capacity):
    with pytest.raises(ValueError):
        CircularBuffer(capacity)


def test_random_use_agrees_with_a_bounded_deque():
    generator = random.Random(9)
    buffer, model = CircularBuffer(5), deque(maxlen=5)
    for number in range(5000):
        if generator.random() < 0.55:
            buffer.overwrite(number)
            model.append(number)
        elif model:
            assert buffer.read() == model.popleft()
        assert list(buffer) == list(model)
        assert buffer.is_full() == (len(model) == 5)

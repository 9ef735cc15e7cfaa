import itertools
import threading

import pytest

from batching import BATCH_SIZE, MAX_AGE_SECONDS, Batcher, BatcherClosed, BatcherFull, Limits, batched


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sent():
    return []


def test_items_are_cut_into_lists():
    assert list(batched(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batched([], 3)) == []
    assert len(next(batched(itertools.count()))) == BATCH_SIZE


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_is_refused_at_once(size):
    with pytest.raises(ValueError, match="size"):
        batched([1], size)


def test_a_full_batch_is_flushed(sent):
    batcher = Batcher(sent.append, Limits(size=3, max_age_seconds=None))
    for number in range(7):
        batcher.add(number)
    assert sent == [[0, 1, 2], [3, 4, 5]]
    assert len(batcher) == 1
    assert batcher.seconds_until_due() is None


def test_an_old_batch_is_flushed_by_tick(sent, clock):
    batcher = Batcher(sent.append, Limits(size=10, max_age_seconds=5, max_pending=10), clock=clock)
    assert batcher.seconds_until_due() is None
    batcher.add("a")
    clock.now = 3
    batcher.add("b")
    assert (batcher.tick(), batcher.seconds_until_due()) == (0, 2)
    clock.now = 5
    assert (batcher.tick(), sent) == (2, [["a", "b"]])


def test_an_old_batch_is_flushed_by_the_next_item(sent, clock):
    batcher = Batcher(sent.append, Limits(size=10, max_age_seconds=1), clock=clock)
    batcher.add("a")
    clock.now = 1
    batcher.add("b")
    assert sent == [["a", "b"]]


def test_the_default_age(sent, clock):
    batcher = Batcher(sent.append, Limits(size=2), clock=clock)
    batcher.add("a")
    assert batcher.seconds_until_due() == MAX_AGE_SECONDS


def test_weights_bound_a_batch(sent):
    batcher = Batcher(sent.append, Limits(size=10, max_age_seconds=None, max_weight=5), weigh=len)
    for text in ("aa", "bb", "cc", "toolong", "d"):
        batcher.add(text)
    batcher.flush()
    assert sent == [["aa", "bb"], ["cc"], ["toolong"], ["d"]]


def test_no_item_is_lost_or_repeated_when_flushing_fails(sent):
    answers = [OSError("down"), None, None]

    def flush(batch):
        answer = answers.pop(0)
        if answer:
            raise answer
        sent.append(batch)

    batcher = Batcher(flush, Limits(size=2, max_age_seconds=None))
    batcher.add(1)
    with pytest.raises(OSError):
        batcher.add(2)
    assert len(batcher) == 2
    batcher.add(3)
    batcher.flush()
    assert sent == [[1, 2], [3]]


def test_waiting_items_are_bounded():
    def fail(batch):
        raise OSError("down")

    batcher = Batcher(fail, Limits(size=1, max_pending=2, max_age_seconds=None))
    for _ in range(2):
        with pytest.raises(OSError):
            batcher.add("x")
    with pytest.raises(BatcherFull, match="2 items"):
        batcher.add("x")
    assert len(batcher) == 2


def test_the_end_of_the_block_flushes_and_closes(sent):
    with Batcher(sent.append, Limits(size=5, max_age_seconds=None)) as batcher:
        batcher.add(1)
    assert sent == [[1]]
    with pytest.raises(BatcherClosed):
        batcher.add(2)
    batcher.close()


def test_flushing_nothing_calls_nothing(sent):
    batcher = Batcher(sent.append)
    assert (batcher.flush(), batcher.tick(), sent) == (0, 0, [])


def test_a_flush_that_adds_is_refused():
    batcher = Batcher(lambda batch: batcher.add("again"), Limits(size=1, max_age_seconds=None))
    with pytest.raises(RuntimeError, match="its own batcher"):
        batcher.add("x")


def test_threads_lose_nothing(sent):
    batcher = Batcher(sent.append, Limits(size=7, max_age_seconds=None))

    def work(start):
        for number in range(start, start + 100):
            batcher.add(number)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batcher.flush()
    assert sorted(itertools.chain.from_iterable(sent)) == list(range(400))
    assert all(len(batch) == 7 for batch in sent[:-1])


@pytest.mark.parametrize("settings", [{"size": 0}, {"max_age_seconds": 0}, {"max_weight": 0}, {"size": 5, "max_pending": 4}])
def test_senseless_settings_are_refused(settings):
    with pytest.raises(ValueError):
        Limits(**settings)

import random
import threading

import pytest

from sliding_window_limiter import LIMIT, WINDOW_SECONDS, Decision, SlidingWindowLimiter


class Clock:
    def __init__(self):
        self.now = 500.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(clock):
    return SlidingWindowLimiter(3, 10, clock=clock)


def test_the_limit_passes_and_the_next_action_is_told_how_long_to_wait(limiter, clock):
    assert [limiter.acquire("ada").remaining for _ in range(3)] == [2, 1, 0]
    clock.now += 4
    assert limiter.acquire("ada") == Decision(False, 0, 6.0)


def test_each_action_leaves_the_window_on_its_own(limiter, clock):
    for _ in range(3):
        assert limiter.acquire("ada").allowed
        clock.now += 2
    clock.now += 4
    assert limiter.acquire("ada").allowed
    assert limiter.acquire("ada") == Decision(False, 0, 2.0)


def test_waiting_as_long_as_told_is_enough_and_not_too_much(limiter, clock):
    for _ in range(3):
        limiter.acquire("ada")
    wait = limiter.acquire("ada").retry_after_seconds
    clock.now += wait - 0.25
    assert not limiter.acquire("ada").allowed
    clock.now += 0.25
    assert limiter.acquire("ada").allowed


def test_there_is_no_double_burst_at_the_edge_of_a_window(limiter, clock):
    # A fixed window would allow three actions before its end and three after.
    clock.now += 9
    before = [limiter.acquire("ada").allowed for _ in range(3)]
    clock.now += 2
    after = [limiter.acquire("ada").allowed for _ in range(3)]
    assert (before, after) == ([True] * 3, [False] * 3)


def test_refused_actions_do_not_count(limiter, clock):
    for _ in range(50):
        limiter.acquire("ada")
    clock.now += 10
    assert [limiter.acquire("ada").allowed for _ in range(4)] == [True, True, True, False]


def test_keys_do_not_share_a_window(limiter):
    for _ in range(3):
        limiter.acquire("ada")
    assert not limiter.acquire("ada").allowed
    assert limiter.acquire("grace").allowed


def test_peeking_counts_nothing(limiter, clock):
    for _ in range(10):
        assert limiter.peek("ada") == Decision(True, 3, 0.0)
    for _ in range(3):
        limiter.acquire("ada")
    assert limiter.peek("ada") == Decision(False, 0, 10.0)
    clock.now += 10
    assert limiter.peek("ada").allowed


def test_a_key_can_be_reset(limiter):
    for _ in range(3):
        limiter.acquire("ada")
    limiter.reset("ada")
    limiter.reset("never seen")
    assert limiter.acquire("ada").remaining == 2


def test_memory_is_bounded_and_the_key_that_asked_longest_ago_goes_first(clock):
    limiter = SlidingWindowLimiter(1, 10, max_keys=2, clock=clock)
    for key in ("old", "kept", "old", "new"):
        limiter.acquire(key)
    assert len(limiter) == 2
    assert not limiter.acquire("old").allowed


def test_no_window_of_a_random_run_exceeds_the_limit(clock):
    source = random.Random(11)
    limiter = SlidingWindowLimiter(5, 10, clock=clock)
    allowed = []
    for _ in range(3000):
        clock.now += source.choice((0.0, 0.25, 0.5, 4.0))
        if limiter.acquire("ada").allowed:
            allowed.append(clock.now)
    assert len(allowed) > 500
    assert all(later - earlier >= 10 for earlier, later in zip(allowed, allowed[5:]))


def test_defaults_come_from_the_constants(clock):
    limiter = SlidingWindowLimiter(clock=clock)
    assert all(limiter.acquire("ada").allowed for _ in range(LIMIT))
    assert limiter.acquire("ada") == Decision(False, 0, WINDOW_SECONDS)


@pytest.mark.parametrize("arguments", [(0, 1), (1.5, 1), (True, 1), (1, 0), (1, -1)])
def test_senseless_settings_are_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        SlidingWindowLimiter(*arguments)
    with pytest.raises(ValueError, match="max_keys"):
        SlidingWindowLimiter(max_keys=0)


def test_threads_together_get_no_more_than_the_limit(clock):
    limiter = SlidingWindowLimiter(50, 10, clock=clock)
    allowed = []

    def worker():
        for _ in range(40):
            if limiter.acquire("shared").allowed:
                allowed.append(1)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(allowed) == 50

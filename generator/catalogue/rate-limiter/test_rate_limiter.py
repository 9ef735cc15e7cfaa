import threading

import pytest

from rate_limiter import LIMIT, PERIOD_SECONDS, RateLimiter


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_burst_passes_and_the_next_call_is_told_how_long_to_wait(clock):
    limiter = RateLimiter(2, 3, clock=clock)
    assert [limiter.acquire("ada").remaining for _ in range(3)] == [2, 1, 0]
    refused = limiter.acquire("ada")
    assert not refused.allowed
    assert refused.retry_after_seconds == pytest.approx(0.5)


def test_the_default_allows_the_limit_at_once_and_again_after_the_period(clock):
    limiter = RateLimiter(clock=clock)
    for _ in range(2):
        assert all(limiter.acquire("ada").allowed for _ in range(LIMIT))
        assert not limiter.acquire("ada").allowed
        clock.now += PERIOD_SECONDS * 1.000001


def test_waiting_as_long_as_told_is_enough(clock):
    limiter = RateLimiter(3, 1, clock=clock)
    limiter.acquire("ada")
    clock.now += limiter.acquire("ada").retry_after_seconds + 1e-9
    assert limiter.acquire("ada").allowed


def test_tokens_never_exceed_the_burst(clock):
    limiter = RateLimiter(10, 2, clock=clock)
    limiter.acquire("ada")
    clock.now += 3600
    assert [limiter.acquire("ada").allowed for _ in range(3)] == [True, True, False]


def test_refused_calls_cost_nothing(clock):
    limiter = RateLimiter(1, 1, clock=clock)
    limiter.acquire("ada")
    for _ in range(50):
        assert not limiter.acquire("ada").allowed
    clock.now += 1
    assert limiter.acquire("ada").allowed


def test_keys_do_not_share_a_bucket(clock):
    limiter = RateLimiter(1, 1, clock=clock)
    assert limiter.acquire("ada").allowed
    assert limiter.acquire("grace").allowed


def test_expensive_actions_take_several_tokens(clock):
    limiter = RateLimiter(1, 5, clock=clock)
    assert limiter.acquire("ada", cost=4).allowed
    refused = limiter.acquire("ada", cost=4)
    assert (refused.allowed, refused.retry_after_seconds) == (False, pytest.approx(3.0))


def test_a_clock_that_steps_back_gives_nothing_away(clock):
    limiter = RateLimiter(1, 1, clock=clock)
    limiter.acquire("ada")
    clock.now -= 50
    assert not limiter.acquire("ada").allowed


def test_memory_is_bounded_and_the_least_recently_used_key_goes_first(clock):
    limiter = RateLimiter(1, 1, max_keys=2, clock=clock)
    limiter.acquire("old")
    limiter.acquire("kept")
    limiter.acquire("old")
    limiter.acquire("new")
    assert len(limiter) == 2
    assert not limiter.acquire("old").allowed


@pytest.mark.parametrize("arguments", [(0, 1), (-1, 1), (1, 0)])
def test_senseless_settings_are_refused(arguments):
    with pytest.raises(ValueError):
        RateLimiter(*arguments)


@pytest.mark.parametrize("cost", [0, -1, 4])
def test_a_cost_that_can_never_be_paid_is_refused(cost):
    with pytest.raises(ValueError, match="cost"):
        RateLimiter(1, 3).acquire("ada", cost=cost)


def test_threads_together_get_no_more_than_the_burst(clock):
    limiter = RateLimiter(1, 50, clock=clock)
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

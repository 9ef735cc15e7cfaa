import asyncio
import itertools

import pytest

from async_gather import LIMIT, gather_bounded, map_bounded


def run(coroutine):
    async def within_limit():
        # A hanging test fails instead of blocking the suite.
        return await asyncio.wait_for(coroutine, 30)

    return asyncio.run(within_limit())


async def double(number):
    await asyncio.sleep(0)
    return 2 * number


def test_results_are_in_the_order_of_the_items():
    async def finish_in_reverse():
        events = [asyncio.Event() for _ in range(4)]
        events[3].set()

        async def work(index):
            await events[index].wait()
            if index:
                events[index - 1].set()
            return index

        return await map_bounded(work, range(4), limit=4)

    assert run(finish_in_reverse()) == [0, 1, 2, 3]


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_never_more_than_the_limit_run_at_once(limit):
    running, peak = 0, 0

    async def work(number):
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        for _ in range(number % 4):
            await asyncio.sleep(0)
        running -= 1
        return number

    assert run(map_bounded(work, range(40), limit=limit)) == list(range(40))
    assert peak <= limit
    assert limit == 1 or peak > 1


def test_the_default_limit():
    running, peak = 0, 0

    async def work(_):
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1

    run(map_bounded(work, range(LIMIT + 5)))
    assert peak <= LIMIT


def test_the_first_error_is_raised_and_the_rest_is_cancelled():
    cancelled, started = [], []

    async def work(number):
        started.append(number)
        if number == 1:
            raise KeyError("broken")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    with pytest.raises(KeyError, match="broken"):
        run(map_bounded(work, itertools.count(), limit=3))
    assert sorted(cancelled) == [number for number in sorted(started) if number != 1]


def test_errors_can_be_returned_in_place():
    async def reciprocal(number):
        return 1 / number

    first, error, last = run(map_bounded(reciprocal, [1, 0, 2], return_exceptions=True))
    assert (first, type(error), last) == (1.0, ZeroDivisionError, 0.5)


def test_cancelling_the_caller_cancels_every_call():
    async def scenario():
        started, cancelled = asyncio.Event(), []

        async def work(number):
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.append(number)

        outer = asyncio.create_task(map_bounded(work, range(5), limit=2, return_exceptions=True))
        await started.wait()
        await asyncio.sleep(0)
        outer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await outer
        return cancelled, len(asyncio.all_tasks())

    cancelled, tasks = run(scenario())
    assert sorted(cancelled) == [0, 1]
    assert tasks <= 2


def test_each_call_has_its_own_timeout():
    async def work(number):
        if number == 1:
            await asyncio.Event().wait()
        return number

    found = run(map_bounded(work, range(3), timeout_seconds=0.01, return_exceptions=True))
    assert (found[0], type(found[1]), found[2]) == (0, asyncio.TimeoutError, 2)
    with pytest.raises(asyncio.TimeoutError):
        run(map_bounded(work, range(3), timeout_seconds=0.01))


def test_calls_are_made_only_when_their_turn_comes():
    made = []

    def call(number):
        def start():
            made.append(number)
            return double(number)

        return start

    assert run(gather_bounded([call(number) for number in range(5)], limit=1)) == [0, 2, 4, 6, 8]
    assert made == [0, 1, 2, 3, 4]


def test_gathering_can_return_errors():
    async def fail():
        raise OSError("unavailable")

    found = run(gather_bounded([lambda: double(1), fail], return_exceptions=True))
    assert (found[0], type(found[1])) == (2, OSError)


def test_nothing_to_do():
    assert run(map_bounded(double, [])) == []
    assert run(gather_bounded([])) == []


def test_an_error_of_the_items_is_raised():
    def broken():
        yield 1
        raise OSError("source")

    with pytest.raises(OSError, match="source"):
        run(map_bounded(double, broken()))


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"limit": -1}, {"timeout_seconds": 0}, {"timeout_seconds": -1}])
def test_senseless_settings_are_refused(arguments):
    with pytest.raises(ValueError):
        run(map_bounded(double, [1], **arguments))

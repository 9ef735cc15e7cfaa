"""Run coroutines with a bound on how many run at once; results in order, everything cancelled on failure."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar, overload

Item = TypeVar("Item")
Result = TypeVar("Result")

LIMIT = 10


@overload
async def map_bounded(
    function: Callable[[Item], Awaitable[Result]],
    items: Iterable[Item],
    *,
    limit: int = LIMIT,
    timeout_seconds: float | None = None,
    return_exceptions: Literal[False] = False,
) -> list[Result]: ...


@overload
async def map_bounded(
    function: Callable[[Item], Awaitable[Result]],
    items: Iterable[Item],
    *,
    limit: int = LIMIT,
    timeout_seconds: float | None = None,
    return_exceptions: Literal[True],
) -> list[Result | Exception]: ...


async def map_bounded(
    function: Callable[[Any], Awaitable[Any]],
    items: Iterable[Any],
    *,
    limit: int = LIMIT,
    timeout_seconds: float | None = None,
    return_exceptions: bool = False,
) -> list[Any]:
    """Return `await function(item)` for each item, in the order of the items, with at most `limit` running at once.

    The first error cancels the rest and is raised; with `return_exceptions` errors are returned in the place of results.
    `timeout_seconds` bounds each call on its own (`TimeoutError`). Cancelling the caller cancels all calls.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    if timeout_seconds is not None and timeout_seconds <= 0:
        raise ValueError("timeout_seconds must be positive, or None")
    results: dict[int, Any] = {}
    # Workers share one iterator, so items are taken only as fast as they are worked on.
    pending = enumerate(items)

    async def call(item: Any) -> Any:
        return await asyncio.wait_for(function(item), timeout_seconds)

    workers = [
        asyncio.create_task(_work(call, pending, results, return_exceptions)) for _ in range(limit)
    ]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        # Nothing is left running when the caller goes on.
        await asyncio.gather(*workers, return_exceptions=True)
    return [results[index] for index in range(len(results))]


async def _work(
    call: Callable[[Any], Awaitable[Any]],
    pending: Iterator[tuple[int, Any]],
    results: dict[int, Any],
    return_exceptions: bool,
) -> None:
    for index, item in pending:
        try:
            results[index] = await call(item)
        except Exception as error:
            if not return_exceptions:
                raise
            results[index] = error


async def gather_bounded(
    calls: Iterable[Callable[[], Awaitable[Result]]],
    *,
    limit: int = LIMIT,
    timeout_seconds: float | None = None,
    return_exceptions: bool = False,
) -> list[Any]:
    """Await each of `calls`, functions that return a coroutine, as `map_bounded` does.

    Functions rather than coroutines, because a coroutine that is cancelled before its turn was never awaited.
    """

    async def invoke(function: Callable[[], Awaitable[Result]]) -> Result:
        return await function()

    if return_exceptions:
        return await map_bounded(invoke, calls, limit=limit, timeout_seconds=timeout_seconds, return_exceptions=True)
    return await map_bounded(invoke, calls, limit=limit, timeout_seconds=timeout_seconds)

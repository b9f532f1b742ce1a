"""Holding a lease for as long as the work that it covers takes."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger(__name__)


@asynccontextmanager
async def renewed(renew: Callable[[], Awaitable[object]], *, every_seconds: float) -> AsyncIterator[None]:
    """Call `renew` time and again while the block runs, in a task that has no part in any transaction of this one.

    A renewal that fails, such as by a lost connection, is left to the next turn: what the block came to counts, and a
    lease that ran out meanwhile is noticed where its holder writes.

    The task is made when the first renewal is due: most blocks are over by then, and pay for a timer alone.
    """
    tasks: list[asyncio.Task[None]] = []
    loop, context = asyncio.get_running_loop(), contextvars.Context()

    async def keep() -> None:
        while True:
            try:
                await renew()
            except Exception as error:  # noqa: BLE001 - whatever it is, the work goes on
                log.warning("lease not renewed", error=type(error).__name__)
            await asyncio.sleep(every_seconds)

    def begin() -> None:
        tasks.append(loop.create_task(keep(), context=context))

    timer = loop.call_later(every_seconds, begin, context=context)
    try:
        yield
    finally:
        timer.cancel()
        for task in tasks:
            task.cancel()
            await asyncio.wait((task,))

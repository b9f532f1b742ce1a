"""A worker's part, in the test's own process: for what only answers when the workers are done."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

PAUSE_SECONDS = 0.05


@asynccontextmanager
async def delivering(drain: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Until the end of the block, everything that becomes due is delivered."""

    async def work() -> None:
        while True:
            await drain()
            await asyncio.sleep(PAUSE_SECONDS)

    worker = asyncio.create_task(work())
    try:
        yield
    finally:
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker

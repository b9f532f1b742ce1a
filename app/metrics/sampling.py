"""What no request counts: how full the pool is, and whether the event loop keeps up. Looked at every few seconds."""

import asyncio
import contextlib
import contextvars
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app import db
from app.metrics import instruments

EVERY_SECONDS = 5.0


@asynccontextmanager
async def sampling() -> AsyncIterator[None]:
    """While the block runs, in the process that has the database open."""
    # In a context of its own: a task that begins inside somebody's transaction would inherit it.
    task = contextvars.Context().run(asyncio.ensure_future, _sample())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _sample() -> None:
    lag = 0.0
    while True:
        pool = db.pool_state()
        instruments.sampled(in_use=pool.in_use, idle=pool.idle, most=pool.most, loop_lag_seconds=lag)
        before = time.monotonic()
        await asyncio.sleep(EVERY_SECONDS)
        lag = max(time.monotonic() - before - EVERY_SECONDS, 0.0)

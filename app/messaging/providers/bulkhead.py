"""How much of a worker process one provider may occupy.

A server that answers one byte every ten seconds keeps a sender busy until its deadline. Were that every thread of a
worker, orders and other mail would wait too. So only so many senders deal with a provider at once; others stand in line
for a moment, while it goes on, and otherwise leave at once and come back later.
"""

import asyncio
import random
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.messaging.transports import NotYetError, TemporarySendError

STUCK_SECONDS = 2.0
"""Nobody came through for so long: it is pointless to stand in line, and another provider may be better."""
MAX_WAITING = 8
"""In line; every one of them is a thread of the worker that does nothing else."""


class Bulkhead:
    def __init__(self, places: int) -> None:
        self._free = asyncio.Semaphore(places)
        self._waiting = 0
        self._came_through = time.monotonic()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places, for as long as the block runs.

        Raises:
            NotYetError: the line is long, and moves.
            TemporarySendError: nothing moves.
        """
        if self._free.locked():
            await self._stand_in_line()
        else:
            # Until now it was not full: that nobody came through for long says nothing.
            self._came_through = time.monotonic()
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()
            self._came_through = time.monotonic()

    async def _stand_in_line(self) -> None:
        if time.monotonic() - self._came_through > STUCK_SECONDS:
            raise TemporarySendError("the provider is stuck", about_receiver=True)
        if self._waiting >= MAX_WAITING:
            raise NotYetError("the provider is busy", random.uniform(1, 3))  # noqa: S311 - spreads, guards nothing
        self._waiting += 1
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise TemporarySendError("the provider is stuck", about_receiver=True) from None
        finally:
            self._waiting -= 1


_bulkheads: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], Bulkhead]]"
_bulkheads = weakref.WeakKeyDictionary()


def bulkhead(name: str, places: int) -> Bulkhead:
    """The running event loop's, hence the worker process's, for one provider."""
    of_loop = _bulkheads.setdefault(asyncio.get_running_loop(), {})
    if (name, places) not in of_loop:
        of_loop[name, places] = Bulkhead(places)
    return of_loop[name, places]

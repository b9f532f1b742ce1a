"""One step of the scheduler, and moving the developer's clock by such steps."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from app import clock
from app.errors import DomainError
from app.events import outbox, timers
from app.events.errors import ClockErrorCode

MAX_ADVANCE = timedelta(days=400)
REST_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.02


async def tick() -> list[uuid.UUID]:
    """Due timers become events; returns the ids of all events that have to be published now."""
    fired = await timers.fire_due()
    return fired + await outbox.claim_unpublished()


async def advance(by: timedelta, drain: Callable[[], Awaitable[None]]) -> datetime:
    """Development and tests: let `by` pass, through everything that becomes due on the way, in its order.

    Args:
        drain: delivers what is due; returns when the shop is at rest.
    """
    target = await clock.now() + by
    while (due := await timers.next_due()) is not None and due <= target:
        await clock.move_to(due)
        await drain()
    await clock.move_to(target)
    await drain()
    return await clock.now()


async def wait_for_workers(publish: Callable[[list[uuid.UUID]], None]) -> None:
    """A `drain` for `advance` where workers run: publish what is due, and wait until they are done with it.

    Raises:
        DomainError: CLOCK_NOT_SETTLED after a minute without rest.
    """
    deadline = asyncio.get_running_loop().time() + REST_TIMEOUT_SECONDS
    while True:
        ids = await tick()
        publish(ids)
        if not ids and not await outbox.in_flight():
            return
        if asyncio.get_running_loop().time() > deadline:
            raise DomainError(ClockErrorCode.CLOCK_NOT_SETTLED, "Work that became due goes on; is a worker up?")
        await asyncio.sleep(POLL_SECONDS)

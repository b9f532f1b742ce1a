"""Rights of those who watch for long: looked up again every few seconds, for as long as somebody watches."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

from app.errors import CommonErrorCode, DomainError
from schema.context import Context, Info, identify

LOOK_AGAIN_SECONDS = 3.0
"""One indexed statement for each subscription of staff or a customer."""


async def while_allowed(
    info: Info, check: Callable[[Info], None], values: AsyncGenerator[Any, None]
) -> AsyncGenerator[Any, None]:
    """The same values, until whoever asked may not see them any more.

    Raises:
        DomainError: UNAUTHENTICATED when the token has expired or the session was ended, FORBIDDEN when a permission
            was taken away. What comes meanwhile is not told.
    """
    context = info.context
    if context.staff is None and context.customer is None:
        async for value in values:
            yield value
        return
    now = asyncio.get_running_loop().time
    look_at = now() + LOOK_AGAIN_SECONDS
    upcoming: asyncio.Future[Any] = asyncio.ensure_future(anext(values))
    try:
        while True:
            await asyncio.wait((upcoming,), timeout=max(0.0, look_at - now()))
            if now() >= look_at:
                await _look_again(context)
                check(info)
                look_at = now() + LOOK_AGAIN_SECONDS
            if upcoming.done():
                try:
                    value = upcoming.result()
                except StopAsyncIteration:
                    return
                yield value
                upcoming = asyncio.ensure_future(anext(values))
    finally:
        # Whatever it waits for ends before its generator is closed.
        upcoming.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await upcoming


async def _look_again(context: Context) -> None:
    staff, customer = await identify(context.token)
    if (context.staff is not None and staff is None) or (context.customer is not None and customer is None):
        raise DomainError(CommonErrorCode.UNAUTHENTICATED, "The session has ended; sign in again.")
    if context.staff is not None and staff is not None and not staff.permissions >= context.staff.permissions:
        # What a subscription shows may depend on any of them.
        raise DomainError(CommonErrorCode.FORBIDDEN, "Your permissions have changed; subscribe again.")
    context.staff, context.customer = staff, customer

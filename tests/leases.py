"""What is held for a while, and renewed by who holds it."""

import asyncio
from datetime import datetime

from app import db
from tests.patience import patience


async def renewed_lease(lease: str, *given: object, after: datetime | None = None) -> datetime:
    """Wait until it ends later than it did; its end then.

    Args:
        lease: the statement that reads its end.
        after: the end of before; without it, until the lease is taken.
    """
    async with asyncio.timeout(patience(5)):
        while True:
            until: datetime | None = await db.fetchval(lease, *given)
            if until and (after is None or until > after):
                return until
            await asyncio.sleep(0.02)

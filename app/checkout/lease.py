"""Who asks the gateway for an attempt's money: one process at a time, for as long as it lives."""

import uuid
from contextlib import AbstractAsyncContextManager

from app import db
from app.kit.leases import renewed

LEASE_SECONDS = 5.0
RENEW_EVERY_SECONDS = 1.5


async def take(attempt_id: uuid.UUID) -> bool:
    """Become the one who asks the gateway; False while somebody else is, or when it is not to be asked any more."""
    taken = await db.execute(
        """
        UPDATE checkout_attempts SET leased_until = clock_timestamp() + $2 * interval '1 second'
        WHERE id = $1 AND state = 'PROCESSING' AND (leased_until IS NULL OR leased_until <= clock_timestamp())
        """,
        attempt_id,
        LEASE_SECONDS,
    )
    return taken == 1


async def renew(attempt_id: uuid.UUID) -> None:
    await db.execute(
        """
        UPDATE checkout_attempts SET leased_until = clock_timestamp() + $2 * interval '1 second'
        WHERE id = $1 AND state = 'PROCESSING'
        """,
        attempt_id,
        LEASE_SECONDS,
    )


async def drop(attempt_id: uuid.UUID) -> None:
    """Nobody in this process asks any more; the next one may at once."""
    await db.execute(
        "UPDATE checkout_attempts SET leased_until = NULL WHERE id = $1 AND state = 'PROCESSING'", attempt_id
    )


def kept(attempt_id: uuid.UUID) -> AbstractAsyncContextManager[None]:
    """Renew the lease while the block runs."""
    return renewed(lambda: renew(attempt_id), every_seconds=RENEW_EVERY_SECONDS)

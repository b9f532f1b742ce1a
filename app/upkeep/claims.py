"""Work that one scheduler of several does, every so often, and when it was done last."""

import datetime as dt

from app import db

TICK = "tick"


async def claim(name: str, *, every_seconds: float, lease_seconds: float) -> bool:
    """Whether this process is to do it now: it was last done that long ago, and nobody else has it.

    A process that dies over it keeps it from the others until the lease is over.
    """
    claimed = await db.execute(
        """
        INSERT INTO upkeep (name, claimed_until) VALUES ($1, clock_timestamp() + $3 * interval '1 second')
        ON CONFLICT (name) DO UPDATE SET claimed_until = EXCLUDED.claimed_until
        WHERE (upkeep.claimed_until IS NULL OR upkeep.claimed_until <= clock_timestamp())
          AND (upkeep.done_at IS NULL OR upkeep.done_at <= clock_timestamp() - $2 * interval '1 second')
        """,
        name,
        every_seconds,
        lease_seconds,
    )
    return claimed == 1


async def done(name: str) -> None:
    """It was done just now; also for what needs no claim, such as the tick."""
    await db.execute(
        """
        INSERT INTO upkeep (name, done_at) VALUES ($1, clock_timestamp())
        ON CONFLICT (name) DO UPDATE SET done_at = EXCLUDED.done_at, claimed_until = NULL
        """,
        name,
    )


async def gave_up(name: str) -> None:
    """It failed: another try may come at once."""
    await db.execute("UPDATE upkeep SET claimed_until = NULL WHERE name = $1", name)


async def age_seconds(name: str) -> float | None:
    """Real time since it was done last; None when it never was."""
    moment: dt.datetime | None = await db.fetchval("SELECT done_at FROM upkeep WHERE name = $1", name)
    if moment is None:
        return None
    now: dt.datetime = await db.fetchval("SELECT clock_timestamp()")
    return (now - moment).total_seconds()

"""Business time: what timers, carts, quotes and holds go by.

It is the database's time, so that one machine's wrong clock sends nothing early, plus an offset that only development
and tests move. Sessions, leases and rate limits use real time instead (`clock_timestamp()` in SQL).
"""

from datetime import datetime, timedelta

from app import db


async def now() -> datetime:
    """Business time, aware, in UTC."""
    moment: datetime = await db.fetchval("SELECT business_now()")
    return moment


async def move_to(moment: datetime) -> None:
    """Development and tests: jump to a later moment. Never back: what has happened stays past."""
    await db.execute(
        """
        INSERT INTO business_clock (id, skew) VALUES (1, greatest($1 - clock_timestamp(), interval '0'))
        ON CONFLICT (id) DO UPDATE SET skew = greatest(business_clock.skew, EXCLUDED.skew)
        """,
        moment,
    )


async def skew() -> timedelta:
    """How far business time is ahead of real time; zero in production."""
    offset: timedelta = await db.fetchval("SELECT coalesce((SELECT skew FROM business_clock), interval '0')")
    return offset

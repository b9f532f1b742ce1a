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
        INSERT INTO business_clock (id, skew_microseconds)
        VALUES (1, greatest(0, extract(epoch FROM $1::timestamptz - clock_timestamp()) * 1000000)::bigint)
        ON CONFLICT (id) DO UPDATE
        SET skew_microseconds = greatest(business_clock.skew_microseconds, EXCLUDED.skew_microseconds)
        """,
        moment,
    )


async def skew() -> timedelta:
    """How far business time is ahead of real time; zero in production."""
    microseconds: int = await db.fetchval("SELECT coalesce((SELECT skew_microseconds FROM business_clock), 0)")
    return timedelta(microseconds=microseconds)

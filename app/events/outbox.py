"""What the scheduler does to the outbox: publish again what nobody acknowledged, and forget what is long done."""

import uuid
from datetime import UTC, datetime, timedelta

from app import db
from app.kit.ids import earliest_id

BATCH = 500
REPUBLISH_SECONDS = 5.0
MAX_REPUBLISH_SECONDS = 30.0
RETENTION_DAYS = 30
FORGOTTEN_AT_ONCE = 10_000

# ARRAY() and not IN, as where timers fire: the subquery is asked once, whatever the planner takes the table for.
_CLAIM = """
    UPDATE events
    SET publications = publications + 1,
        visible_at = clock_timestamp() + least($2 * (publications + 1), $3) * interval '1 second'
    WHERE id = ANY(ARRAY(
        SELECT id FROM events WHERE acknowledged_at IS NULL AND visible_at <= clock_timestamp()
        ORDER BY visible_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ))
    RETURNING id
"""


async def claim_unpublished() -> list[uuid.UUID]:
    """Ids to publish (again); they stay invisible to other schedulers for a while."""
    rows = await db.fetch(_CLAIM, BATCH, REPUBLISH_SECONDS, MAX_REPUBLISH_SECONDS)
    return [row["id"] for row in rows]


async def unpublished(ids: list[uuid.UUID]) -> None:
    """The broker did not take these: they are visible again within a second."""
    await db.execute(
        """
        UPDATE events SET publications = publications - 1, visible_at = clock_timestamp() + interval '1 second'
        WHERE id = ANY($1) AND acknowledged_at IS NULL AND leased_until IS NULL
        """,
        ids,
    )


async def everything_visible() -> int:
    """The broker lost what it held: publish all that no worker is at, at once."""
    return await db.execute(
        """
        UPDATE events SET publications = 0, visible_at = clock_timestamp()
        WHERE acknowledged_at IS NULL AND leased_until IS NULL AND attempts = 0
        """
    )


async def in_flight() -> int:
    """Events that are published or being handled; not those that wait for a later time or for their next try."""
    count: int = await db.fetchval(
        """
        SELECT count(*) FROM events
        WHERE acknowledged_at IS NULL
          AND CASE WHEN attempts = 0 THEN leased_until IS NULL ELSE leased_until > clock_timestamp() END
        """
    )
    return count


async def forget_old(days: int = RETENTION_DAYS) -> int:
    """Delete acknowledged events and their receipts after so many days, up to 10,000 at a time; receipts are counted.

    Events with an open dead letter stay. Old events are found by their ids, which tell their age: an index on the time
    of the acknowledgement would cost every event something.
    """
    return await db.execute(
        """
        WITH gone AS (
            DELETE FROM events WHERE id = ANY(ARRAY(
                SELECT e.id FROM events e
                WHERE e.id < $1 AND e.acknowledged_at < clock_timestamp() - $2 * interval '1 day'
                  AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.event_id = e.id AND d.replayed_at IS NULL)
                ORDER BY e.id LIMIT $3 FOR UPDATE SKIP LOCKED
            ))
            RETURNING id
        )
        DELETE FROM event_receipts USING gone WHERE event_receipts.event_id = gone.id
        """,
        earliest_id(datetime.now(UTC) - timedelta(days=days)),
        days,
        FORGOTTEN_AT_ONCE,
    )

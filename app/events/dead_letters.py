"""Events that a handler gave up on: kept as rows, replayed by staff."""

import uuid
from datetime import datetime

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.events import recording


async def replay(dead_letter_id: uuid.UUID) -> datetime:
    """Let the event run again for the handlers without a receipt. Returns the time of the replay.

    Raises:
        DomainError: NOT_FOUND; CONFLICT when it was replayed already.
    """
    async with db.unit_of_work() as work:
        row = await db.fetchrow(
            "SELECT event_id, replayed_at FROM dead_letters WHERE id = $1 FOR UPDATE", dead_letter_id
        )
        if row is None:
            raise not_found("dead letter", ["id"])
        if row["replayed_at"] is not None:
            raise DomainError(CommonErrorCode.CONFLICT, "This dead letter was replayed already.", ["id"])
        event_id: uuid.UUID = row["event_id"]
        await db.execute(
            """
            UPDATE events
            SET acknowledged_at = NULL, attempts = 0, leased_until = NULL, visible_at = clock_timestamp()
            WHERE id = $1
            """,
            event_id,
        )
        moment: datetime = await db.fetchval(
            """
            UPDATE dead_letters SET replayed_at = clock_timestamp()
            WHERE event_id = $1 AND replayed_at IS NULL RETURNING replayed_at
            """,
            event_id,
        )
        work.after_commit(lambda: recording.publish([event_id]))
    return moment

"""Value that has an end: what is left then is taken, by a line of the ledger, in business time."""

import uuid
from datetime import datetime

from app import db
from app.events import timers

EXPIRES = "gift_card.expires"
"""Timer, and the event that it becomes. Looking once too often is harmless."""

_EXPIRE = """
    WITH over AS (
        SELECT id, balance_minor FROM stored_values WHERE id = $1 AND balance_minor > 0
          AND expires_at <= business_now()
    ), noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, created_at)
        SELECT id, 'EXPIRE', -balance_minor, business_now() FROM over
    )
    UPDATE stored_values s SET balance_minor = 0, updated_at = business_now() FROM over WHERE s.id = over.id
"""


async def watch(value_id: uuid.UUID, expires_at: datetime) -> None:
    """In the open unit of work: look at it when it ends, or at once where it has ended."""
    await timers.schedule(EXPIRES, subject_id=value_id, due_at=expires_at)


async def expire(value_id: uuid.UUID) -> None:
    """Take what is left of a value whose time is over; nothing where it is not, or was made longer."""
    db.current_unit_of_work()
    if await db.fetchrow("SELECT id FROM stored_values WHERE id = $1 FOR NO KEY UPDATE", value_id) is not None:
        await db.execute(_EXPIRE, value_id)

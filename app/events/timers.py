"""Waiting, as rows: a timer becomes the event of its kind when business time reaches it."""

import uuid
from collections.abc import Mapping
from datetime import datetime

import orjson

from app import db
from app.kit.ids import new_id

BATCH = 500

# ARRAY() and not IN: a planner that takes the table for empty would ask the subquery anew for every row of a rush.
_FIRE = """
    WITH due AS (
        DELETE FROM timers
        WHERE id = ANY(ARRAY(
            SELECT id FROM timers WHERE due_at <= business_now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ))
        RETURNING id, kind, subject_id, payload, due_at
    )
    INSERT INTO events (id, type, subject_id, payload, occurred_at, visible_at, attempts, publications)
    SELECT id, kind, subject_id, payload, due_at, clock_timestamp() + interval '3 seconds', 0, 1 FROM due
    RETURNING id
"""


async def schedule(
    kind: str, *, subject_id: uuid.UUID, due_at: datetime, payload: Mapping[str, object] | None = None
) -> None:
    """One timer for each kind and subject: a second call moves the first one's. Joins the open unit of work."""
    await db.execute(
        """
        INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
        VALUES ($1, $2, $3, $4, $5, clock_timestamp())
        ON CONFLICT (kind, subject_id) DO UPDATE SET due_at = EXCLUDED.due_at, payload = EXCLUDED.payload
        """,
        new_id(),
        kind,
        subject_id,
        orjson.dumps(payload or {}).decode(),
        due_at,
    )


async def schedule_earliest(kind: str, moments: Mapping[uuid.UUID, datetime]) -> None:
    """A timer of a kind for each of these subjects; one that is there already keeps the earlier of the two moments.

    For looking again at something that may have changed by then: looking once too often is harmless.
    """
    if not moments:
        return
    await db.execute(
        """
        INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
        SELECT t.id, $1, t.subject_id, '{}', t.due_at, clock_timestamp()
        FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS t (id, subject_id, due_at) ORDER BY t.subject_id
        ON CONFLICT (kind, subject_id) DO UPDATE SET due_at = least(timers.due_at, EXCLUDED.due_at)
        """,
        kind,
        [new_id() for _ in moments],
        list(moments),
        list(moments.values()),
    )


async def cancel(kind: str, *, subject_id: uuid.UUID) -> bool:
    """False when it has fired already, or never was: its event may be under way."""
    return await db.execute("DELETE FROM timers WHERE kind = $1 AND subject_id = $2", kind, subject_id) == 1


async def fire_due() -> list[uuid.UUID]:
    """Turn due timers into events, in one statement: any number of schedulers may do it at once."""
    return [row["id"] for row in await db.fetch(_FIRE, BATCH)]


async def next_due() -> datetime | None:
    moment: datetime | None = await db.fetchval("SELECT min(due_at) FROM timers")
    return moment

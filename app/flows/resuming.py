"""Waking what came due, or what happened, while a flow was paused: in batches, one event each."""

import uuid

from app import db, events
from app.flows import runs
from app.flows.models import FlowStatus

BATCH = 1_000
RESUMED = "flow.resumed"

_WAITING_IN_VAIN = """
    SELECT id, revision FROM flow_runs
    WHERE flow_id = $1 AND status IN ('PENDING', 'ACTIVE') AND ($2::uuid IS NULL OR id > $2)
      AND (due_at <= business_now() OR waiting_for IS NOT NULL)
    ORDER BY id LIMIT $3
"""


async def wake_batch(flow_id: uuid.UUID, *, after: uuid.UUID | None) -> None:
    """Wake the flow's runs that were due, or missed an event, in the open unit of work; the next batch is an event.

    A run that something else wakes at the same time is woken twice: the second finds another revision.
    """
    status = await db.fetchval("SELECT status FROM flows WHERE id = $1", flow_id)
    if status != FlowStatus.PUBLISHED:
        return  # paused again
    rows = await db.fetch(_WAITING_IN_VAIN, flow_id, after, BATCH)
    for row in rows:
        await events.record(runs.RUN_DUE, subject_id=row["id"], payload={"revision": row["revision"]})
    if len(rows) == BATCH:
        await events.record(RESUMED, subject_id=flow_id, payload={"after": str(rows[-1]["id"])})

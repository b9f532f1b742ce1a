"""What ends runs from outside: events that a flow exits on, flows that supersede it, staff; and the question that
messaging asks before a message leaves."""

import uuid
from collections.abc import Collection

from app import db
from app.flows import asking, catalogue, ending, runs
from app.flows.asking import Happened
from app.flows.models import FlowRunStatus, FlowStatus
from app.flows.runs import COLUMNS
from app.messaging import checks, marketing
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageReason

SUPERSEDED = "SUPERSEDED"

_LIVING = f"""
    SELECT {COLUMNS} FROM flow_runs r
    WHERE r.status IN ('PENDING', 'ACTIVE') AND r.id = ANY(ARRAY(
        SELECT id FROM flow_runs WHERE profile_id = $1 AND status IN ('PENDING', 'ACTIVE')
        UNION
        SELECT id FROM flow_runs
        WHERE trigger->>'cartId' = $2 AND trigger ? 'cartId' AND status IN ('PENDING', 'ACTIVE')
    ))
    ORDER BY r.id FOR UPDATE
"""
_SUPERSEDED = f"""
    SELECT {COLUMNS} FROM flow_runs r
    WHERE r.profile_id = $1 AND r.status IN ('PENDING', 'ACTIVE') AND r.flow_id = ANY($2)
      AND ($3::text IS NULL OR r.trigger->>'cartId' IS NULL OR r.trigger->>'cartId' = $3)
    ORDER BY r.id FOR UPDATE
"""


async def by_event(profile_id: uuid.UUID, happened: Happened) -> None:
    """End the runs that exit on this. The profile is locked in the open unit of work.

    Also those of other people that are about the event's cart: a guest may order with another email.
    """
    rows = await db.fetch(_LIVING, profile_id, happened.data.get("cartId"))
    for row in rows:
        run = runs.from_row(row)
        definition = await catalogue.definition_of(run.version_id)
        reason = await asking.exit_by(definition, happened, run)
        if reason is not None:
            await ending.end(run, FlowRunStatus.EXITED, reason)


async def supersede(profile_id: uuid.UUID, flow_ids: Collection[uuid.UUID], cart_id: object) -> None:
    """End the person's runs of these flows; of two that name a cart, those with the same."""
    rows = await db.fetch(_SUPERSEDED, profile_id, list(flow_ids), cart_id)
    for row in rows:
        await ending.end(runs.from_row(row), FlowRunStatus.EXITED, SUPERSEDED)


async def end(run_id: uuid.UUID, profile_id: uuid.UUID, reason: str) -> bool:
    """End one run, in the open unit of work. False when it had come to its end already."""
    await marketing.lock(None, profile_id)
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM flow_runs r WHERE r.id = $1 FOR UPDATE", run_id)
    if row is None or not (run := runs.from_row(row)).is_living:
        return False
    await ending.end(run, FlowRunStatus.EXITED, reason)
    return True


_OF_MESSAGE = f"""
    SELECT {COLUMNS}, f.status AS flow_status FROM flow_runs r JOIN flows f ON f.id = r.flow_id WHERE r.id = $1
"""


@checks.before_sending("flows.exits")
async def still_wanted(row: LedgerRow) -> MessageReason | None:
    """A flow that is paused sends nothing, nor does a run that has left, or that something happened to since."""
    if row.run_id is None or row.flow_id is None:
        return None
    found = await db.fetchrow(_OF_MESSAGE, row.run_id)
    if found is None:
        return MessageReason.EXITED
    if found["flow_status"] == FlowStatus.PAUSED:
        return MessageReason.FLOW_PAUSED
    run = runs.from_row(found)
    if run.status is FlowRunStatus.EXITED:
        return _message_reason(run.exit_reason)
    definition = await catalogue.definition_of(run.version_id)
    reason = await asking.exit_by_timeline(definition, run)
    return None if reason is None else _message_reason(reason)


def _message_reason(exit_reason: str | None) -> MessageReason:
    """Reasons of exits are the merchant's own words; the ledger has those that everybody knows."""
    return MessageReason.__members__.get(exit_reason or "", MessageReason.EXITED)

"""Asking conditions about a run: what `event` and `run` are in them, and what has happened to the person."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog

from app import db
from app.conditions.checking import Condition
from app.conditions.errors import ConditionFailed
from app.conditions.evaluation import evaluate
from app.flows.definitions import Definition
from app.flows.rules import exit_reason
from app.flows.runs import Run

MAX_EVENTS_READ = 200
"""Of the types that end a run, or that it waits for, since it began."""

log = structlog.get_logger(__name__)

_SINCE = """
    SELECT id, type, occurred_at, data FROM (
        SELECT id, type, occurred_at, data FROM profile_events
        WHERE profile_id = $1 AND type = ANY($3) AND occurred_at >= $4
        UNION
        SELECT id, type, occurred_at, data FROM profile_events
        WHERE cart_id = $2 AND type = ANY($3) AND occurred_at >= $4
    ) e
    WHERE id <> $5 ORDER BY occurred_at, id LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the person's timeline."""

    id: uuid.UUID
    type: str
    occurred_at: datetime
    data: Mapping[str, Any]


def event_of(type_: str, occurred_at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """`event` in conditions."""
    return {**data, "type": type_, "occurredAt": occurred_at}


def run_of(run: Run) -> dict[str, Any]:
    """`run` in conditions."""
    return {**run.trigger, "id": str(run.id), "key": run.key, "enteredAt": run.entered_at}


def trigger_of(run: Run) -> dict[str, Any]:
    """`event` in conditions that ask for no event of their own."""
    return event_of(run.trigger_type, run.triggered_at, run.trigger)


async def happened_since(run: Run, types: Sequence[str], since: datetime) -> list[Happened]:
    """What happened to the person, or (by whoever) to the run's cart, in its order; without the trigger itself."""
    rows = await db.fetch(
        _SINCE, run.profile_id, run.datum("cartId"), list(types), since, run.trigger_event_id, MAX_EVENTS_READ
    )
    return [Happened(row["id"], row["type"], row["occurred_at"], orjson.loads(row["data"])) for row in rows]


async def fits(condition: Condition | None, happened: Happened, run: Run) -> bool:
    """Whether a happening is meant. Raises ConditionFailed."""
    if condition is None:
        return True
    event = event_of(happened.type, happened.occurred_at, happened.data)
    return await evaluate(condition, profile_id=run.profile_id, event=event, run=run_of(run))


async def exit_by(definition: Definition, happened: Happened, run: Run) -> str | None:
    """The reason for which a happening ends the run, if it does.

    A rule whose condition cannot be answered ends it: what is not sent can be sent later, and not the other way round.
    """
    if happened.id == run.trigger_event_id or happened.occurred_at < run.triggered_at:
        return None
    for rule in definition.exit_on:
        if rule.event != happened.type:
            continue
        try:
            if await fits(rule.condition, happened, run):
                return exit_reason(happened.type)
        except ConditionFailed as failure:
            log.warning("an exit rule could not be asked", run=str(run.id), cause=failure.cause)
            return exit_reason(happened.type)
    return None


async def exit_by_timeline(definition: Definition, run: Run) -> str | None:
    """The reason for which something that has happened since the trigger ends the run, delivered or not."""
    if not definition.exit_on:
        return None
    types = sorted({rule.event for rule in definition.exit_on})
    for happened in await happened_since(run, types, run.triggered_at):
        if (reason := await exit_by(definition, happened, run)) is not None:
            return reason
    return None

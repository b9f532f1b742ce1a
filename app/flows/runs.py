"""Rows of runs: reading, locking and moving them. A move, its lines of the timeline and its timer are one statement.

Locks are taken in the order cart, profile, run. Whoever moves a run names the revision that it read, and raises it: a
wake-up that was meant for another position finds another number and does nothing.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.flows.models import FlowRunStatus
from app.kit.ids import new_id
from app.metrics import instruments

RUN_DUE = "flow.run_due"
"""Timer and event: a run goes on. Its payload has the `revision` that it is meant for."""
LIVING = (FlowRunStatus.PENDING, FlowRunStatus.ACTIVE)


@dataclass(slots=True)
class Run:
    """A run as it is, and, while its transaction lasts, as it is going to be."""

    id: uuid.UUID
    flow_id: uuid.UUID
    version_id: uuid.UUID
    profile_id: uuid.UUID
    key: str
    status: FlowRunStatus
    step_key: str | None
    revision: int
    due_at: datetime | None
    waiting_for: str | None
    in_holdout: bool
    trigger_type: str
    trigger_event_id: uuid.UUID
    trigger: dict[str, Any]
    triggered_at: datetime
    state: dict[str, Any]
    entered_at: datetime
    exit_reason: str | None = None

    @property
    def is_living(self) -> bool:
        return self.status in LIVING

    def datum(self, name: str) -> uuid.UUID | None:
        """An id of the trigger."""
        value = self.trigger.get(name)
        try:
            return uuid.UUID(value) if isinstance(value, str) else None
        except ValueError:
            return None


COLUMNS = """r.id, r.flow_id, r.version_id, r.profile_id, r.key, r.status, r.step_key, r.revision, r.due_at,
    r.waiting_for, r.in_holdout, r.trigger_type, r.trigger_event_id, r.trigger, r.triggered_at, r.state, r.entered_at,
    r.exit_reason"""


def from_row(row: Mapping[str, Any]) -> Run:
    return Run(
        id=row["id"],
        flow_id=row["flow_id"],
        version_id=row["version_id"],
        profile_id=row["profile_id"],
        key=row["key"],
        status=FlowRunStatus(row["status"]),
        step_key=row["step_key"],
        revision=row["revision"],
        due_at=row["due_at"],
        waiting_for=row["waiting_for"],
        in_holdout=row["in_holdout"],
        trigger_type=row["trigger_type"],
        trigger_event_id=row["trigger_event_id"],
        trigger=orjson.loads(row["trigger"]),
        triggered_at=row["triggered_at"],
        state=orjson.loads(row["state"]),
        entered_at=row["entered_at"],
        exit_reason=row["exit_reason"],
    )


@dataclass(frozen=True, slots=True)
class StepLine:
    """A line of a run's timeline."""

    step_key: str
    kind: str
    outcome: str
    reason: str | None = None
    message_id: uuid.UUID | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


_MOVE = """
    WITH moved AS (
        UPDATE flow_runs SET status = $3::text, step_key = $4, revision = revision + 1, due_at = $5::timestamptz,
            waiting_for = $6, in_holdout = $7, state = $8::jsonb, entered_at = $9, exit_reason = $10,
            trigger_event_id = $11, trigger = $12::jsonb, triggered_at = $13, version_id = $14, trigger_type = $24,
            finished_at = CASE WHEN $3::text IN ('PENDING', 'ACTIVE') THEN NULL ELSE business_now() END
        WHERE id = $1 AND revision = $2
        RETURNING id, flow_id, revision
    ), lines AS (
        INSERT INTO flow_run_steps (id, run_id, flow_id, step_key, kind, outcome, reason, message_id, detail, at)
        SELECT l.id, m.id, m.flow_id, l.step_key, l.kind, l.outcome, l.reason, l.message_id, l.detail::jsonb,
               business_now()
        FROM moved m, unnest($15::uuid[], $16::text[], $17::text[], $18::text[], $19::text[], $20::uuid[], $21::text[])
             AS l (id, step_key, kind, outcome, reason, message_id, detail)
    ), timer AS (
        INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
        SELECT $22, 'flow.run_due', id, jsonb_build_object('revision', revision), $5, clock_timestamp()
        FROM moved WHERE $5::timestamptz IS NOT NULL AND $23::bool
        ON CONFLICT (kind, subject_id) DO UPDATE SET due_at = EXCLUDED.due_at, payload = EXCLUDED.payload
    ), no_timer AS (
        DELETE FROM timers USING moved
        WHERE timers.kind = 'flow.run_due' AND timers.subject_id = moved.id
          AND ($5::timestamptz IS NULL OR NOT $23::bool)
    )
    SELECT revision FROM moved
"""


async def move(run: Run, lines: Sequence[StepLine], *, timer: bool = True) -> bool:
    """Write the run as it is in memory now, with what happened on the way. False when it moved meanwhile.

    Args:
        timer: wake it at `due_at`; False where an event that wakes it is recorded beside.
    """
    revision = await db.fetchval(
        _MOVE,
        run.id,
        run.revision,
        run.status.value,
        run.step_key,
        run.due_at,
        run.waiting_for,
        run.in_holdout,
        _json(run.state),
        run.entered_at,
        run.exit_reason,
        run.trigger_event_id,
        _json(run.trigger),
        run.triggered_at,
        run.version_id,
        *_columns(lines),
        new_id(),
        timer,
        run.trigger_type,
    )
    if revision is None:
        return False
    run.revision = revision
    _count(lines)
    return True


_BEGIN = """
    WITH begun AS (
        INSERT INTO flow_runs (id, flow_id, version_id, profile_id, key, status, step_key, revision, due_at,
                               waiting_for, in_holdout, trigger_type, trigger_event_id, trigger, triggered_at, state,
                               entered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10, $11, $12, $13, $14::jsonb, $15, $16::jsonb, $17)
        ON CONFLICT DO NOTHING
        RETURNING id, flow_id, revision
    ), lines AS (
        INSERT INTO flow_run_steps (id, run_id, flow_id, step_key, kind, outcome, reason, message_id, detail, at)
        SELECT l.id, b.id, b.flow_id, l.step_key, l.kind, l.outcome, l.reason, l.message_id, l.detail::jsonb,
               business_now()
        FROM begun b, unnest($18::uuid[], $19::text[], $20::text[], $21::text[], $22::text[], $23::uuid[], $24::text[])
             AS l (id, step_key, kind, outcome, reason, message_id, detail)
    ), timer AS (
        INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
        SELECT $25, 'flow.run_due', id, jsonb_build_object('revision', revision), $9, clock_timestamp()
        FROM begun WHERE $26::bool
    )
    SELECT revision FROM begun
"""


async def begin(run: Run, lines: Sequence[StepLine], *, timer: bool) -> bool:
    """Write a new run. False when the person has a living one for this key, or had one by this very event."""
    revision = await db.fetchval(
        _BEGIN,
        run.id,
        run.flow_id,
        run.version_id,
        run.profile_id,
        run.key,
        run.status.value,
        run.step_key,
        run.revision,
        run.due_at,
        run.waiting_for,
        run.in_holdout,
        run.trigger_type,
        run.trigger_event_id,
        _json(run.trigger),
        run.triggered_at,
        _json(run.state),
        run.entered_at,
        *_columns(lines),
        new_id(),
        timer,
    )
    if revision is None:
        return False
    _count(lines)
    return True


def _count(lines: Sequence[StepLine]) -> None:
    """Once they are true."""
    taken = [(line.kind, str(line.outcome)) for line in lines]

    def count() -> None:
        for kind, outcome in taken:
            instruments.flow_step_taken(kind, outcome)

    if taken:
        db.current_unit_of_work().after_commit(count)


def _columns(lines: Sequence[StepLine]) -> list[list[Any]]:
    return [
        [new_id() for _ in lines],
        [line.step_key for line in lines],
        [line.kind for line in lines],
        [str(line.outcome) for line in lines],
        [None if line.reason is None else str(line.reason) for line in lines],
        [line.message_id for line in lines],
        [_json(line.detail) for line in lines],
    ]


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(value), default=str).decode()

"""Moving living runs to another version, by an explicit call only: a job in batches, each with its checkpoint."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import db, events
from app.errors import DomainError, not_found
from app.flows import catalogue, runs
from app.flows.definitions import Definition
from app.flows.errors import FlowErrorCode
from app.flows.models import FlowRunStatus, StepOutcome
from app.flows.runs import COLUMNS, Run, StepLine
from app.flows.steps.delay import Delay
from app.flows.steps.wait_for import WaitFor
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import RunningJob, Superseded

JOB_KIND = "FLOW_MIGRATION"
MIGRATION = "flow.migration_requested"
BATCH = 100
MIGRATED = "MIGRATED"

# The profiles are locked first, as everywhere; runs whose profile somebody else holds are waited for.
_BATCH = """
    SELECT id, profile_id FROM flow_runs
    WHERE flow_id = $1 AND status IN ('PENDING', 'ACTIVE') AND version_id <> $2
      AND ($3::uuid IS NULL OR version_id = $3) AND ($4::uuid IS NULL OR id > $4)
    ORDER BY id LIMIT $5
"""
_LOCK_PROFILES = "SELECT id FROM profiles WHERE id = ANY($1) ORDER BY id FOR UPDATE"
_LOCK_RUNS = f"SELECT {COLUMNS} FROM flow_runs r WHERE r.id = ANY($1) ORDER BY r.id FOR UPDATE"


@dataclass(frozen=True, slots=True)
class _Stays:
    row: int | None
    column: str | None
    message: str


async def request_migration(
    flow_id: uuid.UUID,
    *,
    to_version: int,
    from_version: int | None = None,
    step_map: Mapping[str, str] | None = None,
    created_by: uuid.UUID | None = None,
) -> uuid.UUID:
    """Queue moving the flow's living runs; returns the job's id.

    A run goes on at the step of the same key, or at the one that `step_map` gives for it. Runs whose step has no such
    counterpart stay with their version, and are reported. What a run waits for begins anew only where the new version
    makes it wait longer.

    Raises:
        DomainError: NOT_FOUND; FLOW_VERSION_UNKNOWN; FLOW_DEFINITION_INVALID for a step that the new version has not.
    """
    async with db.unit_of_work():
        if not await db.fetchval("SELECT EXISTS (SELECT FROM flows WHERE id = $1)", flow_id):
            raise not_found("flow", ["id"])
        target = await _version(flow_id, to_version, "toVersion")
        source = None if from_version is None else await _version(flow_id, from_version, "fromVersion")
        definition = await catalogue.definition_of(target)
        for step in (step_map or {}).values():
            if step not in definition.positions:
                message = f"Version {to_version} has no step {step}."
                raise DomainError(FlowErrorCode.FLOW_DEFINITION_INVALID, message, ["stepMap"])
        job_input = {
            "flowId": str(flow_id),
            "to": str(target),
            "from": None if source is None else str(source),
            "stepMap": dict(step_map or {}),
        }
        job_id = await jobs.create(JOB_KIND, job_input, created_by=created_by)
        await events.record(MIGRATION, subject_id=job_id)
    return job_id


async def _version(flow_id: uuid.UUID, number: int, argument: str) -> uuid.UUID:
    found: uuid.UUID | None = await db.fetchval(
        "SELECT id FROM flow_versions WHERE flow_id = $1 AND number = $2", flow_id, number
    )
    if found is None:
        raise DomainError(FlowErrorCode.FLOW_VERSION_UNKNOWN, f"The flow has no version {number}.", [argument])
    return found


async def run_migration(job_id: uuid.UUID) -> None:
    """Do the job, or go on with it after an interruption."""
    job = await jobs.start(job_id)
    if job is None:
        return
    target = uuid.UUID(job.input["to"])
    definition = await catalogue.definition_of(target)
    try:
        while await _migrate_batch(job, target, definition):
            pass
    except Superseded:
        return
    moved, stayed = job.checkpoint.get("moved", 0), job.checkpoint.get("stayed", 0)
    await jobs.finish(job, JobStatus.SUCCEEDED, result={"moved": moved, "stayed": stayed})


async def _migrate_batch(job: RunningJob, target: uuid.UUID, definition: Definition) -> bool:
    """False when there is nothing left."""
    async with db.unit_of_work():
        after, source = job.checkpoint.get("after"), job.input["from"]
        found = await db.fetch(
            _BATCH,
            uuid.UUID(job.input["flowId"]),
            target,
            uuid.UUID(source) if source else None,
            uuid.UUID(after) if after else None,
            BATCH,
        )
        if not found:
            return False
        await db.fetch(_LOCK_PROFILES, [row["profile_id"] for row in found])
        locked = await db.fetch(_LOCK_RUNS, [row["id"] for row in found])
        stays: list[_Stays] = []
        moved = 0
        for row in locked:
            run = runs.from_row(row)
            if not run.is_living or run.version_id == target:
                continue
            if await _move(run, target, definition, job.input["stepMap"]):
                moved += 1
            else:
                message = f"The run {run.id.hex} stands at {run.step_key}, which the new version does not have."
                stays.append(_Stays(None, "step", message))
        moved += job.checkpoint.get("moved", 0)
        stayed = job.checkpoint.get("stayed", 0) + len(stays)
        checkpoint = {"after": str(found[-1]["id"]), "moved": moved, "stayed": stayed}
        await jobs.save_progress(job, done=moved + stayed, checkpoint=checkpoint, problems=stays)
    return True


async def _move(run: Run, target: uuid.UUID, definition: Definition, step_map: Mapping[str, str]) -> bool:
    """False where the run's step has no counterpart."""
    if run.status is FlowRunStatus.PENDING or run.step_key is None:
        run.version_id = target
        return await runs.move(run, [])
    key = step_map.get(run.step_key, run.step_key)
    if key not in definition.positions:
        return False
    before = await catalogue.definition_of(run.version_id)
    wait: dict[str, Any] | None = run.state.get("wait")
    if wait is not None and wait["step"] == run.step_key:
        due = _due(run, before, definition, key)
        if due is None:
            # Another kind of step: it is come to anew, as of when the old waiting would have ended.
            run.state.pop("wait")
            run.waiting_for = None
        else:
            run.state["wait"] = {**wait, "step": key}
            run.due_at = due
            step = definition.step(key)
            run.waiting_for = step.event if isinstance(step, WaitFor) else run.waiting_for
    run.version_id, run.step_key = target, key
    line = StepLine(key, definition.step(key).kind, StepOutcome.WAITING, MIGRATED, None, {"until": str(run.due_at)})
    return await runs.move(run, [line])


def _due(run: Run, before: Definition, after: Definition, key: str) -> datetime | None:
    """When the run goes on by the new version; never earlier than by the old one. None for another kind of step."""
    old, new = before.step(run.step_key or ""), after.step(key)
    if type(old) is not type(new) or run.due_at is None:
        return None
    if isinstance(old, Delay) and isinstance(new, Delay):
        return max(run.due_at, run.due_at - old.period + new.period)
    if isinstance(old, WaitFor) and isinstance(new, WaitFor):
        return max(run.due_at, run.due_at - old.timeout + new.timeout)
    return run.due_at

"""Moving one run on, from one rest to the next, in one transaction.

A wake-up names the revision that it is meant for. Whoever comes second, or too late, finds another revision and does
nothing; a process that dies on the way leaves everything as it was, and the event comes again.
"""

import uuid
from dataclasses import dataclass

import structlog

from app import db
from app.conditions.errors import ConditionFailed
from app.flows import asking, catalogue, enrolment, runs
from app.flows.ending import FAILED, end
from app.flows.execution import Execution, FlowNames
from app.flows.models import FlowRunStatus, FlowStatus, StepOutcome
from app.flows.runs import COLUMNS, Run, StepLine
from app.flows.steps import END, Exit, Go, Step, Wait
from app.messaging import marketing

CONDITION_FAILED = "CONDITION_FAILED"
CART_OF_ANOTHER = "CART_OF_ANOTHER"
"""The email that a cart was known by was taken out of it, or another one put in its place."""

log = structlog.get_logger(__name__)

_PEEK = f"SELECT {COLUMNS} FROM flow_runs r WHERE r.id = $1"
_LOCK = f"""
    SELECT {COLUMNS}, f.key AS flow_key, f.name AS flow_name, f.status AS flow_status, business_now() AS now
    FROM flow_runs r JOIN flows f ON f.id = r.flow_id WHERE r.id = $1 FOR UPDATE OF r
"""


async def advance(run_id: uuid.UUID, revision: int) -> None:
    """Let the run go on as far as it can now, in the open unit of work, if it still stands at this revision.

    Raises:
        LookupError: its version cannot be read by this release.
    """
    seen = await db.fetchrow(_PEEK, run_id)
    if seen is None or seen["revision"] != revision or not _may_go_on(runs.from_row(seen)):
        return
    held = await marketing.lock(runs.from_row(seen).datum("cartId"), seen["profile_id"])
    row = await db.fetchrow(_LOCK, run_id)
    if row is None or row["revision"] != revision or not _may_go_on(run := runs.from_row(row)):
        return
    if row["flow_status"] == FlowStatus.PAUSED and await _is_paused(run.flow_id):
        return  # resuming looks for it
    if not run.is_living and await _has_successor(run):
        return
    run.status = FlowRunStatus.PENDING if run.step_key is None else FlowRunStatus.ACTIVE
    definition = await catalogue.definition_of(run.version_id)
    names = FlowNames(row["flow_key"], row["flow_name"])
    reason = await asking.exit_by_timeline(definition, run)
    if reason is None and not held.is_theirs and run.datum("orderId") is None:
        reason = CART_OF_ANOTHER
    if reason is not None:
        await end(run, FlowRunStatus.EXITED, reason)
        return
    execution = Execution(run, definition, names, row["now"])
    if run.status is FlowRunStatus.PENDING:
        if not execution.is_due:
            return
        refusal = await enrolment.refusal_at_the_end_of_quiet(run, definition)
        if refusal is not None:
            await end(run, FlowRunStatus.EXITED, refusal)
            return
        run.status = FlowRunStatus.ACTIVE
        run.step_key = definition.steps[0].key
        run.entered_at = execution.planned
    await _go_on(execution)


def _may_go_on(run: Run) -> bool:
    """Also one that a fault ended: its wake-up comes again when staff replay the dead letter."""
    return run.is_living or (run.status is FlowRunStatus.FAILED and run.exit_reason == FAILED)


async def _is_paused(flow_id: uuid.UUID) -> bool:
    """Held until the transaction ends: a resuming that begins now finds the run as this leaves it."""
    status = await db.fetchval("SELECT status FROM flows WHERE id = $1 FOR SHARE", flow_id)
    return bool(status == FlowStatus.PAUSED)


async def _has_successor(run: Run) -> bool:
    """Whether another run took the place of one that had failed."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM flow_runs
            WHERE flow_id = $1 AND profile_id = $2 AND key = $3 AND status IN ('PENDING', 'ACTIVE') AND id <> $4
        )
        """,
        run.flow_id,
        run.profile_id,
        run.key,
        run.id,
    )
    return found


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a run comes to rest, or its end."""

    lines: list[StepLine]
    step: Step | None = None
    wait: Wait | None = None
    """What it waits for at `step`; None at its end."""
    status: FlowRunStatus = FlowRunStatus.ACTIVE
    reason: str | None = None


async def walk(execution: Execution) -> Stop:
    """Let the run do its steps until it has to wait, or has come to its end. The run itself is not written."""
    run, definition = execution.run, execution.definition
    lines: list[StepLine] = []
    run.exit_reason = None
    key = run.step_key or definition.steps[0].key
    while True:
        step = definition.step(key)
        execution.memory = _memory(run, key)
        result = await _result(step, execution)
        if isinstance(result, Exit):
            lines.append(StepLine(key, step.kind, StepOutcome.SKIPPED, result.reason))
            return Stop(lines, status=FlowRunStatus.EXITED, reason=result.reason)
        if isinstance(result, Wait):
            if result.event is None and result.until <= execution.now:
                # Its time has come already: go on at once, as of then.
                run.state["wait"] = {**result.memory, "step": key}
                execution.planned, execution.is_due = result.until, True
                continue
            return Stop(lines, step, result)
        lines.append(_line(step, result))
        execution.planned = result.at or execution.planned
        key = definition.after(step, result.to)
        if key == END:
            return Stop(lines, status=FlowRunStatus.COMPLETED)
        run.step_key = key


async def _go_on(execution: Execution) -> None:
    stop = await walk(execution)
    if stop.step is not None and stop.wait is not None:
        await _rest(execution, stop.step, stop.wait, stop.lines)
    else:
        await end(execution.run, stop.status, stop.reason, stop.lines)


def _memory(run: Run, key: str) -> dict[str, object] | None:
    """What the step left when it began to wait; what another one left is forgotten."""
    waited = run.state.pop("wait", None)
    return waited if waited is not None and waited["step"] == key else None


async def _result(step: Step, execution: Execution) -> Go | Wait | Exit:
    try:
        return await execution.perform(step)
    except ConditionFailed as failure:
        otherwise = [target for label, target in step.ways() if label == "else"]
        to = otherwise[0] if otherwise else None
        return Go(to=to, outcome=StepOutcome.FAILED, reason=CONDITION_FAILED, detail={"cause": failure.cause})


def _line(step: Step, result: Go) -> StepLine:
    return StepLine(step.key, step.kind, result.outcome, result.reason, result.message_id, result.detail)


async def _rest(execution: Execution, step: Step, wait: Wait, lines: list[StepLine]) -> None:
    run = execution.run
    unchanged = (
        not lines
        and execution.memory is not None
        and (run.due_at, run.waiting_for) == (wait.until, wait.event)
        and not execution.is_due
    )
    run.state["wait"] = {**wait.memory, "step": step.key}
    if unchanged:
        return  # something happened that was not it
    run.step_key, run.due_at, run.waiting_for = step.key, wait.until, wait.event
    detail = {**wait.detail, "until": wait.until.isoformat()}
    lines.append(StepLine(step.key, step.kind, StepOutcome.WAITING, wait.reason, None, detail))
    await _moved(run, lines)


async def _moved(run: Run, lines: list[StepLine]) -> None:
    if not await runs.move(run, lines):
        raise RuntimeError("a run moved although it was locked")

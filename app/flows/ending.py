"""The end of a run, whatever brought it about, and waking those that waited for it."""

import uuid
from collections.abc import Sequence

from app import db, events
from app.flows import catalogue, runs
from app.flows.models import FlowRunStatus
from app.flows.runs import Run, StepLine
from app.flows.steps.sending import RUN_ENDED

FAILED = "FAILED"
"""The reason of runs that a fault ended; a replay of the dead letter goes on with them."""


async def end(run: Run, status: FlowRunStatus, reason: str | None, lines: Sequence[StepLine] = ()) -> None:
    """End a run that is locked in the open unit of work, and wake those that waited for it."""
    run.status, run.exit_reason = status, reason
    run.due_at = run.waiting_for = None
    run.state.pop("wait", None)
    if not await runs.move(run, lines):
        raise RuntimeError("a run moved although it was locked")
    if run.flow_id in (await catalogue.current()).waited_for:
        await wake(run.profile_id, RUN_ENDED)


async def wake(profile_id: uuid.UUID, event_type: str) -> None:
    """Let the person's runs that wait for this look again. The profile is locked in the open unit of work, so that no
    run begins to wait unseen."""
    rows = await db.fetch(
        """
        SELECT id, revision FROM flow_runs
        WHERE profile_id = $1 AND status IN ('PENDING', 'ACTIVE') AND waiting_for = $2
        """,
        profile_id,
        event_type,
    )
    for row in rows:
        await events.record(runs.RUN_DUE, subject_id=row["id"], payload={"revision": row["revision"]})


async def fail(run_id: uuid.UUID, revision: int) -> None:
    """A fault that does not go away ended the run; its revision stays, so that a replay finds it."""
    async with db.unit_of_work():
        await db.execute(
            """
            UPDATE flow_runs SET status = 'FAILED', exit_reason = $3, finished_at = business_now()
            WHERE id = $1 AND revision = $2 AND status IN ('PENDING', 'ACTIVE')
            """,
            run_id,
            revision,
            FAILED,
        )
        await db.execute("DELETE FROM timers WHERE kind = 'flow.run_due' AND subject_id = $1", run_id)

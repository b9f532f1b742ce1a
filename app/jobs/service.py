"""The life of a job: queued, running with checkpoints, succeeded or failed.

Whoever runs a job writes its progress in the transaction of the work itself, so that a killed worker's successor goes
on exactly where the last commit was.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from app import db, live
from app.jobs.models import JobStatus
from app.kit.ids import new_id

MAX_PROBLEMS_KEPT = 1000
"""Of each job; further ones are only counted."""
MAX_COLUMN_CHARACTERS = 200


class Problem(Protocol):
    """What was wrong with one place of the input."""

    @property
    def row(self) -> int | None: ...
    @property
    def column(self) -> str | None: ...
    @property
    def message(self) -> str: ...


class Superseded(Exception):  # noqa: N818 - not an error: another worker has the job
    """The job has gone on elsewhere, or is over: this run has to stop and leave everything as it is."""


@dataclass(slots=True)
class RunningJob:
    """A job in the hands of one worker."""

    id: uuid.UUID
    input: dict[str, Any]
    checkpoint: dict[str, Any]
    problem_count: int
    created_by: uuid.UUID | None


def topic(job_id: uuid.UUID) -> str:
    """Where a job's changes are announced."""
    return f"job:{job_id.hex}"


async def create(kind: str, job_input: Mapping[str, object], *, created_by: uuid.UUID | None) -> uuid.UUID:
    """Queue a job. Joins the open unit of work; the caller records the event that starts it."""
    job_id = new_id()
    await db.execute(
        """
        INSERT INTO jobs (id, kind, status, done, input, checkpoint, problem_count, created_by, created_at)
        VALUES ($1, $2, 'QUEUED', 0, $3::jsonb, '{}', 0, $4, clock_timestamp())
        """,
        job_id,
        kind,
        orjson.dumps(job_input).decode(),
        created_by,
    )
    return job_id


async def start(job_id: uuid.UUID) -> RunningJob | None:
    """Take the job up, or up again after an interruption. None when it is over, or was never there."""
    row = await db.fetchrow(
        """
        UPDATE jobs SET status = 'RUNNING', started_at = coalesce(started_at, clock_timestamp())
        WHERE id = $1 AND status IN ('QUEUED', 'RUNNING')
        RETURNING input, checkpoint, problem_count, created_by
        """,
        job_id,
    )
    if row is None:
        return None
    await live.publish(topic(job_id))
    return RunningJob(
        job_id, orjson.loads(row["input"]), orjson.loads(row["checkpoint"]), row["problem_count"], row["created_by"]
    )


async def announce_total(job: RunningJob, total: int) -> None:
    await db.execute("UPDATE jobs SET total = $2 WHERE id = $1 AND status = 'RUNNING'", job.id, total)
    await live.publish(topic(job.id))


async def save_progress(
    job: RunningJob, *, done: int, checkpoint: dict[str, Any], problems: Sequence[Problem] = ()
) -> None:
    """Write how far the job is, inside the transaction that did the work; watchers hear of it after the commit.

    Raises:
        Superseded: the job's checkpoint is not the one this run goes on from. Roll back and stop.
    """
    work = db.current_unit_of_work()
    touched = await db.execute(
        """
        UPDATE jobs SET done = $3, checkpoint = $4::jsonb, problem_count = problem_count + $5
        WHERE id = $1 AND status = 'RUNNING' AND checkpoint = $2::jsonb
        """,
        job.id,
        orjson.dumps(job.checkpoint).decode(),
        done,
        orjson.dumps(checkpoint).decode(),
        len(problems),
    )
    if not touched:
        raise Superseded
    await _keep(job.id, problems, room=MAX_PROBLEMS_KEPT - job.problem_count)

    def committed() -> None:
        job.checkpoint = checkpoint
        job.problem_count += len(problems)
        live.publish_soon(topic(job.id))

    work.after_commit(committed)


async def finish(
    job: RunningJob, status: JobStatus, *, result: Mapping[str, object] | None = None, problems: Sequence[Problem] = ()
) -> None:
    """Close the job as SUCCEEDED or FAILED, once; a job that is over stays as it is."""
    async with db.unit_of_work() as work:
        touched = await db.execute(
            """
            UPDATE jobs
            SET status = $2, result = $3::jsonb, problem_count = problem_count + $4, finished_at = clock_timestamp()
            WHERE id = $1 AND status = 'RUNNING'
            """,
            job.id,
            status.value,
            None if result is None else orjson.dumps(result).decode(),
            len(problems),
        )
        if touched:
            await _keep(job.id, problems, room=MAX_PROBLEMS_KEPT - job.problem_count)
            work.after_commit(lambda: live.publish_soon(topic(job.id)))


async def _keep(job_id: uuid.UUID, problems: Sequence[Problem], *, room: int) -> None:
    kept = problems[: max(room, 0)]
    if not kept:
        return
    await db.execute(
        """
        INSERT INTO job_problems (job_id, "row", "column", message)
        SELECT $1, p.row_number, p.column_name, p.message
        FROM unnest($2::int[], $3::text[], $4::text[]) WITH ORDINALITY AS p (row_number, column_name, message, place)
        ORDER BY p.place
        """,
        job_id,
        [problem.row for problem in kept],
        [None if problem.column is None else problem.column[:MAX_COLUMN_CHARACTERS] for problem in kept],
        [problem.message for problem in kept],
    )

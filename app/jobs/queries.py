"""Reading jobs. Who may see them is the caller's question: jobs are for staff."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from app import db
from app.jobs.models import JobStatus


@dataclass(frozen=True, slots=True)
class ProblemView:
    row: int | None
    column: str | None
    message: str


@dataclass(frozen=True, slots=True)
class JobView:
    id: uuid.UUID
    kind: str
    status: JobStatus
    done: int
    total: int | None
    problem_count: int
    result: dict[str, object] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    problems: list[ProblemView]

    @property
    def is_over(self) -> bool:
        return self.status in (JobStatus.SUCCEEDED, JobStatus.FAILED)


async def load_many(job_ids: Sequence[uuid.UUID], *, problems: bool = True) -> dict[uuid.UUID, JobView]:
    """The jobs that exist, in one statement."""
    rows = await db.fetch(
        """
        SELECT j.id, j.kind, j.status, j.done, j.total, j.problem_count, j.result, j.created_at, j.started_at,
               j.finished_at, CASE WHEN $2 THEN (
                   SELECT json_agg(json_build_array(p."row", p."column", p.message) ORDER BY p.id)
                   FROM job_problems p WHERE p.job_id = j.id
               ) END AS problems
        FROM jobs j WHERE j.id = ANY($1)
        """,
        list(job_ids),
        problems,
    )
    return {
        row["id"]: JobView(
            **{
                **row,
                "status": JobStatus(row["status"]),
                "result": row["result"] and orjson.loads(row["result"]),
                "problems": [ProblemView(*problem) for problem in orjson.loads(row["problems"] or "[]")],
            }
        )
        for row in rows
    }


async def load(job_id: uuid.UUID, *, problems: bool = True) -> JobView | None:
    return (await load_many([job_id], problems=problems)).get(job_id)

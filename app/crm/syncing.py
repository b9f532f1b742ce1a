"""Sending everybody to a connection again, as a job: batch by batch, each noted with how far the job got.

The job marks people and leaves an event for each batch; `pushing` sends them. A worker that is killed costs nothing:
its successor goes on behind the last batch.
"""

import uuid
from dataclasses import dataclass

from app import db, events
from app.crm import service
from app.errors import not_found
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import RunningJob

JOB_KIND = "CRM_SYNC"
REQUESTED = "crm_sync.requested"
BATCH = 100
_NOBODY = uuid.UUID(int=0)

_IS_ON = "SELECT true FROM crm_connections WHERE id = $1 AND enabled FOR SHARE"
_EVERYBODY = "SELECT count(*) FROM profiles WHERE email IS NOT NULL AND merged_into_id IS NULL"
_MARK_BATCH = """
    INSERT INTO crm_contacts AS c (connection_id, profile_id, wanted_revision, synced_revision)
    SELECT $1, id, 1, 0 FROM profiles
    WHERE email IS NOT NULL AND merged_into_id IS NULL AND id > $2 ORDER BY id LIMIT $3
    ON CONFLICT (connection_id, profile_id) DO UPDATE SET wanted_revision = c.wanted_revision + 1, failure = NULL
    RETURNING id, profile_id
"""


@dataclass(frozen=True, slots=True)
class _Problem:
    message: str
    row: int | None = None
    column: str | None = None


class _Off(Exception):  # noqa: N818 - not an error: somebody has switched it off
    """The connection is switched off, or gone."""


async def request(connection_id: uuid.UUID, *, staff_id: uuid.UUID | None) -> uuid.UUID:
    """Queue the job; its id. Raises DomainError(NOT_FOUND), also for a connection that is switched off."""
    async with db.unit_of_work():
        if not await db.fetchval(_IS_ON, connection_id):
            raise not_found("connection that is switched on", ["id"])
        job_id = await jobs.create(JOB_KIND, {"connectionId": str(connection_id)}, created_by=staff_id)
        await events.record(REQUESTED, subject_id=job_id)
    return job_id


async def run(job_id: uuid.UUID, *, is_last_attempt: bool = False) -> None:
    """Do the job, or go on with it where another worker was interrupted. Quiet when there is nothing left to do.

    Raises:
        Superseded: another worker is at it. The caller tries again later, should that one die.
    """
    job = await jobs.start(job_id)
    if job is None:
        return
    connection_id = uuid.UUID(job.input["connectionId"])
    try:
        await jobs.announce_total(job, await db.fetchval(_EVERYBODY))
        while await _batch(job, connection_id):
            pass
        await jobs.finish(job, JobStatus.SUCCEEDED, result={"contacts": int(job.checkpoint.get("done", 0))})
    except jobs.Superseded:
        raise
    except _Off:
        problem = _Problem("The connection was switched off or deleted meanwhile.")
        await jobs.finish(job, JobStatus.FAILED, problems=[problem])
    except Exception:
        if is_last_attempt:
            problem = _Problem("It stopped because of a fault in the server; ask for it again.")
            await jobs.finish(job, JobStatus.FAILED, problems=[problem])
        raise


async def _batch(job: RunningJob, connection_id: uuid.UUID) -> bool:
    """False when there was nobody left."""
    after = uuid.UUID(job.checkpoint["after"]) if "after" in job.checkpoint else _NOBODY
    async with db.unit_of_work():
        if not await db.fetchval(_IS_ON, connection_id):
            raise _Off
        rows = await db.fetch(_MARK_BATCH, connection_id, after, BATCH)
        if not rows:
            return False
        await service.wanted([row["id"] for row in rows])
        done = int(job.checkpoint.get("done", 0)) + len(rows)
        last = max(row["profile_id"] for row in rows)
        await jobs.save_progress(job, done=done, checkpoint={"after": str(last), "done": done})
    return True

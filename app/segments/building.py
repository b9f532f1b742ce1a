"""Going once over everybody for a segment that is new or has a new condition.

Batch by batch in the order of ids, each batch one transaction with the note of how far it got. What happens to people
meanwhile is looked at as always, so that nothing is missed on either side of that mark.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db, events
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import RunningJob
from app.segments import membership
from app.segments.membership import Telling

JOB_KIND = "SEGMENT_BUILD"
REQUESTED = "segment_build.requested"
BATCH = 200
"""Profiles whose rows are locked together: an order of one of them waits for so long."""
_NOBODY = uuid.UUID(int=0)

_NEXT = "SELECT id FROM profiles WHERE merged_into_id IS NULL AND erased_at IS NULL AND id > $1 ORDER BY id LIMIT $2"
_LOCK = "SELECT id FROM profiles WHERE id = ANY($1) AND merged_into_id IS NULL ORDER BY id FOR NO KEY UPDATE"
_MARK = "UPDATE segments SET built_through = $3 WHERE id = $1 AND revision = $2"
_READY = """
    UPDATE segments SET status = 'READY', built_through = NULL, updated_at = clock_timestamp()
    WHERE id = $1 AND revision = $2
"""


@dataclass(frozen=True, slots=True)
class _Problem:
    message: str
    row: int | None = None
    column: str | None = None


class _Changed(Exception):  # noqa: N818 - not an error: a newer job has the segment
    """The segment is gone, or has another condition by now."""


async def request(segment_id: uuid.UUID, revision: int, *, announce: bool, staff_id: uuid.UUID | None) -> uuid.UUID:
    """Queue the building in the open unit of work; the job's id."""
    job_input = {"segmentId": str(segment_id), "revision": revision, "announce": announce}
    job_id = await jobs.create(JOB_KIND, job_input, created_by=staff_id)
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
    segment_id, revision = uuid.UUID(job.input["segmentId"]), int(job.input["revision"])
    try:
        await jobs.announce_total(job, await db.fetchval("SELECT count(*) FROM profiles WHERE merged_into_id IS NULL"))
        while await _batch(job, segment_id, revision):
            pass
        await _finish(job, segment_id, revision)
    except jobs.Superseded:
        raise
    except _Changed:
        await jobs.finish(job, JobStatus.SUCCEEDED, result={"supersededByChange": True})
    except Exception:
        if is_last_attempt:
            problem = _Problem("The building stopped because of a fault in the server; change the condition to retry.")
            await jobs.finish(job, JobStatus.FAILED, problems=[problem])
        raise


async def _batch(job: RunningJob, segment_id: uuid.UUID, revision: int) -> bool:
    """False when there was nobody left."""
    after = uuid.UUID(job.checkpoint["after"]) if "after" in job.checkpoint else _NOBODY
    async with db.unit_of_work():
        ids: Sequence[uuid.UUID] = [row["id"] for row in await db.fetch(_NEXT, after, BATCH)]
        if not ids:
            return False
        living = [row["id"] for row in await db.fetch(_LOCK, ids)]
        segment = await membership.one(segment_id, revision)
        if segment is None:
            raise _Changed
        telling = Telling.EVERYTHING if job.input.get("announce") else Telling.COMING_AND_GOING
        await membership.look([segment], living, telling=telling)
        if not await db.execute(_MARK, segment_id, revision, ids[-1]):
            raise _Changed
        done = int(job.checkpoint.get("done", 0)) + len(ids)
        await jobs.save_progress(job, done=done, checkpoint={"after": str(ids[-1]), "done": done})
    return True


async def _finish(job: RunningJob, segment_id: uuid.UUID, revision: int) -> None:
    async with db.unit_of_work():
        if not await db.execute(_READY, segment_id, revision):
            raise _Changed
        members = await db.fetchval(
            "SELECT coalesce(sum(members), 0)::bigint FROM segment_counts WHERE segment_id = $1", segment_id
        )
        await jobs.finish(job, JobStatus.SUCCEEDED, result={"members": members})

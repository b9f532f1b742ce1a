"""Drawing codes by the thousand, as a job that leaves them as a file."""

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from app import clock, db, events
from app.errors import CommonErrorCode
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import RunningJob
from app.kit.ids import new_id
from app.kit.problems import MAX_INT, Problems
from app.promotions.codes import checked_code, takes_codes
from app.promotions.coupons import ALPHABET
from app.promotions.entering import MAX_CODE_CHARS
from app.uploads import generated

JOB_KIND = "DISCOUNT_CODES"
REQUESTED = "discount_codes.requested"
MAX_CODES_DRAWN = 100_000
MIN_LENGTH, USUAL_LENGTH, MAX_LENGTH = 8, 10, 32
"""Letters and digits that are drawn. With eight, 23^8 = 78 thousand million: a guess finds one of 100,000 codes once in
780,000 tries, and twenty are allowed in ten minutes (`entering`)."""
BATCH = 2000
CONTENT_TYPE = "text/csv; charset=utf-8"
KEPT_HOURS = 24
HEADER = b"code\r\n"

_INSERT = """
    INSERT INTO discount_codes (id, discount_id, code, usage_limit, used_count, job_id, created_at)
    SELECT new.id, $1, new.code, $4, 0, $5, business_now() FROM unnest($2::uuid[], $3::text[]) AS new (id, code)
    ON CONFLICT DO NOTHING
    RETURNING code
"""


@dataclass(frozen=True, slots=True)
class _Problem:
    message: str
    row: int | None = None
    column: str | None = None


async def request_codes(
    discount_id: uuid.UUID,
    *,
    count: int,
    prefix: str | None,
    length: int,
    usage_limit: int | None,
    created_by: uuid.UUID | None,
) -> uuid.UUID:
    """Queue a job that draws this many codes. The job's id.

    Args:
        prefix: what all of them begin with.
        length: of what is drawn, behind it.
        usage_limit: how many orders can use each code; None for any number.

    Raises:
        DomainErrors: all that is wrong, below `input`; NOT_FOUND, CONFLICT or DISCOUNT_DISABLED for the discount.
    """
    problems = Problems()
    if not 1 <= count <= MAX_CODES_DRAWN:
        problems.add(CommonErrorCode.OUT_OF_RANGE, f"From 1 to {MAX_CODES_DRAWN:,} codes.", "count")
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        message = f"From {MIN_LENGTH} letters and digits, so that no code is found by trying, to {MAX_LENGTH}."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "length")
    if usage_limit is not None and not 1 <= usage_limit <= MAX_INT:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A limit is one use at least.", "usageLimit")
    begins = checked_code(prefix, problems, "prefix") or "" if prefix else ""
    if len(begins) + length > MAX_CODE_CHARS:
        problems.add(CommonErrorCode.TOO_LONG, f"A code has {MAX_CODE_CHARS} characters at most.", "prefix")
    problems.raise_if_any()
    async with db.unit_of_work():
        await takes_codes(discount_id)
        job_input = {
            "discountId": str(discount_id),
            "count": count,
            "prefix": begins,
            "length": length,
            "usageLimit": usage_limit,
        }
        job_id = await jobs.create(JOB_KIND, job_input, created_by=created_by)
        await events.record(REQUESTED, subject_id=job_id)
    return job_id


async def run(job_id: uuid.UUID, *, is_last_attempt: bool = False) -> None:
    """Do the job, or go on with it where another worker was interrupted: codes and the note of how many there are
    commit together, so that there are never more or fewer than were asked for.

    Raises:
        Superseded: another worker is at it.
    """
    job = await jobs.start(job_id)
    if job is None:
        return
    try:
        await _draw(job)
    except jobs.Superseded:
        raise
    except Exception:
        if is_last_attempt:
            message = "The drawing stopped because of a fault in the server. The codes drawn by then can be used."
            await jobs.finish(job, JobStatus.FAILED, problems=[_Problem(message)])
            if file_id := job.checkpoint.get("fileId"):
                await generated.discard(uuid.UUID(file_id))
        raise


async def _draw(job: RunningJob) -> None:
    wanted = job.input["count"]
    if not job.checkpoint:
        await _begin(job, wanted)
    file_id = uuid.UUID(job.checkpoint["fileId"])
    while (done := job.checkpoint["codes"]) < wanted:
        number = job.checkpoint["pieces"]
        async with db.unit_of_work():
            drawn = await _batch(job, min(BATCH, wanted - done))
            content = "".join(f"{code}\r\n" for code in drawn).encode()
            checkpoint = job.checkpoint | {
                "pieces": number + 1,
                "codes": done + len(drawn),
                "sizeBytes": job.checkpoint["sizeBytes"] + len(content),
            }
            await jobs.save_progress(job, done=done + len(drawn), checkpoint=checkpoint)
            await generated.append(file_id, number, content)
    async with db.unit_of_work():
        await generated.complete(file_id, size_bytes=job.checkpoint["sizeBytes"], kept_hours=KEPT_HOURS)
        result = {"codes": job.checkpoint["codes"], "filename": job.checkpoint["filename"]}
        await jobs.finish(job, JobStatus.SUCCEEDED, result=result)


async def _begin(job: RunningJob, wanted: int) -> None:
    await jobs.announce_total(job, wanted)
    filename = f"discount-codes-{(await clock.now()).date().isoformat()}.csv"
    async with db.unit_of_work():
        file_id = await generated.begin(filename, CONTENT_TYPE, created_by=job.created_by)
        checkpoint: dict[str, Any] = {
            "fileId": str(file_id),
            "filename": filename,
            "pieces": 1,
            "codes": 0,
            "sizeBytes": len(HEADER),
        }
        await jobs.save_progress(job, done=0, checkpoint=checkpoint)
        await generated.append(file_id, 0, HEADER)


async def _batch(job: RunningJob, count: int) -> list[str]:
    """As many new codes; one that exists already is drawn again."""
    prefix, length = job.input["prefix"], job.input["length"]
    drawn: list[str] = []
    while len(drawn) < count:
        codes = {prefix + "".join(secrets.choice(ALPHABET) for _ in range(length)) for _ in range(count - len(drawn))}
        rows = await db.fetch(
            _INSERT,
            uuid.UUID(job.input["discountId"]),
            [new_id() for _ in codes],
            list(codes),
            job.input["usageLimit"],
            job.id,
        )
        drawn += [row["code"] for row in rows]
    return drawn

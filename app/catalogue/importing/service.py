"""Importing products as a job, and at once."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from app import db, events
from app.catalogue.importing.running import BatchOutcome, Counts, import_products
from app.catalogue.shopify_csv import FileCheck, FileRefused, RowProblem, check_file
from app.errors import CommonErrorCode, DomainError
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import MAX_PROBLEMS_KEPT, RunningJob
from app.shop import queries as shop_queries
from app.uploads import service as uploads

JOB_KIND = "PRODUCTS_IMPORT"
REQUESTED = "products_import.requested"
CSV_NAME = "products.csv"


async def request_import(
    *,
    csv: str | None,
    upload_id: uuid.UUID | None,
    encoding: str | None,
    overwrite_stock: bool,
    staff_id: uuid.UUID | None,
    max_upload_bytes: int,
) -> uuid.UUID:
    """Queue the import of a file that was uploaded, or that comes as text. The job's id.

    Raises:
        DomainError: INVALID unless exactly one of the two is given; NOT_FOUND for the upload; UPLOAD_EMPTY.
    """
    if (csv is None) == (upload_id is None):
        raise DomainError(CommonErrorCode.INVALID, "Send either csv or uploadId.", ["input"])
    if upload_id is None:
        upload_id = await uploads.receive_text(
            csv or "", filename=CSV_NAME, created_by=staff_id, max_bytes=max_upload_bytes
        )
    async with db.unit_of_work():
        await uploads.ensure_complete(upload_id)
        job_input = {"uploadId": str(upload_id), "encoding": encoding, "overwriteStock": overwrite_stock}
        job_id = await jobs.create(JOB_KIND, job_input, created_by=staff_id)
        await events.record(REQUESTED, subject_id=job_id)
    return job_id


async def run_import(job_id: uuid.UUID, *, is_last_attempt: bool = False) -> None:
    """Do the job, or go on with it where another worker was interrupted. Quiet when there is nothing left to do.

    Args:
        is_last_attempt: nobody will try again, so an unexpected failure closes the job before it is raised.

    Raises:
        Superseded: another worker is at it. The caller tries again later, should that one die.
    """
    job = await jobs.start(job_id)
    if job is None:
        return
    try:
        async with uploads.opened(uuid.UUID(job.input["uploadId"])) as source:
            await _import(job, source)
    except jobs.Superseded:
        raise
    except FileRefused as refusal:
        problem = RowProblem(refusal.row, refusal.column, refusal.message)
        await jobs.finish(job, JobStatus.FAILED, problems=[problem])
    except DomainError as error:
        await jobs.finish(job, JobStatus.FAILED, problems=[RowProblem(None, None, error.message)])
    except Exception:
        if is_last_attempt:
            message = "The import stopped because of a fault in the server; what it had done so far is kept."
            await jobs.finish(job, JobStatus.FAILED, problems=[RowProblem(None, None, message)])
        raise


async def _import(job: RunningJob, source: IO[bytes]) -> None:
    check = await asyncio.to_thread(check_file, source, job.input.get("encoding"))
    source.seek(0)
    await jobs.announce_total(job, check.last_row - 1)
    progress = _JobProgress(job)
    await import_products(
        source,
        check,
        progress,
        currency=(await shop_queries.current()).currency_code,
        after_row=job.checkpoint.get("row", 0),
        overwrite_stock=bool(job.input.get("overwriteStock")),
        reference_id=job.id,
    )
    await jobs.finish(job, JobStatus.SUCCEEDED, result=result_of(progress.counts, check))


class _JobProgress:
    """Account kept in the job's row: the checkpoint holds the last row that is in the shop, and the counts."""

    def __init__(self, job: RunningJob) -> None:
        self._job = job

    @property
    def counts(self) -> Counts:
        return Counts(**self._job.checkpoint.get("counts", {}))

    async def save(self, outcome: BatchOutcome) -> None:
        checkpoint = {"row": outcome.last_row, "counts": asdict(self.counts.add(outcome.counts))}
        await jobs.save_progress(self._job, done=outcome.last_row - 1, checkpoint=checkpoint, problems=outcome.problems)


@dataclass(slots=True)
class ImportReport:
    """What an import at once came to."""

    counts: Counts = field(default_factory=Counts)
    problems: list[RowProblem] = field(default_factory=list)
    """The first thousand."""
    problem_count: int = 0
    check: FileCheck | None = None


async def import_file(
    source: IO[bytes],
    *,
    encoding: str | None = None,
    overwrite_stock: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Import a file in this process, without a job: for the command line and the sample shop.

    Interrupted, it keeps what it has done; done again, it changes only what is not there yet.

    Args:
        source: seekable, at its beginning.
        on_progress: called after each batch with the rows done and the rows in all.

    Raises:
        FileRefused: the file as a whole cannot be read; nothing was changed.
    """
    report = ImportReport()
    report.check = check = await asyncio.to_thread(check_file, source, encoding)
    source.seek(0)

    class _Callback:
        async def save(self, outcome: BatchOutcome) -> None:
            def committed() -> None:
                report.counts = report.counts.add(outcome.counts)
                report.problem_count += len(outcome.problems)
                report.problems += outcome.problems[: MAX_PROBLEMS_KEPT - len(report.problems)]
                on_progress(outcome.last_row - 1, check.last_row - 1)

            db.current_unit_of_work().after_commit(committed)

    currency = (await shop_queries.current()).currency_code
    await import_products(source, check, _Callback(), currency=currency, overwrite_stock=overwrite_stock)
    return report


def result_of(counts: Counts, check: FileCheck) -> dict[str, Any]:
    """The job's result: what was created, updated, unchanged and left out, and what became of other columns."""
    return {
        "products": {
            "created": counts.products_created,
            "updated": counts.products_updated,
            "unchanged": counts.products_unchanged,
            "leftOut": counts.products_left_out,
        },
        "variants": {
            "created": counts.variants_created,
            "updated": counts.variants_updated,
            "unchanged": counts.variants_unchanged,
        },
        "encoding": check.encoding,
        "columnsKeptAsMetadata": [check.columns.headers[index] for index, _ in check.columns.metadata],
        "columnsIgnored": check.columns.ignored,
    }

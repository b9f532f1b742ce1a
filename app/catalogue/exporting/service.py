"""Exporting products as a job, and at once.

There is no snapshot over the whole export: it would keep PostgreSQL from cleaning up for as long, and would not outlive
the worker. Each product is written as it is at one moment, and products that come meanwhile are not in the file.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import IO, Any

from app import clock, db, events
from app.catalogue.errors import CatalogueErrorCode
from app.catalogue.exporting import reading
from app.catalogue.exporting.selecting import ExportFilters
from app.catalogue.shopify_csv import RowProblem
from app.catalogue.shopify_csv.writing import Writer
from app.catalogue.statements import Statement
from app.errors import DomainError, not_found
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import RunningJob
from app.shop import queries as shop_queries
from app.uploads import generated

JOB_KIND = "PRODUCTS_EXPORT"
REQUESTED = "products_export.requested"
CONTENT_TYPE = "text/csv; charset=utf-8"
KEPT_HOURS = 24
MAX_UNFINISHED = 3
"""In the shop: each may become hundreds of megabytes."""
_EXPORTS_LOCK_ID = 0x7477_6578_706F


class ExportFormat(StrEnum):
    SHOPIFY_CSV = "SHOPIFY_CSV"


@dataclass(slots=True)
class Counts:
    """What the file holds so far."""

    products: int = 0
    variants: int = 0
    rows: int = 0
    """Without the header."""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    content: bytes
    counts: Counts
    last_id: uuid.UUID


# --- as a job ---------------------------------------------------------------------------------------------------------


async def request_export(filters: ExportFilters, *, format: ExportFormat, created_by: uuid.UUID | None) -> uuid.UUID:
    """Queue an export. The job's id.

    Raises:
        DomainError: NOT_FOUND for the collection; TOO_LONG or INVALID for the query; TOO_MANY_EXPORTS while others are
            being made.
    """
    filters.condition(Statement(sees_hidden=True))
    async with db.unit_of_work():
        if filters.collection_id is not None and not await db.fetchval(
            "SELECT true FROM collections WHERE id = $1", filters.collection_id
        ):
            raise not_found("collection", ["input", "collectionId"])
        await db.execute("SELECT pg_advisory_xact_lock($1)", _EXPORTS_LOCK_ID)
        unfinished = await db.fetchval(
            "SELECT count(*) FROM jobs WHERE kind = $1 AND status IN ('QUEUED', 'RUNNING')", JOB_KIND
        )
        if unfinished >= MAX_UNFINISHED:
            message = f"{unfinished} exports are being made; wait for one of them to end."
            raise DomainError(CatalogueErrorCode.TOO_MANY_EXPORTS, message)
        job_input = {"format": format.value, **filters.to_json()}
        job_id = await jobs.create(JOB_KIND, job_input, created_by=created_by)
        await events.record(REQUESTED, subject_id=job_id)
    return job_id


async def run_export(job_id: uuid.UUID, *, is_last_attempt: bool = False) -> None:
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
        await _export(job)
    except jobs.Superseded:
        raise
    except Exception:
        if is_last_attempt:
            message = "The export stopped because of a fault in the server."
            await jobs.finish(job, JobStatus.FAILED, problems=[RowProblem(None, None, message)])
            if file_id := job.checkpoint.get("fileId"):
                await generated.discard(uuid.UUID(file_id))
        raise


async def _export(job: RunningJob) -> None:
    filters = ExportFilters.of_json(job.input)
    currency = (await shop_queries.current()).currency_code
    if not job.checkpoint:
        await _begin(job, await reading.overview(filters), currency)
    file_id = uuid.UUID(job.checkpoint["fileId"])
    writer = Writer(currency, job.checkpoint["metadataKeys"])
    last_id = uuid.UUID(job.checkpoint["lastId"])
    counts = Counts(**job.checkpoint["counts"])
    after = uuid.UUID(job.checkpoint["after"])
    async for piece in _pieces(writer, filters, counts, after=after, last_id=last_id):
        number = job.checkpoint["pieces"]
        checkpoint = job.checkpoint | {
            "pieces": number + 1,
            "after": str(piece.last_id),
            "counts": asdict(piece.counts),
        }
        async with db.unit_of_work():
            # First the fence: two workers would write the same piece.
            await jobs.save_progress(job, done=piece.counts.products, checkpoint=checkpoint)
            await generated.append(file_id, number, piece.content)
    counts = Counts(**job.checkpoint["counts"])
    async with db.unit_of_work():
        await generated.complete(file_id, size_bytes=counts.size_bytes, kept_hours=KEPT_HOURS)
        result = {
            "format": job.input["format"],
            "filename": job.checkpoint["filename"],
            "products": counts.products,
            "variants": counts.variants,
            "rows": counts.rows,
            "sizeBytes": counts.size_bytes,
        }
        await jobs.finish(job, JobStatus.SUCCEEDED, result=result)


async def _begin(job: RunningJob, overview: reading.Overview, currency: str) -> None:
    """The file with its header, and the job's first checkpoint."""
    await jobs.announce_total(job, overview.products)
    header = Writer(currency, overview.metadata_keys).header().encode()
    filename = f"products-{(await clock.now()).date().isoformat()}.csv"
    async with db.unit_of_work():
        file_id = await generated.begin(filename, CONTENT_TYPE, created_by=job.created_by)
        checkpoint: dict[str, Any] = {
            "fileId": str(file_id),
            "filename": filename,
            "metadataKeys": overview.metadata_keys,
            "after": str(reading.FIRST_ID),
            "lastId": str(overview.last_id),
            "pieces": 1,
            "counts": asdict(Counts(size_bytes=len(header))),
        }
        await jobs.save_progress(job, done=0, checkpoint=checkpoint)
        await generated.append(file_id, 0, header)


# --- at once ----------------------------------------------------------------------------------------------------------


async def export_file(
    target: IO[bytes],
    filters: ExportFilters = ExportFilters(),  # noqa: B008 - immutable
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Counts:
    """Write the products to a file in this process, without a job: for the command line.

    Args:
        on_progress: called after each batch with the products done and the products in all.

    Raises:
        DomainError: TOO_LONG or INVALID for the query.
    """
    overview = await reading.overview(filters)
    writer = Writer((await shop_queries.current()).currency_code, overview.metadata_keys)
    header = writer.header().encode()
    await asyncio.to_thread(target.write, header)
    counts = Counts(size_bytes=len(header))
    async for piece in _pieces(writer, filters, counts, after=reading.FIRST_ID, last_id=overview.last_id):
        await asyncio.to_thread(target.write, piece.content)
        counts = piece.counts
        on_progress(counts.products, overview.products)
    return counts


async def _pieces(
    writer: Writer, filters: ExportFilters, counts: Counts, *, after: uuid.UUID, last_id: uuid.UUID
) -> AsyncIterator[_Piece]:
    """The rows of one batch after another, each with what the file comes to with it."""
    while (batch := await reading.batch_after(after, last_id, filters)) is not None:
        text, rows = await asyncio.to_thread(writer.rows, batch.products)
        content = text.encode()
        counts = Counts(
            counts.products + len(batch.products),
            counts.variants + sum(len(product.variants) for product in batch.products),
            counts.rows + rows,
            counts.size_bytes + len(content),
        )
        after = batch.last_id
        yield _Piece(content, counts, after)

"""`kill -9` of the worker while it writes an export: the file is whole, and nothing is in it twice."""

import io

import pytest

from app import db
from app.catalogue.exporting.selecting import ExportFilters
from app.catalogue.exporting.service import ExportFormat, export_file, request_export
from app.catalogue.importing.service import import_file
from app.jobs import queries
from app.jobs.models import JobStatus
from app.uploads import generated
from tests.factories import shop as shop_factory
from tests.faults.processes import ending, scheduler_process, until, worker_process

PRODUCTS = 700
CSV = "Handle,Title,Variant Price\n" + "".join(f"p{n},P{n},5\n" for n in range(PRODUCTS))


async def pieces() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM upload_chunks")
    return count


@pytest.mark.faults
async def test_a_killed_worker_s_export_goes_on_and_repeats_nothing(clean_database: None) -> None:
    await shop_factory.shop()
    await import_file(io.BytesIO(CSV.encode()))
    whole = io.BytesIO()
    await export_file(whole)
    job_id = await request_export(ExportFilters(), format=ExportFormat.SHOPIFY_CSV, created_by=None)
    begun = worker_process(at="app.catalogue.exporting.service:_begin", when="after")
    inside = worker_process(at="app.uploads.generated:append", when="after")
    between = worker_process(at="app.live:publish_soon")
    with ending(scheduler := scheduler_process(), begun, inside, between, healthy := worker_process()):
        scheduler.start()
        for victim, left in ((begun, 1), (inside, 1), (between, 2)):
            victim.start()
            victim.wait_until_dead(60)
            assert await pieces() == left
        healthy.start()

        async def finished() -> bool:
            job = await queries.load(job_id)
            return job is not None and job.is_over

        await until(finished, 60, "the export ends")
    job = await queries.load(job_id)
    assert job is not None
    assert (job.status, job.done, job.total) == (JobStatus.SUCCEEDED, PRODUCTS, PRODUCTS)
    file = await generated.made_by(job_id)
    content = b"".join([piece async for piece in generated.pieces(file.id)])
    assert content == whole.getvalue()
    assert await db.fetchval("SELECT count(*) FROM uploads") == 1

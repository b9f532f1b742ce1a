"""`kill -9` of the worker in the middle of an import, between two batches and inside one."""

import uuid

import pytest

from app import db
from app.catalogue.importing import service as importing
from app.jobs import queries
from app.jobs.models import JobStatus
from tests.factories import shop as shop_factory
from tests.faults.processes import ending, scheduler_process, until, worker_process

PRODUCTS = 1000
CSV = (
    "Handle,Title,Option1 Name,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
    + "".join(f"p{n},P{n},Size,S,shopify,5,{'5' if n % 10 else 'free'}\n" for n in range(PRODUCTS))
)


@pytest.mark.faults
async def test_a_killed_worker_s_import_goes_on_and_repeats_nothing(clean_database: None) -> None:
    await shop_factory.shop()
    job_id = await importing.request_import(
        csv=CSV, upload_id=None, encoding=None, overwrite_stock=False, staff_id=None, max_upload_bytes=10**6
    )
    between = worker_process(at="app.catalogue.importing.running:_Store._transaction", when="after")
    inside = worker_process(at="app.jobs.service:save_progress", when="after")
    with ending(scheduler := scheduler_process(), between, inside, healthy := worker_process()):
        scheduler.start()
        between.start()
        between.wait_until_dead(30)
        first = await done(job_id)
        assert 0 < first < PRODUCTS
        inside.start()
        inside.wait_until_dead(30)
        assert await done(job_id) == first, "the batch that it died in is rolled back"
        healthy.start()

        async def finished() -> bool:
            job = await queries.load(job_id)
            return job is not None and job.is_over

        await until(finished, 30, "the import ends")
    job = await queries.load(job_id)
    assert job is not None
    assert (job.status, job.done, job.problem_count) == (JobStatus.SUCCEEDED, PRODUCTS, PRODUCTS // 10)
    assert [problem.row for problem in job.problems] == [n + 2 for n in range(0, PRODUCTS, 10)]
    assert job.result is not None
    assert job.result["products"] == {"created": 900, "updated": 0, "unchanged": 0, "leftOut": 100}
    assert await db.fetchval("SELECT count(*) FROM products") == 900
    assert await db.fetchval("SELECT count(*) FROM product_variants") == 900
    assert await db.fetchval("SELECT sum(available_delta) FROM stock_movements") == 4500


async def done(job_id: uuid.UUID) -> int:
    rows: int = await db.fetchval("SELECT done FROM jobs WHERE id = $1", job_id)
    return rows

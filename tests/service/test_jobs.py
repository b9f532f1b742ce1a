"""A job that is interrupted, taken over, or cannot be done."""

import asyncio
import uuid
from typing import Any

import pytest

from app import db
from app.catalogue.importing import running
from app.catalogue.importing import service as importing
from app.jobs import queries, service
from app.jobs.models import JobStatus
from tests.factories import shop as shop_factory

ROWS = 60
CSV = (
    "Handle,Title,Option1 Name,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
    + "".join(f"p{n},P{n},Size,S,shopify,5,{'5' if n % 7 else 'free'}\n" for n in range(ROWS))
)
BAD_ROWS = [n + 2 for n in range(ROWS) if n % 7 == 0]


@pytest.fixture(autouse=True)
async def _small_batches(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MAX_BATCH_PRODUCTS", 10)
    await shop_factory.shop()


async def requested(csv: str = CSV) -> uuid.UUID:
    return await importing.request_import(
        csv=csv, upload_id=None, encoding=None, overwrite_stock=False, staff_id=None, max_upload_bytes=10**6
    )


async def outcome(job_id: uuid.UUID) -> dict[str, Any]:
    """Everything that an interruption could do twice or not at all."""
    job = await queries.load(job_id)
    assert job is not None
    return {
        "status": job.status,
        "done": job.done,
        "problems": [(problem.row, problem.column) for problem in job.problems],
        "problem_count": job.problem_count,
        "result": job.result,
        "products": await db.fetchval("SELECT count(*) FROM products"),
        "stock": await db.fetchval("SELECT sum(available) FROM stock_levels"),
        "movements": await db.fetchval("SELECT count(*) FROM stock_movements"),
    }


EXPECTED = {
    "status": JobStatus.SUCCEEDED,
    "done": ROWS,
    "problems": [(row, "Variant Price") for row in BAD_ROWS],
    "problem_count": len(BAD_ROWS),
    "products": ROWS - len(BAD_ROWS),
    "stock": (ROWS - len(BAD_ROWS)) * 5,
    "movements": ROWS - len(BAD_ROWS),
}


async def check(job_id: uuid.UUID) -> None:
    found = await outcome(job_id)
    result = found.pop("result")
    assert found == EXPECTED
    assert result["products"] == {
        "created": ROWS - len(BAD_ROWS),
        "updated": 0,
        "unchanged": 0,
        "leftOut": len(BAD_ROWS),
    }


@pytest.mark.parametrize("batches_before", [0, 1, 3, 5])
async def test_an_interrupted_import_goes_on_where_it_was(batches_before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await requested()
    real, calls = service.save_progress, 0

    async def interrupted(*args: Any, **kwargs: Any) -> None:
        nonlocal calls
        await real(*args, **kwargs)
        calls += 1
        if calls > batches_before:
            raise asyncio.CancelledError  # as when the worker is stopped: this batch is rolled back

    monkeypatch.setattr(service, "save_progress", interrupted)
    with pytest.raises(asyncio.CancelledError):
        await importing.run_import(job_id)
    monkeypatch.setattr(service, "save_progress", real)
    halfway = await outcome(job_id)
    assert (halfway["status"], halfway["done"]) == (JobStatus.RUNNING, batches_before * 10)
    await importing.run_import(job_id)
    await check(job_id)


async def test_a_finished_job_that_is_delivered_again_does_nothing() -> None:
    job_id = await requested()
    await importing.run_import(job_id)
    before = await outcome(job_id)
    await importing.run_import(job_id)
    assert await outcome(job_id) == before
    await check(job_id)


async def test_two_workers_at_one_job_do_its_work_once() -> None:
    """As when a worker is thought dead and goes on: whoever commits first goes on, the other one stops."""
    job_id = await requested()
    ends = await asyncio.gather(*(importing.run_import(job_id) for _ in range(3)), return_exceptions=True)
    # Those that were overtaken say so, and their event comes again later, should the other one have died.
    assert all(end is None or isinstance(end, service.Superseded) for end in ends)
    assert any(isinstance(end, service.Superseded) for end in ends)
    await importing.run_import(job_id)
    await check(job_id)


async def test_a_fault_of_ours_is_tried_again_and_closes_the_job_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await requested()

    async def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(running.storing, "write", broken)
    with pytest.raises(RuntimeError):
        await importing.run_import(job_id)
    assert (await outcome(job_id))["status"] is JobStatus.RUNNING
    with pytest.raises(RuntimeError):
        await importing.run_import(job_id, is_last_attempt=True)
    job = await queries.load(job_id)
    assert job is not None
    assert job.status is JobStatus.FAILED
    assert job.finished_at is not None
    assert "fault in the server" in job.problems[-1].message
    assert "fire" not in job.problems[-1].message
    assert await db.fetchval("SELECT count(*) FROM products") == 0


async def test_an_import_whose_file_is_gone_fails() -> None:
    job_id = await requested()
    await db.execute("DELETE FROM uploads")
    await importing.run_import(job_id)
    job = await queries.load(job_id)
    assert job is not None
    assert (job.status, job.problems[0].message) == (JobStatus.FAILED, "There is no such upload.")

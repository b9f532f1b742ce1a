"""PostgreSQL itself killed, again and again, while guests buy and a file is imported: what was told stays true."""

import asyncio
import time
from pathlib import Path

import pytest

from app import db, invariants
from app.catalogue.importing import service as importing
from app.jobs import queries
from app.jobs.models import JobStatus
from tests.faults.crowd import ENVIRONMENT, Crowd
from tests.faults.own_servers import Postgres, moved_to, postgres_on
from tests.faults.processes import ApiProcess, ending, scheduler_process, until, worker_process
from tests.faults.report import Figures
from tests.faults.shopping import open_shop

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("database")]

GUESTS = 40
SHOPPING_SECONDS = 8.0
KILLS = 3
PRODUCTS = 1_000
CSV = (
    "Handle,Title,Option1 Name,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
    + "".join(f"p{number},P{number},Size,S,shopify,5,5\n" for number in range(PRODUCTS))
)


async def test_postgresql_killed_in_the_middle_of_checkouts_and_of_jobs(
    tmp_path: Path, servers: tuple[str, str], figures: Figures
) -> None:
    with postgres_on(tmp_path / "postgres") as postgres:
        async with moved_to(postgres.url, servers[1]):
            variant = await open_shop(stock=GUESTS)
            api, worker, scheduler = ApiProcess(**ENVIRONMENT), worker_process(), scheduler_process()
            with ending(api, worker, scheduler):
                worker.start()
                scheduler.start()
                await api.open()
                job_id = await importing.request_import(
                    csv=CSV, upload_id=None, encoding=None, overwrite_stock=False, staff_id=None, max_upload_bytes=10**6
                )
                crowd = Crowd(variant, lambda: [api.url])
                shopping = asyncio.create_task(crowd.buy(GUESTS, within_seconds=SHOPPING_SECONDS))
                recovered = [await kill_and_wait_for_an_answer(postgres, crowd) for _ in range(KILLS)]
                await shopping

                async def all_is_done() -> bool:
                    job = await queries.load(job_id)
                    return job is not None and job.is_over and await everything_is_delivered()

                await until(all_is_done, 60, "the import ends, every confirmation is sent")
            lost, doubled = await crowd.lost_and_doubled()
            assert (lost, doubled) == (0, 0)
            assert await db.fetchval("SELECT count(*) FROM orders") == GUESTS
            assert await db.fetchval("SELECT count(DISTINCT recipient) FROM dev_messages") == GUESTS
            job = await queries.load(job_id)
            assert job is not None
            assert (job.status, job.done) == (JobStatus.SUCCEEDED, PRODUCTS)
            assert await db.fetchval("SELECT count(*) FROM products") == PRODUCTS + 1
            assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
            assert await invariants.check() == []
    assert crowd.unanswered, "nobody noticed the kills"
    assert "200 INTERNAL_SERVER_ERROR" not in crowd.unanswered, "an outage is told as what it is"
    figures(
        f"PostgreSQL killed {KILLS} times, {GUESTS} checkouts and an import under way",
        lost=lost,
        doubled=doubled,
        recovered_seconds=max(recovered),
        also=f"requests without an answer: {crowd.unanswered.total()}",
    )


async def kill_and_wait_for_an_answer(postgres: Postgres, crowd: Crowd) -> float:
    """Seconds from the kill to the next order; the server is started again after one."""
    await asyncio.sleep(1.5)
    postgres.kill()
    killed = time.monotonic()
    await asyncio.sleep(1)
    before = len(crowd.took)
    postgres.start()

    async def somebody_is_served() -> bool:
        return len(crowd.took) > before or len(crowd.took) == GUESTS

    await until(somebody_is_served, 20, "somebody buys again")
    return time.monotonic() - killed


async def everything_is_delivered() -> bool:
    undelivered: int = await db.fetchval("SELECT count(*) FROM events WHERE acknowledged_at IS NULL AND attempts > 0")
    confirmed: int = await db.fetchval("SELECT count(*) FROM dev_messages WHERE template = 'order_confirmation'")
    return undelivered == 0 and confirmed == await db.fetchval("SELECT count(*) FROM orders")

"""A deploy in the middle of business: API, worker and scheduler are told to stop, one after another, and replaced."""

import asyncio
import os
import signal
import time

import pytest

from app import db, invariants
from app.catalogue.importing import service as importing
from app.dev.ports import free_port
from app.jobs import queries
from app.jobs.models import JobStatus
from tests.faults.balancer import Balancer
from tests.faults.crowd import ENVIRONMENT, Crowd
from tests.faults.processes import Process, ending, until
from tests.faults.report import Figures
from tests.faults.shopping import open_shop

pytestmark = [pytest.mark.long, pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

COME_EVERY_SECONDS = 0.25
PRODUCTS = 1_500
CSV = (
    "Handle,Title,Option1 Name,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
    + "".join(f"p{number},P{number},Size,S,shopify,5,5\n" for number in range(PRODUCTS))
)
FEW_CONNECTIONS = {"DATABASE_POOL_MAX": "6"}
OPEN_SECONDS = 20.0
STOP_SECONDS = 20.0


class Api(Process):
    def __init__(self) -> None:
        self.port = free_port()
        # What counts is that the balancer asks more often than that, on a busy machine too.
        super().__init__(
            *("-m", "app.cli", "api", "--port", str(self.port)), DRAIN_SECONDS="4", **ENVIRONMENT, **FEW_CONNECTIONS
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def worker() -> Process:
    return Process("-m", "app.cli", "worker", "--processes", "1", **FEW_CONNECTIONS)


def scheduler() -> Process:
    return Process("-m", "app.cli", "scheduler", **FEW_CONNECTIONS)


def stopped(process: Process) -> int:
    """Told to stop as a service manager does it; its exit code."""
    os.kill(process.pid, signal.SIGTERM)
    return process.wait_until_dead(STOP_SECONDS)


async def test_a_deploy_costs_no_request_no_order_and_no_job(figures: Figures) -> None:
    variant = await open_shop(stock=5_000)
    old, new = [Api(), worker(), scheduler()], [Api(), worker(), scheduler()]
    balancer = Balancer()
    crowd = Crowd(variant, balancer.ready)
    over = asyncio.Event()
    with ending(*old, *new):
        async with balancer.asking():
            for process in old:
                process.start()
            balancer.add(old[0].url)
            await until(lambda: serves(balancer, old[0].url), OPEN_SECONDS, "the first API is ready")
            coming = asyncio.create_task(crowd.keep_coming(COME_EVERY_SECONDS, over))
            job_id = await importing.request_import(
                csv=CSV, upload_id=None, encoding=None, overwrite_stock=False, staff_id=None, max_upload_bytes=10**6
            )
            start = time.monotonic()
            new[0].start()
            balancer.add(new[0].url)
            await until(lambda: serves(balancer, new[0].url), OPEN_SECONDS, "the new API is ready")
            assert await asyncio.to_thread(stopped, old[0]) == -signal.SIGTERM, "uvicorn ends, and passes the signal on"
            balancer.remove(old[0].url)

            # The worker before its successor is there: its jobs wait, the one under way is begun anew or ended.
            assert await asyncio.to_thread(stopped, old[1]) == 0
            new[1].start()
            new[2].start()
            assert await asyncio.to_thread(stopped, old[2]) == 0
            await asyncio.sleep(1)
            over.set()
            await coming
            deployed = time.monotonic()

            async def all_is_done() -> bool:
                job = await queries.load(job_id)
                return job is not None and job.is_over and await everything_is_confirmed(len(crowd.guests))

            await until(all_is_done, 60, "the import ends, every confirmation is sent")
            recovered = time.monotonic() - deployed
    assert not crowd.unanswered, "a request failed"
    lost, doubled = await crowd.lost_and_doubled()
    doubled += await db.fetchval("SELECT coalesce(sum(deliveries - 1), 0)::int FROM dev_messages")
    assert (lost, doubled) == (0, 0)
    job = await queries.load(job_id)
    assert job is not None
    assert (job.status, job.done) == (JobStatus.SUCCEEDED, PRODUCTS)
    assert await db.fetchval("SELECT count(*) FROM products") == PRODUCTS + 1
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await invariants.check() == []
    figures(
        f"SIGTERM to API, worker and scheduler in turn, {len(crowd.guests)} guests meanwhile",
        lost=lost,
        doubled=doubled,
        recovered_seconds=recovered,
        also=f"failed requests: 0; the deploy took {deployed - start:.0f} s",
    )


async def serves(balancer: Balancer, url: str) -> bool:
    return url in balancer.ready()


async def everything_is_confirmed(orders: int) -> bool:
    sent: int = await db.fetchval(
        """
        SELECT count(*) FROM messages m JOIN dev_messages d ON d.recipient = m.recipient
        WHERE m.template = 'order_confirmation' AND m.state = 'SENT'
        """
    )
    return sent >= orders

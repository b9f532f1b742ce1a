"""PostgreSQL's disk is full: what cannot be written is refused cleanly, and all goes on once there is room again."""

import asyncio
import contextlib
import time
from pathlib import Path

import asyncpg
import httpx2
import pytest

from app import db, invariants
from app.dev.errors import DevelopmentError
from tests.faults.crowd import ENVIRONMENT, Crowd
from tests.faults.own_servers import Postgres, moved_to, postgres_on
from tests.faults.processes import ApiProcess, ending, scheduler_process, until, worker_process
from tests.faults.report import Figures
from tests.faults.shopping import open_shop
from tests.faults.small_disk import small_disk
from tests.patience import patience

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("database")]

MEGABYTES = 300
COME_EVERY_SECONDS = 0.25
FULL_SECONDS = 3.0
READING = {"query": "{ products(first: 3) { nodes { name } } }"}
CLEAN = {"200 SERVICE_UNAVAILABLE", "503 SERVICE_UNAVAILABLE", "200 TIMEOUT", "503 TIMEOUT"}
"""What a shopper may be told meanwhile; the API itself never goes away."""
FILL_THE_LOG = "SELECT pg_logical_emit_message(true, 'test', repeat('x', 1000000)) FROM generate_series(1, 100)"


async def test_a_full_disk_loses_nothing_and_heals_by_itself(
    tmp_path: Path, servers: tuple[str, str], figures: Figures
) -> None:
    with small_disk(tmp_path / "disk", MEGABYTES) as disk, postgres_on(disk.folder / "postgres") as postgres:
        async with moved_to(postgres.url, servers[1]):
            variant = await open_shop(stock=5_000)
            api, worker, scheduler = ApiProcess(**ENVIRONMENT), worker_process(), scheduler_process()
            over = asyncio.Event()
            crowd = Crowd(variant, lambda: [api.url])
            with ending(api, worker, scheduler):
                worker.start()
                scheduler.start()
                await api.open()
                coming = asyncio.create_task(crowd.keep_coming(COME_EVERY_SECONDS, over))
                await until(lambda: sold(crowd, 5), 20, "guests buy")

                disk.fill()
                await until(lambda: refused(crowd), 60, "there is no room for an order any more")
                async with httpx2.AsyncClient(timeout=patience(30)) as client:
                    read = (await client.post(f"{api.url}/graphql", json=READING)).json()
                assert read["data"]["products"]["nodes"], "what is there can be read"
                await asyncio.sleep(FULL_SECONDS)

                await fill_the_log(postgres)  # PostgreSQL itself cannot go on
                await asyncio.sleep(1)
                disk.free()
                freed = time.monotonic()
                before = len(crowd.took)
                await until(lambda: sold_again(postgres, crowd, before), 60, "guests buy again")
                recovered = time.monotonic() - freed
                over.set()
                await coming
                await until(lambda: everything_is_delivered(crowd), 60, "every confirmation is sent")
            lost, doubled = await crowd.lost_and_doubled()
            doubled += await db.fetchval("SELECT coalesce(sum(deliveries - 1), 0)::int FROM dev_messages")
            assert (lost, doubled) == (0, 0)
            assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
            assert await invariants.check() == []
    assert set(crowd.unanswered) <= CLEAN, crowd.unanswered
    figures(
        f"PostgreSQL's disk full for {FULL_SECONDS:.0f} s and more, {len(crowd.guests)} guests meanwhile",
        lost=lost,
        doubled=doubled,
        recovered_seconds=recovered,
        also=f"refused: {dict(crowd.unanswered)}",
    )


async def fill_the_log(postgres: Postgres) -> None:
    """Its write-ahead log takes what was set aside for it, until there is no more."""
    for _ in range(5):
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            connection = await asyncpg.connect(postgres.url, timeout=patience(5))
            try:
                await connection.execute(FILL_THE_LOG)
            finally:
                connection.terminate()


async def sold(crowd: Crowd, count: int) -> bool:
    return len(crowd.took) >= count


async def refused(crowd: Crowd) -> bool:
    return crowd.unanswered.total() > 0


async def sold_again(postgres: Postgres, crowd: Crowd, before: int) -> bool:
    if not postgres.is_alive:
        with contextlib.suppress(DevelopmentError):
            postgres.start()  # as a service manager does
    return len(crowd.took) > before


async def everything_is_delivered(crowd: Crowd) -> bool:
    undelivered: int = await db.fetchval("SELECT count(*) FROM events WHERE acknowledged_at IS NULL AND attempts > 0")
    sent: int = await db.fetchval("SELECT count(*) FROM dev_messages WHERE template = 'order_confirmation'")
    return undelivered == 0 and sent == len(crowd.guests)

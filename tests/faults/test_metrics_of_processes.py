"""Metrics of commands with several processes: one answer for all of them, and nothing left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import db, events
from app.dev.ports import LOOPBACK, free_port
from app.metrics import exposing
from app.settings import Settings
from tests.faults.processes import Process, ending, until
from tests.patience import patience
from workers.broker import build_broker
from workers.relay import Relay

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

TOKEN = "a-token-of-the-monitoring"


def scraped(port: int, token: str = TOKEN) -> dict[str, float]:
    """Sums over all labels but `state`."""
    request = urllib.request.Request(f"http://{LOOPBACK}:{port}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=patience(10)) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = f"{sample.name} {sample.labels['state']}" if "state" in sample.labels else sample.name
            found[name] = found.get(name, 0) + sample.value
    return found


async def test_a_workers_port_adds_up_its_processes(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    worker = Process(
        "-m", "app.cli", "worker", "--processes", "2", "--threads", "4",
        METRICS_PORT=str(port), METRICS_TOKEN=TOKEN, DATABASE_POOL_MAX="3", TMPDIR=str(tmp_path),
    )  # fmt: skip
    relay = Relay(build_broker(settings))
    relay.start()
    events.set_publisher(relay.publish)
    try:
        with ending(worker):
            worker.start()
            async with db.unit_of_work():
                for _ in range(30):
                    await events.record("test.nobody_listens")

            async def all_counted() -> bool:
                try:
                    return scraped(port).get("tradewind_worker_jobs_total", 0) == 30
                except OSError:
                    return False

            await until(all_counted, patience(30), "the jobs of both processes are counted")
            with pytest.raises(urllib.error.HTTPError, match="401"):
                scraped(port, "wrong")
            assert scraped(port)["tradewind_database_connections max"] in (3, 6), "of those that have begun to sample"
            os.kill(worker.pid, signal.SIGTERM)
            worker.wait_until_dead(patience(30))
    finally:
        events.set_publisher(None)
        relay.stop()
    assert list(tmp_path.glob("tradewind-metrics-*")) == []


async def test_the_schedulers_port_tells_of_the_whole_shop() -> None:
    port = free_port()
    scheduler = Process("-m", "workers.scheduler", METRICS_PORT=str(port))
    with ending(scheduler):
        scheduler.start()

        async def ticks() -> bool:
            try:
                return scraped(port).get("tradewind_scheduler_ticks_total", 0) > 0
            except OSError:
                return False

        await until(ticks, patience(30), "the scheduler shows its metrics")
        found = scraped(port)
        assert found["tradewind_dead_letters_open"] == 0
        assert found["tradewind_shop_readable"] == 2
        assert found["tradewind_upkeep_age_seconds"] < patience(30)


async def test_an_api_with_several_processes_gives_one_answer(tmp_path: Path) -> None:
    port = free_port()
    arguments = ("-m", "app.cli", "api", "--port", str(port), "--workers", "2")
    api = Process(*arguments, METRICS_TOKEN=TOKEN, TMPDIR=str(tmp_path))
    with ending(api):
        api.start()

        async def is_there() -> bool:
            try:
                async with httpx2.AsyncClient(timeout=patience(5)) as client:
                    return (await client.get(f"http://{LOOPBACK}:{port}/health/live")).status_code == 200
            except httpx2.TransportError:
                return False

        await until(is_there, patience(30), "the API is there")
        for _ in range(20):
            # Each over a connection of its own: some to either process.
            async with httpx2.AsyncClient(timeout=patience(5)) as client:
                await client.post(f"http://{LOOPBACK}:{port}/graphql", json={"query": "{ __typename }"})
        assert scraped(port)["tradewind_requests_total"] == 20
        assert scraped(port)["tradewind_requests_total"] == 20


def test_folders_of_killed_commands_are_swept_and_those_of_living_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(exposing.FOLDER_VARIABLE, raising=False)
    killed = "import os, signal; from app.metrics import exposing\n" \
        "with exposing.shared_by_processes(): os.kill(os.getpid(), signal.SIGKILL)"  # fmt: skip
    subprocess.run([sys.executable, "-c", killed], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    (left,) = tmp_path.glob("tradewind-metrics-*")
    with exposing.shared_by_processes():
        assert not left.exists()
        (mine,) = tmp_path.glob("tradewind-metrics-*")
        exposing._sweep(tmp_path)
        assert mine.exists()
    assert list(tmp_path.glob("tradewind-metrics-*")) == []

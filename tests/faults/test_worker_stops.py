"""`tradewind worker` stops cleanly however it is told to, and an API with several processes leaves none behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.dev.ports import free_port
from tests.faults.dev_shop import GONE_SECONDS, until
from tests.patience import patience

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
    pytest.mark.usefixtures("database"),
]

START_SECONDS = 10.0


@contextmanager
def running(log: Path, ready: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a session of its own, once it has said that it is ready."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.cli", *arguments],
            env={**os.environ, "LOG_LEVEL": "INFO"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: ready in log.read_text() or process.poll() is not None, START_SECONDS, ready)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        for pid in in_session(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def in_session(session: int) -> list[int]:
    """Living processes of a session; what is dead and waits to be noticed does not count."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, of_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(of_session) == session and state != "Z":
                found.append(int(folder.name))
    return found


def test_a_worker_told_twice_to_stop_stops_cleanly(tmp_path: Path) -> None:
    """systemd signals every process of a service: each worker hears it from there and from its master."""
    options = ("--processes", "1", "--threads", "2")
    with running(tmp_path / "log", "Worker process is ready", "worker", *options) as worker:
        os.killpg(worker.pid, signal.SIGTERM)
        assert worker.wait(patience(GONE_SECONDS)) == 0, (tmp_path / "log").read_text()
        assert in_session(worker.pid) == []
        assert "Worker has been shut down." in (tmp_path / "log").read_text()


def test_an_api_killed_takes_its_processes_with_it(tmp_path: Path) -> None:
    port = str(free_port())
    with running(tmp_path / "log", "startup complete", "api", "--workers", "2", "--port", port) as api:
        assert len(in_session(api.pid)) >= 3
        api.kill()
        until(lambda: not in_session(api.pid), GONE_SECONDS, "its server processes end")


def test_a_worker_that_cannot_reach_its_database_ends(tmp_path: Path) -> None:
    """For whatever started it to start it again: one that stayed would look alive and do nothing."""
    log = tmp_path / "worker.log"
    nowhere = f"postgres://shop:shop@127.0.0.1:{free_port()}/shop"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.cli", "worker", "--processes", "2"],
            env={**os.environ, "LOG_LEVEL": "INFO", "DATABASE_URL": nowhere},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        assert process.wait(patience(START_SECONDS)) != 0
        until(lambda: not in_session(process.pid), GONE_SECONDS, "its processes to end")
    finally:
        for pid in in_session(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()
    assert "the worker cannot start" in log.read_text()

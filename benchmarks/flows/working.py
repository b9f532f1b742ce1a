"""Worker processes, started with the options that production starts them with."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

THREADS = 32
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Workers:
    pid: int
    """Of the process that started them."""

    @property
    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, children.split())]

    def cpu_seconds(self) -> float:
        total = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


@contextmanager
def shop_workers(environment: Mapping[str, str], processes: int) -> Iterator[Workers]:
    command = [sys.executable, "-m", "app.cli", "worker", "--processes", str(processes), "--threads", str(THREADS)]
    with _running(command, environment) as workers:
        yield workers


@contextmanager
def bare_workers(environment: Mapping[str, str], processes: int) -> Iterator[Workers]:
    options = ["--processes", str(processes), "--threads", str(THREADS), "--skip-logging"]
    command = [sys.executable, "-m", "dramatiq", "benchmarks.flows.bare:set_up", *options]
    with _running(command, {**environment, "dramatiq_worker_timeout": "100"}) as workers:
        yield workers


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[Workers]:
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        time.sleep(0.5)
        if process.poll() is not None:
            raise RuntimeError(f"{command[2:4]} did not start")
        yield Workers(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

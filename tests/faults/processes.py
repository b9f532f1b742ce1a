"""The shop's processes, real ones, on the test run's servers: to be killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from app.dev.ports import free_port
from tests.faults import forking
from tests.faults.forking import Forked
from tests.patience import patience

START_SECONDS = patience(20)
CRASHING = ("-m", "tests.faults.crashing")


class Process:
    """One process, started from the command line in its own session."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.arguments = arguments
        self.environment = environment
        self._process: subprocess.Popen[bytes] | Forked | None = None

    def start(self) -> None:
        environment = {**os.environ, "LOG_LEVEL": "ERROR", "dramatiq_worker_timeout": "100", **self.environment}
        if self.arguments[:2] == CRASHING and forking.IS_POSSIBLE:
            self._process = Forked(self.arguments[2:], environment)
        else:
            self._process = subprocess.Popen([sys.executable, *self.arguments], env=environment, start_new_session=True)

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL to the process and all that it started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait_until_dead(self, seconds: float = 20.0) -> int:
        """Its exit code, where this process is the parent."""
        assert self._process is not None
        return self._process.wait(patience(seconds))


class ApiProcess(Process):
    def __init__(self, *, at: str | None = None, when: str = "before", **environment: str) -> None:
        self.port = free_port()
        armed = ["--at", at, "--when", when] if at else []
        super().__init__(*CRASHING, "api", "--port", str(self.port), *armed, **environment)

    async def open(self) -> None:
        self.start()
        async with httpx2.AsyncClient(timeout=patience(5)) as client:
            deadline = time.monotonic() + START_SECONDS
            while True:
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get(f"{self.url}/health/live")).status_code == 200:
                        return
                assert self.is_alive, "the API ended at its start"
                assert time.monotonic() < deadline, "the API did not start"
                await asyncio.sleep(0.05)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def post(
        self, document: str, variables: dict[str, Any] | None = None, **headers: str
    ) -> dict[str, Any] | None:
        """The response's body, or None when the connection broke: what a shopper sees of a crash."""
        try:
            async with httpx2.AsyncClient(timeout=patience(30)) as client:
                response = await client.post(
                    f"{self.url}/graphql", json={"query": document, "variables": variables or {}}, headers=headers
                )
        except httpx2.TransportError:
            return None
        body: dict[str, Any] = response.json()
        return body


def worker_process(*, at: str | None = None, when: str = "before", once: Path | None = None) -> Process:
    armed = ["--at", at, "--when", when] if at else []
    remembered = ["--once", str(once)] if once else []
    return Process(*CRASHING, "worker", *armed, *remembered)


def scheduler_process() -> Process:
    return Process(*CRASHING, "scheduler")


@contextmanager
def ending(*processes: Process) -> Iterator[None]:
    """Whatever happens, none of them outlives the block."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()


async def until(condition: Callable[[], Awaitable[Any]], seconds: float, what: str) -> float:
    """Wait for it; the seconds that it took. `seconds` is the most that it takes on an idle machine."""
    start = time.monotonic()
    while not await condition():
        assert time.monotonic() - start < patience(seconds), f"not within {patience(seconds):.0f} s: {what}"
        await asyncio.sleep(0.05)
    return time.monotonic() - start

"""`tradewind api` as a process of its own, on the test run's database."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from app.dev.ports import free_port
from tests.patience import patience

START_SECONDS = patience(20)


class LiveServer:
    def __init__(self, *, log: Path | None = None, **environment: str) -> None:
        """`log` takes what the server writes; otherwise it is the test run's own output."""
        self.port = free_port()
        self.log = log
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        with self.log.open("wb") if self.log else contextlib.nullcontext() as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "api", "--port", str(self.port)],
                env={**os.environ, "LOG_LEVEL": "ERROR", "PUBLIC_URL": self.url, **self.environment},
                stderr=log,
            )
        try:
            self._wait_until_it_answers(self._process)
        except BaseException:
            self._process.kill()
            raise
        return self

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{self.url}/health/live", timeout=patience(5)).status_code == 200:
                    return
            assert process.poll() is None, "the API ended at its start"
            assert time.monotonic() < deadline, "the API did not start"
            time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(seconds)

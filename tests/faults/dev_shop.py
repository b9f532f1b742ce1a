"""A whole `tradewind dev` in a process of its own, for tests that take it apart."""

import contextlib
import fcntl
import http.client
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.dev import processes
from app.dev.ports import LOOPBACK, free_port
from tests.environment import AS_VARIABLES
from tests.patience import patience

_MARK = "TRADEWIND_TEST_SHOP"
_CONFIGURATION = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "SECRET_KEYS", "PUBLIC_URL", "TRADEWIND_ENV")
OPEN_SECONDS = 30.0
GONE_SECONDS = 8.0


def until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for it. `seconds` is the most that it takes on an idle machine."""
    deadline = time.monotonic() + patience(seconds)
    while not true():
        assert time.monotonic() < deadline, f"not within {patience(seconds):.0f} s: {what}"
        time.sleep(0.05)


class DevShop:
    """`tradewind dev` on one folder and port. Every process that comes of it carries a mark in its environment."""

    def __init__(self, folder: Path, user: processes.User | None) -> None:
        self.folder = folder
        self.port = free_port()
        self._user = user
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        self._output = folder.parent / f"{folder.name}.log"

    def command(self, folder: Path | None = None, port: int | None = None) -> list[str]:
        command = [sys.executable, "-P", "-m", "app.cli", "dev"]
        command += ["--port", str(port or self.port), "--data", str(folder or self.folder)]
        reach = (Path(sys.prefix) / "bin", Path(sys.base_prefix) / "bin", self.folder)
        return processes.launch_command(command, user=self._user, reach=reach)

    def start(self) -> None:
        with self._output.open("wb") as output:
            self._process = self._started(stdin=subprocess.DEVNULL, stdout=output)

    def start_in_window(self) -> "Window":
        outside, inside = pty.openpty()
        self._process = self._started(
            stdin=inside, stdout=inside, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        )
        os.close(inside)
        return Window(outside)

    def _started(self, **how: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(),
            env=self._environment(),
            cwd=self.folder.parent,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **how,
        )

    def open(self) -> None:
        self.start()
        until(lambda: self.said("Tradewind is open") or self.has_ended(), OPEN_SECONDS, "open")
        assert not self.has_ended(), self._output.read_text()

    def refused(self, **changed: object) -> str:
        """What a start with another folder or port says; it must end with exit code 1."""
        answer = subprocess.run(
            self.command(**changed),  # type: ignore[arg-type]
            env=self._environment(),
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience(OPEN_SECONDS),
        )
        assert answer.returncode == 1, answer
        assert "Traceback" not in answer.stderr
        return " ".join(answer.stderr.split())

    def said(self, text: str) -> bool:
        return self._output.exists() and text in self._output.read_text(errors="replace")

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait_for_end(self) -> int:
        assert self._process is not None
        return self._process.wait(patience(GONE_SECONDS))

    def is_served(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=patience(2))
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def settings(self) -> dict[str, str]:
        lines = (self.folder / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def processes(self) -> dict[int, str]:
        """Every living process that came of this shop: number and command line.

        The databases write their titles over the mark, but they work inside the shop's folder.
        """
        mark = f"{_MARK}={self._mark}".encode()
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                marked = mark in (folder / "environ").read_bytes().split(b"\0")
                if marked or (folder / "cwd").readlink().is_relative_to(self.folder):
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    found[int(folder.name)] = b" ".join(words).decode().strip()
            except OSError:  # ended meanwhile, or somebody else's
                continue
        return found

    def part(self, name: str) -> int | None:
        """The process that the supervisor started for this part."""
        for pid, command in self.processes().items():
            if name in command and _parent(pid) == self.pid and "launch.py" not in command:
                return pid
        return None

    def end_by_force(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):  # it fell with its parent
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _CONFIGURATION}
        return {**kept, **AS_VARIABLES, _MARK: self._mark}


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


class Window:
    """A terminal window: shows what comes until it is closed."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._closing.is_set():
            if select.select([self._terminal], [], [], 0.05)[0]:
                try:
                    os.read(self._terminal, 4096)
                except OSError:  # the program has ended
                    return

    def close(self) -> None:
        """The kernel sends SIGHUP to what runs in it."""
        self._closing.set()
        self._reader.join()
        os.close(self._terminal)

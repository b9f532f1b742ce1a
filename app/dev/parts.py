"""One part of the development shop: a process that has to run all the time."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from app.dev import processes
from app.dev.errors import DevelopmentError

_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_STEADY_SECONDS = 20.0

Say = Callable[[str, str], None]
"""Shows a line, given who says it."""


class Part:
    """Keeps one process running. `start_process` blocks until it is of use, or raises DevelopmentError."""

    def __init__(
        self,
        name: str,
        start_process: Callable[[], subprocess.Popen[bytes]],
        say: Say,
        stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,),
    ) -> None:
        self.name = name
        self._start_process = start_process
        self._say = say
        self.stop_signals = stop_signals
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failures = 0
        self._next_try = 0.0

    @property
    def failures(self) -> int:
        """How many times in a row it ended soon after its start."""
        return self._failures

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self._process = self._start_process()
        self._started = time.monotonic()

    def look_after(self) -> None:
        """Starts it again when it has ended: at once the first time, then after longer and longer pauses."""
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._note_end(self._process)
        if time.monotonic() < self._next_try:
            return
        try:
            self.start()
        except DevelopmentError as error:
            self._say(self.name, str(error))
            self._fail()

    def _note_end(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        processes.release(process.pid)
        # What a killed process started itself would go on without it.
        processes.kill_group(process.pid)
        if time.monotonic() - self._started > _STEADY_SECONDS:
            self._failures = 0
        how = _how_it_ended(process.returncode)
        self._fail()
        self._say(self.name, f"{how}; starting it again")

    def _fail(self) -> None:
        self._next_try = time.monotonic() + _PAUSES_SECONDS[min(self._failures, len(_PAUSES_SECONDS) - 1)]
        self._failures += 1

    def ask_to_stop(self, step: int = 0) -> None:
        """Sends the signal of this step; past the last one, kills the process and what it started."""
        if self._process is None or self._process.poll() is not None:
            return
        if step < len(self.stop_signals):
            self._process.send_signal(self.stop_signals[step])
        else:
            processes.kill_group(self._process.pid)


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def start_with_output(
    command: Sequence[str], environment: Mapping[str, str], name: str, say: Say
) -> subprocess.Popen[bytes]:
    """Starts a process whose output is shown line by line under its name."""
    process = processes.start(command, env=environment, output=subprocess.PIPE)
    if process.stdout is not None:
        threading.Thread(target=_relay, args=(process.stdout, name, say), daemon=True).start()
    return process


def _relay(stream: IO[bytes], name: str, say: Say) -> None:
    with stream:
        for line in stream:
            say(name, line.decode(errors="replace").rstrip())

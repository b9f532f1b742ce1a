"""Two schedulers and four workers, processes of their own on the test run's servers."""

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.processes import CRASHING, START_SECONDS, Process

SCHEDULERS = ("workers.relay:Relay.publish_now before", None)
WORKERS = (
    "app.flows.runs:begin after",
    "app.flows.runs:move after",
    "app.events.delivery:_run after",
    "app.messaging.dev_inbox:DevEmailTransport.send before",
)
"""Where each dies once it is told to: a scheduler after its timers fired; workers after they enrolled somebody and
after a step, both uncommitted, between a commit and its acknowledgement, and between a claim and its sending."""
FEW_CONNECTIONS = "6"
"""Of each: all of them, and those that come and die, share one small server."""


class Crew:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready: list[Path] = []
        self._armed = folder / "armed"
        self.schedulers = [self._process("scheduler", dies) for dies in SCHEDULERS]
        self.workers = [self._process("worker", dies) for dies in WORKERS]

    @property
    def processes(self) -> list[Process]:
        return [*self.schedulers, *self.workers]

    @property
    def mortal(self) -> list[Process]:
        """Those that die once they are told to."""
        return [self.schedulers[0], *self.workers]

    def _process(self, part: str, dies: str | None) -> Process:
        ready = self._folder / f"{part}-{len(self._ready)}"
        self._ready.append(ready)
        at, when = dies.split() if dies else (None, None)
        armed = ["--at", at, "--when", when, "--armed", str(self._armed)] if at and when else []
        command = (*CRASHING, part, "--ready", str(ready), *armed)
        return Process(*command, DATABASE_POOL_MAX=FEW_CONNECTIONS)

    def open(self) -> None:
        for process in self.processes:
            process.start()
        self._wait_until_ready()

    def tell_to_die(self) -> None:
        """Each by SIGKILL, the next time it comes to its own line."""
        self._armed.touch()

    def start_another_worker(self) -> None:
        self.workers.append(self._process("worker", None))
        self.workers[-1].start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 2 * START_SECONDS
        while not all(ready.exists() for ready in self._ready):
            assert all(process.is_alive for process in self.processes), "one of the crew ended at its start"
            assert time.monotonic() < deadline, "the crew is not ready"
            time.sleep(0.05)

    @contextmanager
    def workers_held(self) -> Iterator[None]:
        """They neither work nor die, as a machine that swaps."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self.workers:
            os.killpg(worker.pid, number)

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


@contextmanager
def crew() -> Iterator[Crew]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Crew(Path(folder))
        try:
            opened.open()
            yield opened
        finally:
            opened.close()

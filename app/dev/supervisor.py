"""`tradewind dev`: databases and the shop's own processes, started together, kept running, stopped together."""

import contextlib
import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from app.dev import environment, processes
from app.dev.errors import DevelopmentError
from app.dev.folder import exclusive, refuse_somebody_elses
from app.dev.parts import Part, start_with_output
from app.dev.ports import LOOPBACK, free_port, is_free
from app.dev.postgres import PostgresServer
from app.dev.terminal import Terminal
from app.dev.valkey import ValkeyServer

_LOOK_SECONDS = 0.05
_STOP_STEP_SECONDS = 4.0
_API_START_SECONDS = 300.0  # on a machine at work on something else; a part that fails says so long before
_ANSWER_SECONDS = 2.0
_TRIES_BEFORE_FIRST_SUCCESS = 3
_READY_PATH = "/health/ready"
_FIRST_OPEN_PORT = 1024

# How much of a developer's machine the shop takes.
_WORKER_OPTIONS = ("--processes", "1", "--threads", "16", "--shutdown-seconds", "2")
_API_OPTIONS = ("--shutdown-seconds", "1")


class _Stopped(Exception):  # noqa: N818  # not an error: the developer changed their mind during the start
    pass


class Supervisor:
    """Runs the shop on one folder and one port until it is told to stop."""

    def __init__(self, folder: Path, port: int, terminal: Terminal) -> None:
        self._folder = folder.absolute()
        self._port = port
        self._terminal = terminal
        self._databases: list[Part] = []
        self._shop: list[Part] = []
        self._stop_requested = threading.Event()
        self._hurry = threading.Event()
        self._held = contextlib.ExitStack()

    def run(self) -> None:
        """Returns when it was told to stop (SIGINT, SIGTERM, SIGHUP) and everything has ended.

        Raises:
            DevelopmentError: the shop cannot start; says why. Nothing is left running then either.
        """
        refuse_somebody_elses(self._folder)
        with _signals(self._on_signal), self._held, exclusive(self._folder):
            (self._folder / ".gitignore").write_text("*\n")
            if os.geteuid() == 0:
                # PostgreSQL's user has to pass through; it can read nothing on the way.
                self._folder.chmod(0o711)
            self._check_port()
            try:
                self._start()
                while not self._stop_requested.is_set():
                    self._look_after_all()
                    time.sleep(_LOOK_SECONDS)
            except _Stopped:
                pass
            finally:
                self._stop()

    def _look_after_all(self) -> None:
        for part in (*self._databases, *self._shop):
            part.look_after()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop_requested.is_set():
            self._hurry.set()
        self._stop_requested.set()

    def _check_port(self) -> None:
        if is_free(self._port):
            return
        if self._port < _FIRST_OPEN_PORT and os.geteuid() != 0:
            raise DevelopmentError(f"Port {self._port} is for root alone. Choose another with --port.")
        raise DevelopmentError(
            f"Port {self._port} is taken by another program. "
            f"Stop that one, or choose another port: --port {free_port(self._port + 1)}"
        )

    # --- starting ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        began = time.monotonic()
        configuration = environment.given()
        database_url = configuration.get("DATABASE_URL") or ""
        redis_url = configuration.get("REDIS_URL") or ""
        if database_url:
            environment.refuse_a_real_shop(configuration)
        else:
            database_url = self._serve(PostgresServer(self._folder / "postgres"), self._folder / "postgres")
        redis_url = redis_url or self._serve(ValkeyServer(self._folder / "valkey"), self._folder / "valkey")
        settings = environment.children_environment(self._folder, self._port, database_url, redis_url, configuration)
        environment.write_environment(self._folder, settings)
        children = {**os.environ, **settings, "PYTHONUNBUFFERED": "1"}
        # Where it is set, every start would compile every module again: twice the time.
        children.pop("PYTHONDONTWRITEBYTECODE", None)
        # The API imports its modules while the database is brought up to date: it is not ready before.
        self._start_part("api", ("api", "--port", str(self._port), *_API_OPTIONS), children)
        self._prepare(children)
        self._start_part("worker", ("worker", *_WORKER_OPTIONS), children)
        self._start_part("scheduler", ("scheduler",), children)
        self._wait_for_api()
        self._terminal.welcome(self._port, self._folder, time.monotonic() - began)

    def _go_on(self) -> None:
        if self._stop_requested.is_set():
            raise _Stopped

    def _serve(self, server: PostgresServer | ValkeyServer, folder: Path) -> str:
        """Starts a database and returns its URL."""
        self._go_on()
        self._held.enter_context(exclusive(folder))
        part = Part(
            server.name,
            lambda: server.start(self._stop_requested.is_set),
            self._terminal.say,
            server.stop_signals,
        )
        self._databases.append(part)
        try:
            server.prepare()
            part.start()
        except DevelopmentError:
            self._go_on()  # it was given up because we were told to stop
            raise
        return server.url

    def _prepare(self, children: Mapping[str, str]) -> None:
        """Migrates, and fills an empty shop."""
        self._go_on()
        process = start_with_output(
            [sys.executable, "-P", "-m", "app.dev.prepare"], children, "prepare", self._terminal.say
        )
        try:
            while process.poll() is None:
                self._go_on()
                self._look_after_all()
                time.sleep(_LOOK_SECONDS)
        finally:
            processes.stop(process, signal.SIGTERM, patience_seconds=1.0)
        if process.returncode != 0:
            raise DevelopmentError("The database could not be prepared; the reason is above.")

    def _start_part(self, name: str, arguments: tuple[str, ...], children: Mapping[str, str]) -> None:
        self._go_on()
        command = [sys.executable, "-P", "-m", "app.cli", *arguments]
        part = Part(name, lambda: start_with_output(command, children, name, self._terminal.say), self._terminal.say)
        self._shop.append(part)
        part.start()

    def _wait_for_api(self) -> None:
        deadline = time.monotonic() + _API_START_SECONDS
        while not self._api_is_ready():
            self._go_on()
            self._look_after_all()
            for part in self._shop:
                if part.failures >= _TRIES_BEFORE_FIRST_SUCCESS:
                    raise DevelopmentError(f"The {part.name} does not start; the reason is above.")
            if time.monotonic() > deadline:
                raise DevelopmentError(f"The API is not ready after {_API_START_SECONDS:.0f} seconds.")
            time.sleep(_LOOK_SECONDS)

    def _api_is_ready(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", _READY_PATH)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    # --- stopping ------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """The shop first, while its databases can still take what it finishes."""
        if not any(part.is_running for part in (*self._databases, *self._shop)):
            return
        self._terminal.stopping()
        for parts in (self._shop, self._databases):
            self._stop_all(parts)
        self._terminal.stopped(self._folder)

    def _stop_all(self, parts: list[Part]) -> None:
        step = 1 if self._hurry.is_set() else 0
        while any(part.is_running for part in parts):
            for part in parts:
                part.ask_to_stop(step)
            deadline = time.monotonic() + _STOP_STEP_SECONDS
            while any(part.is_running for part in parts) and time.monotonic() < deadline:
                if self._hurry.is_set() and step == 0:
                    break
                time.sleep(_LOOK_SECONDS / 2)
            step += 1


@contextlib.contextmanager
def _signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """`handler` gets what a terminal, an init system or a closing window sends."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)

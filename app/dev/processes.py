"""Child processes that never outlive us."""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.dev.errors import DevelopmentError

_HERE = Path(__file__).parent
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class User:
    """An ordinary user that a server runs as when we are root."""

    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Whether every folder above `path` lets this user through, by their permission bits."""
        return all(self._may_search(folder) for folder in path.resolve().parents)

    def _may_search(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def ordinary_user() -> User:
    """Somebody to be instead of root: PostgreSQL refuses to run as root.

    Raises:
        DevelopmentError: this machine has no user but root.
    """
    entries = sorted(pwd.getpwall(), key=lambda entry: (entry.pw_name != "nobody", entry.pw_uid))
    for entry in entries:
        if entry.pw_uid != 0:
            return User(entry.pw_uid, entry.pw_gid)
    raise DevelopmentError(
        "PostgreSQL does not run as root, and this machine has no other user. "
        "Add one (useradd tradewind), or set DATABASE_URL to a development database that runs already."
    )


def launch_command(
    command: Sequence[str],
    *,
    user: User | None = None,
    reach: Sequence[Path] = (),
    death_signal: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """`command` wrapped so that it dies with this process, run as `user`, who has to get to `reach`."""
    who = "-"
    if user is not None:
        who = f"{user.uid}:{user.gid}"
        if not all(user.can_reach(path) for path in (Path(command[0]), *reach)):
            who += ":reach"
    launcher = [sys.executable, "-I", "-S", str(_HERE / "launch.py")]
    return [*launcher, str(os.getpid()), str(int(death_signal)), who, *command]


def start(
    command: Sequence[str],
    *,
    user: User | None = None,
    reach: Sequence[Path] = (),
    death_signal: signal.Signals = signal.SIGKILL,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a process that gets `death_signal` when this one dies.

    Call it from the main thread: Linux watches the thread that started the child, not the process. The child
    leads a session of its own, so that Ctrl-C reaches the supervisor alone, which then stops things in order.
    """
    process = subprocess.Popen(
        launch_command(command, user=user, reach=reach, death_signal=death_signal),
        env=None if env is None else dict(env),
        stdin=stdin,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
    )
    guard(process.pid, death_signal)
    return process


_watchdog: subprocess.Popen[bytes] | None = None


def guard(pid: int, death_signal: signal.Signals) -> None:
    """Tells the watchdog to end `pid` after us. On Linux the kernel does it: see `launch.die_with_parent`."""
    if sys.platform != "linux":
        _start_watchdog()
        _tell_watchdog(f"+{pid} {int(death_signal)}\n")


def _start_watchdog() -> None:
    global _watchdog
    if _watchdog is None or _watchdog.poll() is not None:
        _watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_HERE / "watchdog.py")],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )


def release(pid: int) -> None:
    """Tells the watchdog that `pid` has ended."""
    _tell_watchdog(f"-{pid}\n")


def _tell_watchdog(line: str) -> None:
    if _watchdog is not None and _watchdog.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            _watchdog.stdin.write(line.encode())
            _watchdog.stdin.flush()


def wait_until_ready(
    process: subprocess.Popen[bytes],
    ready: Callable[[], bool],
    timeout_seconds: float,
    give_up: Callable[[], bool] = lambda: False,
) -> bool:
    """True once `ready()` is; False when the process ended first, the time is over or `give_up()` says so."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline and not give_up():
        if ready():
            return True
        if process.poll() is not None:
            return False
        time.sleep(_POLL_SECONDS)
    return False


def stop(process: subprocess.Popen[bytes], *signals: signal.Signals, patience_seconds: float = 5.0) -> None:
    """Sends each signal in turn, then SIGKILL to the whole group, waiting `patience_seconds` after each."""
    for wanted in signals:
        if process.poll() is not None:
            break
        process.send_signal(wanted)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_seconds)
    if process.poll() is None:
        kill_group(process.pid)
        process.wait()
    release(process.pid)


def kill_group(pid: int) -> None:
    """Kills a process that we started, and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or on macOS a zombie
        os.killpg(pid, signal.SIGKILL)


def program_name(pid: int) -> str:
    """The name of the program that runs as `pid`; empty when nothing does, or only its unreaped remains.

    Those stay for good where nothing reaps them, as in a container whose first process is not an init.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return "" if sys.platform == "linux" else _program_name_by_ps(pid)
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return "" if rest.split()[0] == "Z" else name


def _program_name_by_ps(pid: int) -> str:
    answer = subprocess.run(["ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, command = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else Path(command.strip()).name

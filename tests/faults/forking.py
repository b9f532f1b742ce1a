"""One process that has loaded the whole application forks those that tests let die: in milliseconds, not in seconds.

    python -m tests.faults.forking 7

It reads a request a line from the socket of that number, and answers each with the new process's number. Only for
`tests.faults.crashing`; what the tests say about commands goes through the commands.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

LOADED = ("app.main", "uvicorn", "uvloop", "workers.scheduler", "workers.actors", "workers.subscriptions")
IS_POSSIBLE = hasattr(os, "pidfd_open")
"""Linux alone: elsewhere processes that have loaded much do not outlive a fork for sure."""

# --- the test's side --------------------------------------------------------------------------------------------------

_server: socket.socket | None = None


class Forked:
    """What `subprocess.Popen` would give, as far as tests of faults ask for it."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        server = _running()
        request = {"arguments": arguments, "environment": environment}
        server.sendall(json.dumps(request).encode() + b"\n")
        self.pid = int(server.recv(32))
        self._handle: int | None = None
        with contextlib.suppress(ProcessLookupError):
            self._handle = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        return 0 if self._is_over(0) else None

    def wait(self, timeout: float | None = None) -> int:
        if not self._is_over(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return 0

    def _is_over(self, seconds: float | None) -> bool:
        if self._handle is None:
            return True
        if not select.select([self._handle], [], [], seconds)[0]:
            return False
        os.close(self._handle)
        self._handle = None
        return True


def _running() -> socket.socket:
    global _server
    if _server is None:
        _server, theirs = socket.socketpair()
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forking", str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        theirs.close()
    return _server


# --- its own side -----------------------------------------------------------------------------------------------------


def main() -> None:
    client = socket.socket(fileno=int(sys.argv[1]))
    for name in LOADED:
        importlib.import_module(name)
    importlib.import_module("workers.subscriptions").load()
    crashing = importlib.import_module("tests.faults.crashing")
    assert threading.active_count() == 1, "a thread would not come along"
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for exit codes
    for line in client.makefile("rb"):
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            client.close()
            _become(request)
            crashing.main()
            sys.exit()
        _give_group(pid)
        client.sendall(str(pid).encode())


def _give_group(pid: int) -> None:
    """A process group of its own. The parent and the child both see to it: the parent, so that whoever hears of the
    child can kill its group at once; the child, so that all that it starts is in it."""
    with contextlib.suppress(PermissionError, ProcessLookupError):  # it has gone on, or is gone
        os.setpgid(pid, pid)


def _become(request: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _give_group(0)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]


if __name__ == "__main__":
    main()

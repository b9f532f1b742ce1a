"""Ports on the loopback address."""

import contextlib
import itertools
import os
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST_PORT, HIGHEST_PORT = 10_000, 32_000
"""Below those that systems take for the near end of a connection, 32768 and up on Linux and 49152 elsewhere: between
finding a port and listening on it a program starts, and any connection could be given it meanwhile."""
_PORTS_FOR_A_PROCESS = 37

_tried = itertools.count()


def free_port(preferred: int | None = None) -> int:
    """`preferred` when nothing listens there, else another free port, which this process has not been given lately.

    Raises:
        OSError: every port is taken.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    many = HIGHEST_PORT - LOWEST_PORT
    for number in itertools.islice(_tried, many):
        # Processes that look at the same time look at different ones.
        port = LOWEST_PORT + (os.getpid() * _PORTS_FOR_A_PROCESS + number) % many
        if is_free(port):
            return port
    raise OSError("every port is taken")


def is_free(port: int) -> bool:
    """Whether a server could bind this port now. Connections that linger from a stopped one do not count."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def remembered_port(folder: Path) -> int | None:
    """The port that the server on this folder had last, so that a developer's own tools find it again."""
    try:
        return int((folder / "port").read_text())
    except (FileNotFoundError, ValueError):
        return None


def remember_port(folder: Path, port: int) -> None:
    (folder / "port").write_text(f"{port}\n")

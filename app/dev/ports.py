"""Ports on the loopback address."""

import contextlib
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def free_port(preferred: int | None = None) -> int:
    """`preferred` when nothing listens there, else any free port. Somebody may still take it before we do."""
    if preferred is not None and is_free(preferred):
        return preferred
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


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

"""Folders that belong to one process at a time."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.dev.errors import DevelopmentError


def refuse_somebody_elses(folder: Path) -> None:
    """Root could use another user's folder, and would leave files in it that this user cannot use afterwards.

    Raises:
        DevelopmentError: we are root, and the folder is not root's.
    """
    if os.geteuid() == 0 and folder.exists() and (owner := folder.stat().st_uid) != 0:
        raise DevelopmentError(
            f"{folder} belongs to another user (number {owner}), and you are root. "
            "Start Tradewind as that user, or choose another folder with --data."
        )


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Makes `folder` when it is missing and holds it until the block ends or this process dies.

    Raises:
        DevelopmentError: another process holds it, or it belongs to another user.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise DevelopmentError(
            f"{folder} belongs to another user (was Tradewind started by root before?). "
            "Choose another folder with --data, or have its owner remove it."
        ) from error
    except (NotADirectoryError, FileExistsError) as error:
        raise DevelopmentError(f"{folder} is not a folder. Choose another one with --data.") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock, 32, 0).decode().strip() or "unknown"
            raise DevelopmentError(
                f"{folder} is in use by another Tradewind (process {holder}). "
                "Stop that one first, or choose another folder with --data."
            ) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


def secret_in(file: Path) -> str:
    """The secret kept in `file`, which only its owner may read; made at the first call."""
    if not file.exists():
        temporary = file.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(32))
        temporary.rename(file)
    return file.read_text().strip()

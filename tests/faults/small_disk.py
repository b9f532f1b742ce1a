"""A disk of some megabytes, to be filled."""

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> int:
        """Somebody else's file takes all that is free; its bytes."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1_000_000, 4_096):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
            return file.tell()

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Skips the test where mounting is not permitted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    try:
        answer = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount on this machine")
    if answer.returncode != 0:
        pytest.skip(f"a disk of its own needs root, who may mount: {answer.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        with contextlib.suppress(OSError):
            subprocess.run(["umount", "--lazy", str(folder)], check=False)

"""Writing metrics down for Prometheus: those of this process, or of all processes that one command started.

A command with several processes (`tradewind api --workers 4`, every worker) gives them a folder, where each keeps its
counts in files of its own: `prometheus_client` calls it multiprocess mode and is told by a variable in the environment,
which has to be set before it is imported. Whoever is scraped adds the files up.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "tradewind-metrics-"
_OWNED = "owned"
_SHOWN = "shown"
_LIVE_GAUGES = "gauge_live*.db"


@contextmanager
def shared_by_processes() -> Iterator[None]:
    """A folder for the counts of the processes that are started in this block. One of the environment's own stays."""
    if os.environ.get(FOLDER_VARIABLE):
        yield
        return
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with (folder / _OWNED).open("wb") as owned:
        fcntl.flock(owned, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.environ[FOLDER_VARIABLE] = str(folder)
        try:
            yield
        finally:
            del os.environ[FOLDER_VARIABLE]
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Folders that killed commands left behind: nobody holds their lock."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _OWNED).open("rb") as owned:
            if os.fstat(owned.fileno()).st_uid != os.getuid():
                continue
            fcntl.flock(owned, fcntl.LOCK_SH | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


_elected: object = None


def is_elected() -> bool:
    """Whether this process is the one of those that share a folder that shows the counts of all, until it ends."""
    global _elected
    if not is_shared() or _elected is not None:
        return True
    lock = (Path(os.environ[FOLDER_VARIABLE]) / _SHOWN).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _elected = lock
    return True


def is_shared() -> bool:
    return bool(os.environ.get(FOLDER_VARIABLE))


def exposition(shop: "Iterable[Metric]" = ()) -> bytes:
    """Prometheus's text format 0.0.4.

    Args:
        shop: metrics that `ShopHealth` read.
    """
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    from app.metrics.instruments import REGISTRY

    text = b""
    if is_shared():
        _forget_the_dead(Path(os.environ[FOLDER_VARIABLE]))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        text += generate_latest(registry)
    else:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        text += generate_latest(REGISTRY) + generate_latest(registry)
    return text + generate_latest(_Known(shop))


class _Known:
    """Metrics that are there already, in a registry's place."""

    def __init__(self, metrics: "Iterable[Metric]") -> None:
        self._metrics = metrics

    def collect(self) -> "Iterable[Metric]":
        return self._metrics


def _forget_the_dead(folder: Path) -> None:
    """What a process has now is told of the living alone; what it counted stays counted."""
    for file in folder.glob(_LIVE_GAUGES):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except PermissionError:
            continue

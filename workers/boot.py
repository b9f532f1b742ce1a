"""What each worker process does first."""

import asyncio
import importlib
import os
import signal
import sys
from types import FrameType

from app.kit.heap import loading
from app.kit.parent import die_with_parent


def set_up() -> None:
    """Dramatiq calls this in each process that its master starts, in the main thread.

    `kill -9` of the master would leave them running, with nobody to stop them.
    """
    die_with_parent(os.getppid())
    _stop_once()
    _run_fast()
    with loading():
        import workers.main  # noqa: F401  # sets the broker and registers the actors


def load() -> None:
    """For the master, before it forks: what all its processes need is loaded once, and is in memory once.

    Modules alone, which open nothing and start no thread: neither would be whole on the other side.
    """
    for name in ("workers.actors", "workers.relay", "workers.broker"):
        importlib.import_module(name)
    importlib.import_module("workers.subscriptions").load()


def _run_fast() -> None:
    """The event loop that Dramatiq makes is uvloop's, as the API's is; there is none for Windows."""
    if sys.platform != "win32":
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def _stop_once() -> None:
    """Lets the first SIGTERM through. At a second one Dramatiq leaves in the middle of stopping, and hangs.

    Two come where an init system signals every process of a service: one from it, one from the master.
    """
    stop = signal.getsignal(signal.SIGTERM)

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, first)

"""What happens between being told to stop and stopping.

At SIGTERM the server first says that it is not ready, and goes on serving for some seconds: a load balancer that has
not noticed yet would send requests to a closed port. Then open event streams are ended. uvicorn tells WebSockets
itself, but waits for HTTP responses to end, and an event stream does not end by itself; the application's own shutdown
comes after that wait, too late to help. So the signal is listened to here.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_stopping: asyncio.Event | None = None
_draining = False


def is_draining() -> bool:
    """Whether this process was told to stop: it should be sent no more requests."""
    return _draining


@contextmanager
def watching_signals(*, drain_seconds: float = 0.0) -> Iterator[None]:
    """Notice the signals on their way to the server. To be entered in the event loop, while the server starts.

    Args:
        drain_seconds: from the first SIGTERM until the server hears of it. Another signal ends the wait.
    """
    global _stopping, _draining
    _stopping = stopping = asyncio.Event()
    _draining = False
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield  # a test's server; only the main thread gets signals
        return
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()
        before = previous[signal.Signals(number)]
        if callable(before):
            before(number, frame)

    def notice(number: int, frame: FrameType | None) -> None:
        global _draining
        first, _draining = not _draining, True
        if first and number == signal.SIGTERM and drain_seconds > 0:
            loop.call_soon_threadsafe(loop.call_later, drain_seconds, stop, number, frame)
        else:
            loop.call_soon_threadsafe(stop, number, frame)

    for number, before in previous.items():
        if callable(before):  # a server listens; where nobody does, the signal keeps its own effect
            signal.signal(number, notice)
    try:
        yield
    finally:
        stopping.set()
        for number, before in previous.items():
            if signal.getsignal(number) is notice:
                signal.signal(number, before)


async def until_shutdown(stream: AsyncIterator[str]) -> AsyncIterator[str]:
    """The same items; ends early when the server stops, as for a reader who reconnects elsewhere."""
    if _stopping is None:
        async for item in stream:
            yield item
        return
    stopped = asyncio.ensure_future(_stopping.wait())
    upcoming: asyncio.Future[Any] | None = None
    try:
        while True:
            upcoming = asyncio.ensure_future(anext(stream))
            await asyncio.wait((upcoming, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not upcoming.done():
                return
            try:
                item = upcoming.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        stopped.cancel()
        if upcoming is not None and not upcoming.done():
            upcoming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await upcoming
        if (close := getattr(stream, "aclose", None)) is not None:
            await close()

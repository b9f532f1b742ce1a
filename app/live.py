"""Live updates across processes: "something about this topic changed", carried by Redis.

A message holds a topic and nothing else; whoever watches reads the state anew from PostgreSQL. So a lost message costs
a delay and never a wrong value: watchers look by themselves every few seconds, also while Redis is away.

    async with live.watch(topic) as changes:
        async for _ in changes:  # once at once, then at every change
            yield await load()
"""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis import RedisError

from app.cache import cache, named

CHANNEL = "live"
"""One channel for all topics: subscribing is then done once a process, not once a shopper."""
LOOK_EVERY_SECONDS = 10.0
RECONNECT_SECONDS = 0.5
_READ_SECONDS = 1.0

log = structlog.get_logger(__name__)

_watchers: dict[str, set[asyncio.Event]] = {}
_listener: asyncio.Task[None] | None = None
_publishing: set[asyncio.Task[None]] = set()


async def publish(topic: str) -> None:
    """Tell every process. Without Redis nothing happens: watchers look by themselves."""
    with contextlib.suppress(RedisError, OSError):
        await cache().publish(named(CHANNEL), topic)


def publish_soon(topic: str) -> None:
    """The same for after a commit: returns at once. Needs a running event loop."""
    task = asyncio.get_running_loop().create_task(publish(topic), context=contextvars.Context())
    _publishing.add(task)
    task.add_done_callback(_publishing.discard)


@asynccontextmanager
async def watch(topic: str) -> AsyncIterator[AsyncIterator[None]]:
    """Yields an iterator that steps at once, after every message, and at least every ten seconds.

    It may step without a change: compare before you tell anybody.
    """
    changed = asyncio.Event()
    _watchers.setdefault(topic, set()).add(changed)
    _ensure_listener()
    try:
        yield _steps(changed)
    finally:
        watchers = _watchers[topic]
        watchers.discard(changed)
        if not watchers:
            del _watchers[topic]
        if not _watchers:
            _stop_listener()


async def _steps(changed: asyncio.Event) -> AsyncIterator[None]:
    while True:
        changed.clear()
        yield
        with contextlib.suppress(TimeoutError):
            # Not wait_for(): Python 3.11's swallows a cancellation that comes together with a change, and then a
            # subscription that nobody reads any more goes on.
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                await changed.wait()


def _ensure_listener() -> None:
    global _listener
    if _listener is None or _listener.done():
        _listener = asyncio.get_running_loop().create_task(_listen(), context=contextvars.Context())


def _stop_listener() -> None:
    global _listener
    if _listener is not None:
        _listener.cancel()
        _listener = None


async def _listen() -> None:
    """Until another task, or none, is the listener: redis-py swallows a cancellation that comes while it connects."""
    this_task = asyncio.current_task()
    while _listener is this_task:
        try:
            async with cache().pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe(named(CHANNEL))
                _wake_all()  # for what was said before we listened
                while _listener is this_task:
                    message = await pubsub.get_message(timeout=_READ_SECONDS)
                    if message is not None:
                        _wake(message["data"])
        except (RedisError, OSError) as error:
            log.warning("live updates interrupted", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)


def _wake(data: bytes) -> None:
    for changed in _watchers.get(data.decode("utf-8", "replace"), ()):
        changed.set()


def _wake_all() -> None:
    for watchers in _watchers.values():
        for changed in watchers:
            changed.set()

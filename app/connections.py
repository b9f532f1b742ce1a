"""Taking connections from asyncpg's pool, and giving them back; who waits for one, and for how long.

asyncpg gives a connection back in a task of its own, as that may have to wait for the server: for the end of a
statement that was cancelled, or for a ROLLBACK. Where nothing is left open there is nothing to wait for, and the task
with its turns of the event loop would cost as much as a statement does. So such a connection is given back at once.
"""

import time
from dataclasses import dataclass
from typing import Any

from app.metrics import instruments

_waiting: dict[object, float] = {}
"""Since when who waits for a connection; the oldest first."""


@dataclass(frozen=True, slots=True)
class PoolState:
    in_use: int
    idle: int
    most: int


def state_of(pool: Any) -> PoolState:
    size, idle = pool.get_size(), pool.get_idle_size()
    return PoolState(size - idle, idle, pool.get_max_size())


def longest_wait_seconds() -> float:
    """How long somebody in this process has been waiting for a connection by now; 0 where nobody is."""
    return time.perf_counter() - next(iter(_waiting.values())) if _waiting else 0.0


async def take(pool: Any, timeout_seconds: float | None = None) -> Any:
    """A connection of the pool's; how long it had to be waited for is counted.

    Raises:
        TimeoutError: nobody gave one back in time.
    """
    started, who = time.perf_counter(), object()
    _waiting[who] = started
    try:
        # A time limit takes a task, too, so it is set only where somebody has to be waited for.
        connection = await pool.acquire(timeout=timeout_seconds if pool._queue.empty() else None)
    finally:
        del _waiting[who]
    connection._holder._timeout = timeout_seconds  # for giving it back, as asyncpg does
    instruments.waited_for_connection(time.perf_counter() - started)
    return connection


async def give_back(pool: Any, connection: Any, *, finished: bool) -> None:
    """Once only, and whatever happened.

    Args:
        finished: nothing went wrong with it: no exception, no cancelling.
    """
    if not finished or not _is_clean(pool, connection):
        await pool.release(connection)
        return
    # What asyncpg's `PoolConnectionHolder.release` does where it finds nothing to reset.
    holder = connection._holder
    connection._con._on_release()
    holder._timeout = None
    holder._release()
    holder._setup_inactive_callback()


def _is_clean(pool: Any, connection: Any) -> bool:
    """Whether asyncpg would find nothing to reset, to wait for or to renew."""
    holder, bare = connection._holder, connection._con
    if bare is None or bare.is_closed() or bare._listeners or bare._log_listeners:
        return False
    protocol = bare._protocol
    return (
        bare._top_xact is None
        and not protocol.is_in_transaction()
        and not protocol._is_cancelling()
        and protocol.queries_count < holder._max_queries
        and holder._generation == pool._generation
    )

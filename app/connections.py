"""Taking connections from asyncpg's pool, and giving them back; who waits for one, and for how long.

asyncpg gives a connection back in a task of its own, as that may have to wait for the server: for the end of a
statement that was cancelled, or for a ROLLBACK. Where nothing is left open there is nothing to wait for, and the task
with its turns of the event loop would cost as much as a statement does. So such a connection is given back at once.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.metrics import instruments
from app.outages import DatabaseAwayError

_waiting: dict[object, float] = {}
"""Since when who waits for a connection; the oldest first."""


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg carries no types
    """Keeps no session state, so that giving it back to the pool need not cost a round trip."""

    def get_reset_query(self) -> str:
        return ""


class CountedConnection(Connection):
    """Notes each statement as it is sent; what asyncpg asks by itself, such as what a type is, goes another way."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> Any:
        if not args:
            _count(query)
        return await super().execute(query, *args, timeout=timeout)

    async def _execute(self, query: str, *args: Any, **options: Any) -> Any:
        _count(query)
        return await super()._execute(query, *args, **options)

    async def _executemany(self, query: str, *args: Any, **options: Any) -> Any:
        _count(query)
        return await super()._executemany(query, *args, **options)


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
        DatabaseAwayError: a new one was needed, and the server takes none.
    """
    started, who = time.perf_counter(), object()
    _waiting[who] = started
    try:
        # A time limit takes a task, too, so it is set only where somebody has to be waited for.
        connection = await pool.acquire(timeout=timeout_seconds if pool._queue.empty() else None)
    except TimeoutError:
        raise
    except OSError as error:
        raise DatabaseAwayError(type(error).__name__) from error
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


# --- counting statements in tests -------------------------------------------------------------------------------------

_counted: list[str] | None = None


def _count(query: str) -> None:
    if _counted is not None:
        _counted.append(query)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """In the test environment: the statements that this process sent while the block ran."""
    global _counted
    statements: list[str] = []
    _counted = statements
    try:
        yield statements
    finally:
        _counted = None

"""PostgreSQL: the pool, plain statements, and the one way to open a transaction.

Statements are raw SQL with `$1` parameters through asyncpg, or Tortoise's ORM; both join the transaction that
`unit_of_work()` opened around them. json columns come and go as text.
"""

import contextvars
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import structlog
from tortoise import models as tortoise_models
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.connection import get_connections
from tortoise.context import TortoiseContext

from app import connections, tracing
from app.connections import PoolState
from app.kit.postgres_url import connection_arguments
from app.settings import Environment, Settings, get_settings

# Tortoise parses the source of every model for comments on its fields that begin with `#:`, which ours have none of:
# a tenth of the time that a process takes to start.
tortoise_models._get_comments = lambda cls: {}

log = structlog.get_logger(__name__)

MODEL_MODULES = [
    "app.configuration",
    "app.events.models",
    "app.shop.models",
    "app.sessions.models",
    "app.staff.models",
    "app.uploads.models",
    "app.jobs.models",
    "app.catalogue.models",
    "app.markets.models",
    "app.inventory.models",
    "app.terms.models",
    "app.shipping.models",
    "app.cart.models",
    "app.checkout.models",
    "app.payments.models",
    "app.payments.test_gateway_models",
    "app.orders.models",
    "app.fulfillments.models",
    "app.invoices.models",
    "app.assisted.models",
    "app.companies.models",
    "app.messaging.models",
    "app.customers.models",
    "app.segments.models",
    "app.flows.models",
    "app.campaigns.models",
    "app.promotions.models",
    "app.tax.models",
    "app.gift_cards.models",
    "app.gifting.models",
    "app.webhooks.models",
    "app.crm.models",
    "app.surveys.models",
    "app.referrals.models",
    "app.alerts.models",
    "app.accounts.models",
    "app.audit.models",
    "app.privacy.models",
    "app.upkeep.models",
]
APP_LABEL = "tradewind"
MIGRATIONS_LOCK_ID = 0x7472_6164_6577
ACQUIRE_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 10.0
ANSWER_GRACE_SECONDS = 2.0
"""Beyond the statement's own time limit, which the server keeps: for a server that says nothing any more."""

Record: TypeAlias = Mapping[str, Any]
"""A row: by column name, like a dictionary."""


def tortoise_config(settings: Settings, *, migrating: bool = False) -> dict[str, Any]:
    timeout_ms = 0 if migrating else int(settings.statement_timeout_seconds * 1000)
    server_settings = {"statement_timeout": str(timeout_ms), "timezone": "UTC"}
    if migrating:
        server_settings["lock_timeout"] = "5s"
    else:
        server_settings["idle_in_transaction_session_timeout"] = "30s"
        # A page of documents looks expensive to the planner; compiling it takes a hundred times as long as running it.
        server_settings["jit"] = "off"
    credentials = {
        "timeout": CONNECT_TIMEOUT_SECONDS,
        "command_timeout": None if migrating else settings.statement_timeout_seconds + ANSWER_GRACE_SECONDS,
        **connection_arguments(settings.database_url),
        "minsize": settings.database_pool_min,
        "maxsize": settings.database_pool_max,
        "connection_class": connections.Connection,
        "server_settings": server_settings,
    }
    if settings.environment is Environment.TEST:
        credentials["connection_class"] = connections.CountedConnection
        # Tests go through all statements that there are, again and again, and asyncpg keeps a hundred prepared: the
        # others would be read and planned anew each time, which is much of what PostgreSQL does in tests.
        credentials |= {"statement_cache_size": 500, "max_cached_statement_lifetime": 0}
    return {
        "connections": {
            "default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials},
        },
        "apps": {APP_LABEL: {"models": MODEL_MODULES, "default_connection": "default", "migrations": "migrations"}},
        "use_tz": True,
        "timezone": "UTC",
    }


def __getattr__(name: str) -> Any:
    """`TORTOISE_ORM` for Tortoise's command line, made only when it is asked for."""
    if name == "TORTOISE_ORM":
        return tortoise_config(get_settings(), migrating=True)
    raise AttributeError(name)


# --- life of the pool -------------------------------------------------------------------------------------------------

_context: TortoiseContext | None = None
_base: AsyncpgDBClient | None = None
"""The pool's client; kept beside the context, which takes a while to say it, for every statement anew."""


async def open_pool(settings: Settings | None = None) -> None:
    """Connect this process; one event loop owns the pool."""
    global _context, _base
    context = TortoiseContext()
    try:
        with context:  # its models look for the current context while they are set up
            await context.init(config=tortoise_config(settings or get_settings()), _enable_global_fallback=True)
        client = context.connections.get("default")
        if not isinstance(client, AsyncpgDBClient):
            raise TypeError("the database driver must be asyncpg")
        await client.create_connection(with_db=True)
    except BaseException:
        await context.close_connections()  # or the next try finds a context that is open already
        raise
    _context, _base = context, client


async def close_pool() -> None:
    global _context, _base
    _base = None
    if _context is not None:
        context, _context = _context, None
        await context.close_connections()


def _pool() -> Any:
    pool = _base._pool if _base is not None else None
    if pool is None:
        raise RuntimeError("the database is not open in this process")
    return pool


def pool_state() -> PoolState:
    """How full the pool is; zeros where none is open."""
    pool = _base._pool if _base is not None else None
    return PoolState(0, 0, 0) if pool is None else connections.state_of(pool)


longest_wait_seconds = connections.longest_wait_seconds
counted_statements = connections.counted_statements


class _Connected:
    """A connection of the pool, or the transaction's, on which one statement runs at a time."""

    __slots__ = ("_connection", "_pool", "_transaction")

    async def __aenter__(self) -> Any:
        work = _current.get()
        self._transaction = work.transaction if work else None
        if self._transaction is not None:
            await self._transaction._lock.acquire()
            return self._transaction._connection
        self._pool = _pool()
        self._connection = await connections.take(self._pool)
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *raised: Any) -> None:
        if self._transaction is not None:
            self._transaction._lock.release()
        else:
            await connections.give_back(self._pool, self._connection, finished=kind is None)


# --- statements -------------------------------------------------------------------------------------------------------


async def fetch(sql: str, *args: object) -> list[Record]:
    async with _connected(sql) as connection:
        rows: list[Record] = await connection.fetch(sql, *args)
        return rows


async def fetchrow(sql: str, *args: object) -> Record | None:
    async with _connected(sql) as connection:
        row: Record | None = await connection.fetchrow(sql, *args)
        return row


async def fetchval(sql: str, *args: object) -> Any:
    async with _connected(sql) as connection:
        return await connection.fetchval(sql, *args)


async def execute(sql: str, *args: object) -> int:
    """Run one statement; the number of rows it touched."""
    async with _connected(sql) as connection:
        status: str = await connection.execute(sql, *args)
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


# --- transactions -----------------------------------------------------------------------------------------------------


class UnitOfWork:
    """One transaction, and what has to happen right before and right after its commit."""

    def __init__(self, transaction: TransactionWrapper) -> None:
        self.transaction = transaction
        """What Tortoise's ORM joins; its lock lets one statement run at a time."""
        self._before_commit: list[Callable[[], Awaitable[None]]] = []
        self._after_commit: list[Callable[[], None]] = []
        self.notes: dict[str, Any] = {}
        """Room for what collects over a transaction, such as the events that are written in one statement."""

    def before_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        self._before_commit.append(callback)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Quick and synchronous: the shopper waits for it. A failure is the callback's own to handle."""
        self._after_commit.append(callback)

    async def _flush(self) -> None:
        for callback in self._before_commit:
            await callback()

    def _committed(self) -> None:
        for callback in self._after_commit:
            callback()


_current: contextvars.ContextVar[UnitOfWork | None] = contextvars.ContextVar("unit_of_work", default=None)
Opening: TypeAlias = Callable[[UnitOfWork], Awaitable[None]]
_opening: contextvars.ContextVar[Opening | None] = contextvars.ContextVar("opening", default=None)
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)


@contextmanager
def opening(callback: Opening | None) -> Iterator[None]:
    """Begin every transaction of this task with what `callback` does; single statements that write get one too.

    Args:
        callback: None for transactions as they are elsewhere.
    """
    token = _opening.set(callback)
    try:
        yield
    finally:
        _opening.reset(token)


def _connected(sql: str) -> AbstractAsyncContextManager[Any]:
    """What a single statement runs on; in a transaction, where those begin with something and the statement writes."""
    if _opening.get() is None or _current.get() is not None or not _WRITES.search(sql):
        return _Connected()
    return _opened()


@asynccontextmanager
async def _opened() -> AsyncIterator[Any]:
    async with unit_of_work(), _Connected() as connection:
        yield connection


@asynccontextmanager
async def unit_of_work() -> AsyncIterator[UnitOfWork]:
    """Open a transaction (READ COMMITTED), or join the one that is open.

    Tortoise's own `in_transaction()` loses its connection when the task is cancelled while it enters, so this one
    takes the connection itself and gives it back whatever happens in between.
    """
    joined = _current.get()
    if joined is not None:
        yield joined
        return
    pool = _pool()
    if _base is None or _context is None:
        raise RuntimeError("the database is not open in this process")
    transaction, finished = TransactionWrapper(_base), False
    work = UnitOfWork(transaction)
    with tracing.span("transaction"):
        connection = await connections.take(pool, ACQUIRE_TIMEOUT_SECONDS)
        try:
            transaction._connection = connection
            storage_token = _context.connections.set("default", transaction)
            work_token = _current.set(work)
            try:
                # By plain statements: Tortoise's and asyncpg's own transactions cost as much again in objects.
                await connection.execute("BEGIN;")
                try:
                    if begins_with := _opening.get():
                        await begins_with(work)
                    yield work
                    await work._flush()
                except BaseException as error:
                    await _roll_back(connection, error)
                    raise
                if await connection.execute("COMMIT;") != "COMMIT":
                    # What PostgreSQL does without an error where a statement failed and somebody went on all the same.
                    raise asyncpg.InFailedSQLTransactionError("nothing was committed: a statement of it had failed")
                finished = True
            finally:
                _current.reset(work_token)
                _context.connections.reset(storage_token)
        finally:
            # Where it did not end well, asyncpg shields this, and rolls back what a cancelled statement left open.
            await connections.give_back(pool, connection, finished=finished)
    work._committed()


async def _roll_back(connection: Any, error: BaseException) -> None:
    """Where this fails as well, PostgreSQL has rolled back or will, and the pool drops the connection: what went wrong
    first is what callers decide by, so that it stays the error, with a note of the second."""
    try:
        await connection.execute("ROLLBACK;")
    except Exception as second:  # noqa: BLE001 - whatever a lost connection is met with
        error.add_note(f"ROLLBACK failed as well: {type(second).__name__}")
        log.warning("rollback_failed", error=type(second).__name__, first=type(error).__name__)


def current_unit_of_work() -> UnitOfWork:
    work = _current.get()
    if work is None:
        raise RuntimeError("this belongs inside a unit of work")
    return work


# --- migrations -------------------------------------------------------------------------------------------------------


def migrations_on_disk() -> list[str]:
    folder = Path(__file__).resolve().parent.parent / "migrations"
    return sorted(path.stem for path in folder.glob("[0-9]*.py"))


async def pending_migrations() -> list[str]:
    """Names of the migrations that this release carries and the database does not have yet."""
    try:
        rows = await fetch('SELECT name FROM "tortoise_migrations" WHERE app = $1', APP_LABEL)
    except asyncpg.UndefinedTableError:
        return migrations_on_disk()
    applied = {row["name"] for row in rows}
    return [name for name in migrations_on_disk() if name not in applied]


async def migrate(settings: Settings | None = None) -> None:
    """Bring the database to this release. Several at once wait for each other. Not in a process with an open pool."""
    from app import migrating

    settings = settings or get_settings()
    guard = await asyncpg.connect(**connection_arguments(settings.database_url))
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", MIGRATIONS_LOCK_ID)
        await migrating.run(tortoise_config(settings, migrating=True))
        await get_connections().close_all(discard=True)
    finally:
        await guard.close()

"""Whether this process lives, and whether it should be sent requests.

`/health/live` asks nobody: a process is not started anew because a database is away. `/health/ready` answers within its
deadline whatever PostgreSQL and Redis do, over a connection of its own: under load it must not wait behind shoppers and
take a server away that still serves. 200 means that the database, Redis and the migrations are in order; a late
scheduler or worker makes it `degraded`, and is no reason to send requests elsewhere.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import asyncpg
import structlog
from redis import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from app import db
from app.cache import cache
from app.kit.postgres_url import connection_arguments
from app.settings import Settings
from app.upkeep import claims
from app.web import shutdown

DEADLINE_SECONDS = 2.5
"""Whoever asks, a load balancer or a container's health check, waits little longer."""
KEPT_SECONDS = 1.0
"""Anybody may ask, and as often as they like."""
NEEDED = ("database", "redis", "migrations")
OK = "ok"
UNAVAILABLE = "unavailable"
SILENT_SCHEDULER_SECONDS = 30.0
LATE_WORKERS_SECONDS = 60.0

log = structlog.get_logger(__name__)

_LOOK = """
    SELECT (SELECT extract(epoch FROM clock_timestamp() - done_at)::float8 FROM upkeep WHERE name = $1) AS ticked,
           (SELECT extract(epoch FROM clock_timestamp() - min(coalesce(leased_until, created_at)))::float8 FROM (
                SELECT leased_until, created_at FROM events
                WHERE acknowledged_at IS NULL AND attempts = 0
                  AND coalesce(leased_until, created_at) < clock_timestamp()
                ORDER BY visible_at LIMIT 1000
            ) waiting) AS waited
"""


async def _live(request: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": OK})


class Readiness:
    """Looks at what this process needs, at most once a second."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._looking: asyncio.Task[dict[str, str]] | None = None
        self._found: Mapping[str, str] = {}
        self._found_at = -KEPT_SECONDS
        self._connection: asyncpg.Connection | None = None

    async def answer(self, request: Request) -> JSONResponse:
        if shutdown.is_draining():
            return JSONResponse({"status": "draining"}, status_code=503)
        checks = await self._checks()
        if any(checks[part] != OK for part in NEEDED):
            return JSONResponse({"status": UNAVAILABLE, **checks}, status_code=503)
        well = all(state == OK for state in checks.values())
        return JSONResponse({"status": OK if well else "degraded", **checks})

    async def _checks(self) -> Mapping[str, str]:
        if time.monotonic() - self._found_at >= KEPT_SECONDS:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            found = await self._looking
            if found != self._found and any(state != OK for state in found.values()):
                log.warning("not all is well", **found)
            self._found, self._found_at = found, time.monotonic()
        return self._found

    async def _look(self) -> dict[str, str]:
        database, redis = asyncio.create_task(self._database()), asyncio.create_task(_redis())
        # Not a timeout around them: leaving a statement takes an answer of the server, too.
        await asyncio.wait((database, redis), timeout=DEADLINE_SECONDS)
        unknown = {"database": UNAVAILABLE, "migrations": UNAVAILABLE, "scheduler": "unknown", "workers": "unknown"}
        found = _outcome(database)
        if found is None:
            self._hang_up()
        return {**(found or unknown), "redis": OK if _outcome(redis) else UNAVAILABLE}

    async def _database(self) -> dict[str, str]:
        connection = await self._connected()
        rows = await connection.fetch('SELECT name FROM "tortoise_migrations" WHERE app = $1', db.APP_LABEL)
        pending = set(db.migrations_on_disk()) - {row["name"] for row in rows}
        if pending:
            return {
                "database": OK, "migrations": f"{len(pending)} pending", "scheduler": "unknown", "workers": "unknown",
            }  # fmt: skip
        row = await connection.fetchrow(_LOOK, claims.TICK)
        return {
            "database": OK,
            "migrations": OK,
            "scheduler": _scheduler(row["ticked"]),
            "workers": _workers(row["waited"]),
        }

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                **connection_arguments(self._settings.database_url),
                timeout=DEADLINE_SECONDS,
                server_settings={"application_name": "tradewind health", "statement_timeout": "2000"},
            )
        return self._connection

    def _hang_up(self) -> None:
        """The next look connects anew."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.terminate()

    def close(self) -> None:
        self._hang_up()


async def _redis() -> bool:
    await cache().ping()
    return True


def _outcome(task: asyncio.Task[Any]) -> Any:
    """What it found; None where it failed or is not done, which is given up."""
    if not task.done():
        task.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody else asks for it
        task.cancel()
        return None
    if task.cancelled():
        return None
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, asyncpg.UndefinedTableError):
        return {"database": OK, "migrations": "all pending", "scheduler": "unknown", "workers": "unknown"}
    if not isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError, RedisError, OSError)):
        log.error("readiness cannot be told", error=type(error).__name__)
    return None


def _scheduler(ticked: float | None) -> str:
    if ticked is None:
        return "none has run"
    return OK if ticked < SILENT_SCHEDULER_SECONDS else f"silent for {ticked:.0f} s"


def _workers(waited: float | None) -> str:
    return OK if waited is None or waited < LATE_WORKERS_SECONDS else f"behind by {waited:.0f} s"


def routes(readiness: Readiness) -> list[BaseRoute]:
    return [Route("/health/live", _live), Route("/health/ready", readiness.answer)]

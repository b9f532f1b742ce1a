"""PostgreSQL: that it answers, is new enough, is set up for a shop, and has what this release needs."""

import time

import asyncpg

from app import db
from app.doctor.finding import NETWORK_ERRORS, TIMEOUT_SECONDS, Finding, place, unreachable
from app.kit.postgres_url import connection_arguments
from app.settings import Settings

MIN_MAJOR = 15
EXTENSIONS = ("pg_trgm",)
MAX_SKEW_SECONDS = 2.0
DEFAULT_SHARED_BUFFERS_BYTES = 128 * 1024 * 1024
BIG_DATABASE_BYTES = 1024**3
PROCESSES_AT_LEAST = 4
"""An API process, two of a worker, a scheduler."""
CONNECTIONS_BESIDE_THE_POOL = 2
"""Of an API process: for its health and its metrics."""

_FACTS = """
    SELECT current_setting('server_version') AS version, clock_timestamp() AS now,
           current_setting('max_connections')::int
               - current_setting('superuser_reserved_connections')::int AS connections,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_limit,
           (SELECT sum(numbackends) FROM pg_stat_database)::int AS connected,
           current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS durable,
           current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('autovacuum') = 'on' AS autovacuum,
           pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS read_only,
           current_setting('server_encoding') AS encoding,
           pg_size_bytes(current_setting('shared_buffers')) AS shared_buffers,
           pg_database_size(current_database()) AS size,
           ARRAY(SELECT extname::text FROM pg_extension) AS extensions,
           (SELECT string_agg(tablename, ', ') FROM (
                SELECT tablename FROM pg_tables
                WHERE schemaname = 'public' AND EXISTS (
                    SELECT FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted
                    WHERE NOT has_table_privilege(format('%I.%I', schemaname, tablename), wanted)
                )
                ORDER BY tablename LIMIT 3
            ) closed) AS forbidden
"""


async def connect(settings: Settings) -> asyncpg.Connection | Finding:
    """A connection of its own, or why there is none."""
    try:
        return await asyncpg.connect(
            **connection_arguments(settings.database_url), timeout=TIMEOUT_SECONDS, command_timeout=TIMEOUT_SECONDS
        )
    except ValueError as error:
        return Finding("database", False, str(error), "Correct DATABASE_URL.")
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        return Finding("database", False, "refuses this user or password", "Correct DATABASE_URL.")
    except asyncpg.InvalidCatalogNameError:
        return Finding("database", False, "the server has no database of this name", "Create it: createdb NAME.")
    except asyncpg.TooManyConnectionsError:
        return Finding(
            "database",
            False,
            "has no connection left",
            "Lower DATABASE_POOL_MAX or the number of processes, raise max_connections, or put PgBouncer in between.",
        )
    except (asyncpg.PostgresError, *NETWORK_ERRORS) as error:
        return Finding("database", False, unreachable(error), f"Is PostgreSQL up at {place(settings.database_url)}?")


async def examine(connection: asyncpg.Connection, settings: Settings) -> list[Finding]:
    before = time.time()
    facts = await connection.fetchrow(_FACTS)
    machine = (before + time.time()) / 2
    findings = [_server(facts), _connections(facts, settings), _durability(facts, settings)]
    if facts["forbidden"]:
        findings.append(
            Finding(
                "permissions",
                False,
                f"this user may not read and write {facts['forbidden']}",
                "Grant SELECT, INSERT, UPDATE and DELETE on all tables, or use the user that runs `tradewind migrate`.",
            )
        )
    if missing := [name for name in EXTENSIONS if name not in facts["extensions"]]:
        findings.append(
            Finding(
                "extensions",
                False,
                f"without {', '.join(missing)}",
                "`tradewind migrate` makes it; it may need a superuser.",
            )
        )
    findings.append(clock("PostgreSQL", facts["now"].timestamp() - machine))
    return findings


def _server(facts: asyncpg.Record) -> Finding:
    said = f"PostgreSQL {facts['version']}"
    if int(facts["version"].split(".", maxsplit=1)[0]) < MIN_MAJOR:
        return Finding("database", False, said, f"{MIN_MAJOR} or later is needed.")
    if facts["encoding"] != "UTF8":
        return Finding("database", False, f"{said} with {facts['encoding']}", "Create the database with encoding UTF8.")
    if facts["read_only"]:
        return Finding("database", False, f"{said}, which takes no writes", "DATABASE_URL has to name the primary.")
    if facts["shared_buffers"] <= DEFAULT_SHARED_BUFFERS_BYTES and facts["size"] > BIG_DATABASE_BYTES:
        return Finding(
            "database",
            True,
            said,
            "shared_buffers is PostgreSQL's default: a quarter of the machine's memory is usual.",
        )
    return Finding("database", True, said)


def _connections(facts: asyncpg.Record, settings: Settings) -> Finding:
    limits = [facts["connections"], *([facts["role_limit"]] if facts["role_limit"] >= 0 else [])]
    allowed = min(limits)
    each = settings.database_pool_max + CONNECTIONS_BESIDE_THE_POOL
    said = f"{facts['connected']} of {allowed} in use; each process opens up to {each}"
    if each * PROCESSES_AT_LEAST > allowed:
        advice = "Lower DATABASE_POOL_MAX, raise max_connections (or the role's limit), or put PgBouncer in between."
        return Finding("connections", False, f"{said}: {allowed // each} processes exhaust the server", advice)
    return Finding("connections", True, f"{said}: enough for {allowed // each} processes")


def _durability(facts: asyncpg.Record, settings: Settings) -> Finding:
    if not facts["durable"]:
        advice = "Set fsync and full_page_writes to on. A development database may do without."
        return Finding("durability", settings.is_development, "a power cut may damage the database", advice)
    if facts["synchronous_commit"] in ("off", "local"):
        advice = "Set synchronous_commit to on: the last orders before a crash would be gone."
        return Finding("durability", True, f"synchronous_commit is {facts['synchronous_commit']}", advice)
    if not facts["autovacuum"]:
        return Finding("durability", False, "autovacuum is off", "Turn it on: tables would grow without end.")
    return Finding("durability", True, "what is committed is on disk")


async def migrations(connection: asyncpg.Connection) -> Finding:
    try:
        rows = await connection.fetch('SELECT name FROM "tortoise_migrations" WHERE app = $1', db.APP_LABEL)
    except asyncpg.UndefinedTableError:
        return Finding("migrations", False, "none has been applied", "Run `tradewind migrate`.")
    applied, known = {row["name"] for row in rows}, db.migrations_on_disk()
    if pending := [name for name in known if name not in applied]:
        said = f"{len(pending)} to apply: {', '.join(pending)}"
        return Finding("migrations", False, said, "Run `tradewind migrate`.")
    if newer := sorted(applied - set(known)):
        said = f"the database is of a newer release ({newer[-1]})"
        return Finding("migrations", True, said, "That is well for one release, while this one is being replaced.")
    return Finding("migrations", True, "all applied")


def clock(server: str, ahead_seconds: float) -> Finding:
    """Args: `ahead_seconds` by which the server's clock is ahead of this machine's."""
    if abs(ahead_seconds) < MAX_SKEW_SECONDS:
        return Finding(f"clock of {server}", True, "as this machine's")
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    return Finding(
        f"clock of {server}",
        False,
        f"{abs(ahead_seconds):.0f} s {direction} this machine's",
        "Run an NTP client on every machine: tokens and webhooks of a wrong clock are refused.",
    )

"""Redis or Valkey, RabbitMQ, and whether anybody works on what they carry."""

import asyncio
import time
from urllib.parse import urlsplit

import asyncpg
from redis import RedisError
from redis import asyncio as aioredis

from app.doctor.database import clock
from app.doctor.finding import NETWORK_ERRORS, TIMEOUT_SECONDS, Finding, place, unreachable
from app.settings import Settings
from app.upkeep import claims
from app.web.health import LATE_WORKERS_SECONDS, SILENT_SCHEDULER_SECONDS

MIN_MAJOR = 7

_WORK = """
    SELECT (SELECT extract(epoch FROM clock_timestamp() - done_at)::float8 FROM upkeep WHERE name = $1) AS ticked,
           (SELECT extract(epoch FROM clock_timestamp() - min(coalesce(leased_until, created_at)))::float8 FROM (
                SELECT leased_until, created_at FROM events
                WHERE acknowledged_at IS NULL AND attempts = 0
                  AND coalesce(leased_until, created_at) < clock_timestamp()
                LIMIT 100000
            ) waiting) AS waited,
           (SELECT count(*) FROM (SELECT FROM dead_letters WHERE replayed_at IS NULL LIMIT 1000) open) AS dead,
           (SELECT count(*) FROM (
                SELECT FROM payment_discrepancies WHERE settled_at IS NULL AND kind <> 'LAPSING' LIMIT 1000
            ) differing) AS differing,
           (SELECT count(*) FROM (
                SELECT FROM payments WHERE state IN ('AUTHORIZED', 'PARTIALLY_CAPTURED')
                  AND authorized_until IS NOT NULL AND authorized_until < business_now() + interval '1 day' LIMIT 1000
            ) lapsing) AS lapsing,
           ARRAY(SELECT name FROM invariant_results WHERE violations > 0 ORDER BY name) AS broken
"""


async def redis(settings: Settings) -> list[Finding]:
    try:
        client = aioredis.Redis.from_url(
            settings.redis_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
    except ValueError:
        advice = "It must look like redis://:password@host:6379/0."
        return [Finding("redis", False, "REDIS_URL is not a URL", advice)]
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            facts = await client.info()
            before = time.time()
            seconds, microseconds = await client.time()
            machine = (before + time.time()) / 2
    except (RedisError, *NETWORK_ERRORS) as error:
        return [Finding("redis", False, unreachable(error), f"Is it up at {place(settings.redis_url)}?")]
    finally:
        await client.aclose()
    ahead = seconds + microseconds / 1_000_000 - machine
    return [*_server(settings, facts), clock("Redis", ahead)]


def _server(settings: Settings, facts: dict[str, object]) -> list[Finding]:
    product = "Valkey" if "valkey_version" in facts else "Redis"
    version = str(facts.get("valkey_version") or facts["redis_version"])
    said = f"{product} {version}"
    if int(version.split(".", maxsplit=1)[0]) < MIN_MAJOR:
        return [Finding("redis", False, said, "Redis 7 or Valkey 8 or later is needed.")]
    if facts.get("role") not in ("master", None):
        return [Finding("redis", False, f"{said}, which takes no writes", "REDIS_URL has to name the primary.")]
    if settings.broker_url is not None:
        return [Finding("redis", True, f"{said}; the queue is RabbitMQ's")]
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        advice = "Set `maxmemory-policy noeviction`, or give the queue a server of its own."
        return [Finding("redis", False, f"{said} may throw queued work away (maxmemory-policy {policy})", advice)]
    # Not a fault: what Redis loses, the scheduler publishes again from PostgreSQL.
    kept = facts.get("aof_enabled") == 1
    hint = (
        "" if kept else "Set `appendonly yes`: after a restart, queued work would wait for the scheduler's next look."
    )
    return [
        Finding("redis", True, f"{said}, {'which keeps' if kept else 'which does not keep'} the queue on disk", hint)
    ]


async def broker(settings: Settings) -> Finding:
    import pika  # type: ignore[import-untyped]

    url = settings.broker_url or ""
    if urlsplit(url).scheme not in ("amqp", "amqps"):
        return Finding("broker", False, "BROKER_URL is not a URL", "It must look like amqp://user:password@host:5672/.")

    def connect() -> None:
        parameters = pika.URLParameters(url)
        parameters.socket_timeout = parameters.blocked_connection_timeout = TIMEOUT_SECONDS
        parameters.stack_timeout = TIMEOUT_SECONDS
        pika.BlockingConnection(parameters).close()

    try:
        await asyncio.to_thread(connect)
    except (pika.exceptions.AMQPError, *NETWORK_ERRORS) as error:
        return Finding("broker", False, unreachable(error), f"Is RabbitMQ up at {place(url)}?")
    return Finding("broker", True, "RabbitMQ answers")


async def work(connection: asyncpg.Connection, settings: Settings) -> list[Finding]:
    """Whether a scheduler and workers are at it. Development may be without."""
    row = await connection.fetchrow(_WORK, claims.TICK)
    ticked, waited, lenient = row["ticked"], row["waited"], settings.is_development
    findings = []
    if ticked is None or ticked > SILENT_SCHEDULER_SECONDS:
        said = "none has run" if ticked is None else f"silent for {ticked:.0f} s"
        findings.append(
            Finding("scheduler", lenient, said, "Start `tradewind scheduler`: timers and retries wait for it.")
        )
    else:
        findings.append(Finding("scheduler", True, "at work"))
    if waited is not None and waited > LATE_WORKERS_SECONDS:
        advice = "Start `tradewind worker`, or more of them; look at its log and at the broker."
        findings.append(Finding("workers", lenient, f"the oldest event has waited for {waited:.0f} s", advice))
    else:
        findings.append(Finding("workers", True, "nothing waits for long"))
    if row["dead"]:
        advice = "See `deadLetters` in GraphQL; `deadLetterReplay` lets one run again once its cause is mended."
        findings.append(Finding("dead letters", lenient, f"{row['dead']} events were given up on", advice))
    findings += _money(row["differing"], row["lapsing"])
    if row["broken"]:
        advice = "Run `tradewind invariants`, and see docs/operations.md."
        findings.append(Finding("books", False, f"not right: {', '.join(row['broken'])}", advice))
    return findings


def _money(differing: int, lapsing: int) -> list[Finding]:
    findings = []
    if differing:
        advice = "Run `tradewind reconcile`, or see `paymentDiscrepancies` in GraphQL."
        findings.append(Finding("payments", False, f"{differing} differ from what their gateway has", advice))
    if lapsing:
        advice = "Ship their orders, or have them paid anew: what is set aside cannot be captured for ever."
        findings.append(Finding("authorizations", False, f"{lapsing} lapse within a day, or have", advice))
    return findings

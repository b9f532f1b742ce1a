"""Whether the shop as a whole is well, asked of PostgreSQL and the broker when somebody scrapes.

Every process that is asked gives the same answer, so alerts take the `max` over instances. What it costs is bounded:
rows are counted up to a limit, through indexes that hold only what is unfinished; answers are kept for some seconds;
and one question at a time is under way, over a connection of its own, so that a scrape never waits behind shoppers.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric

from app.events import queue
from app.kit.postgres_url import connection_arguments
from app.settings import Settings

KEPT_SECONDS = 5.0
ANSWER_TIMEOUT_SECONDS = 4.0
"""Prometheus waits ten by default, and reads what this process counted in any case."""
MAX_COUNTED = 50_000
"""Of each kind of row; a gauge that says so means: at least."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Gauge:
    name: str
    says: str
    sql: str
    """One number, or NULL for nothing to tell."""
    labels: tuple[tuple[str, str], ...] = ()


def _count(rows: str) -> str:
    return f"SELECT count(*) FROM (SELECT FROM {rows} LIMIT {MAX_COUNTED}) counted"


def _age(moment: str, rows: str, clock: str = "clock_timestamp()") -> str:
    """Seconds since the earliest of these moments; 0 without one."""
    return f"SELECT coalesce(greatest(extract(epoch FROM {clock} - min({moment})), 0), 0) FROM {rows}"


# Delayed events are not due before `leased_until`, which nobody holds until their first attempt.
_WAITING = f"""(
    SELECT coalesce(leased_until, created_at) AS since FROM events
    WHERE acknowledged_at IS NULL AND attempts = 0 AND coalesce(leased_until, created_at) <= clock_timestamp()
    LIMIT {MAX_COUNTED}
) waiting"""
_RETRYING = f"""(
    SELECT created_at FROM events WHERE acknowledged_at IS NULL AND attempts > 0 LIMIT {MAX_COUNTED}
) retrying"""
_OVERDUE_HOLDS = """checkout_attempts
    WHERE state IN ('PROCESSING', 'REQUIRES_ACTION') AND hold_until < business_now() - interval '2 minutes'"""


def _settling(state: str) -> tuple[_Gauge, _Gauge]:
    rows = f"payments WHERE state = '{state}'"
    labels = (("state", state),)
    return (
        _Gauge("payments_settling", "Payments that a gateway has yet to confirm.", _count(rows), labels),
        _Gauge(
            "payments_settling_age_seconds",
            "How long the longest of them has waited.",
            _age("updated_at", rows, "business_now()"),
            labels,
        ),
    )


_GAUGES = [
    _Gauge(
        "events_undelivered",
        "Events that are due and nobody has begun to deliver, or that failed and are tried again.",
        f"SELECT count(*) FROM {_WAITING}",
        (("state", "waiting"),),
    ),
    _Gauge("events_undelivered", "", f"SELECT count(*) FROM {_RETRYING}", (("state", "trying"),)),
    _Gauge(
        "oldest_event_age_seconds",
        "Age of the oldest of them. Waiting ones tell of workers that are away or too few, tried ones of a fault.",
        _age("since", _WAITING),
        (("state", "waiting"),),
    ),
    _Gauge("oldest_event_age_seconds", "", _age("created_at", _RETRYING), (("state", "trying"),)),
    _Gauge(
        "oldest_due_timer_age_seconds",
        "By how much the oldest timer is late: flows, quotes and jobs wait for a scheduler.",
        _age("due_at", "timers", "business_now()"),
    ),
    _Gauge(
        "dead_letters_open",
        "Events that were given up on and wait for staff to replay them.",
        _count("dead_letters WHERE replayed_at IS NULL"),
    ),
    *(
        _Gauge("jobs", "Imports, exports and the like.", _count(f"jobs WHERE status = '{state}'"), (("state", state),))
        for state in ("QUEUED", "RUNNING")
    ),
    *(
        _Gauge(
            "messages",
            "Messages that are not settled. Nobody knows whether UNKNOWN ones arrived; a person decides.",
            _count(f"messages WHERE state = '{state}'"),
            (("state", state),),
        )
        for state in ("RESERVED", "SENDING", "UNKNOWN")
    ),
    _Gauge(
        "webhook_deliveries_waiting",
        "Webhooks that their receivers have not taken yet.",
        _count("webhook_deliveries WHERE state = 'PENDING'"),
    ),
    _Gauge(
        "stock_holds_overdue",
        "Checkouts whose stock should have been given back, or sold, two minutes ago.",
        _count(_OVERDUE_HOLDS),
    ),
    _Gauge(
        "payment_discrepancies_open",
        "Where a gateway and the shop do not agree about money, and nothing has settled it yet.",
        _count("payment_discrepancies WHERE settled_at IS NULL"),
    ),
    _Gauge(
        "payment_disputes_open",
        "Chargebacks, claims and inquiries that are not decided yet.",
        _count("payment_disputes WHERE state NOT IN ('WON', 'LOST')"),
    ),
    _Gauge(
        "refunds_settling",
        "Refunds that a gateway has yet to confirm.",
        _count("refunds WHERE state = 'PENDING'"),
    ),
    _Gauge(
        "authorizations_lapsing",
        "Payments that are set aside for a day at most, and not captured.",
        _count(
            "payments WHERE state IN ('AUTHORIZED', 'PARTIALLY_CAPTURED') AND authorized_until IS NOT NULL "
            "AND authorized_until < business_now() + interval '1 day'"
        ),
    ),
    *_settling("CAPTURING"),
    *_settling("VOIDING"),
    _Gauge(
        "database_server_connections",
        "Connections to the PostgreSQL server, of everybody.",
        "SELECT sum(numbackends) FROM pg_stat_database",
    ),
    _Gauge(
        "database_server_connections_max",
        "What the server allows.",
        "SELECT current_setting('max_connections')::int",
    ),
    *(
        _Gauge(
            "table_bytes",
            "Size of the tables that grow, with their indexes.",
            f"SELECT pg_total_relation_size('{table}')",
            (("table", table),),
        )
        for table in ("events", "event_receipts", "profile_events", "messages", "flow_run_steps", "audit_entries")
    ),
    *(
        _Gauge(
            "table_dead_rows",
            "Rows that vacuuming has yet to clear away.",
            f"SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = '{table}'::regclass",
            (("table", table),),
        )
        for table in ("events", "timers", "stock_levels", "flow_runs", "sessions")
    ),
]
_QUESTION = "SELECT " + ", ".join(f"({gauge.sql})::float8" for gauge in _GAUGES)
_LABELLED = """
    SELECT 'invariant_violations' AS metric, name AS label, violations::float8 AS value FROM invariant_results
    UNION ALL
    SELECT 'upkeep_age_seconds', name, extract(epoch FROM clock_timestamp() - done_at)::float8 FROM upkeep
    WHERE done_at IS NOT NULL
"""
_LABELS = {
    "invariant_violations": (
        "invariant",
        "Rows that broke this truth at the last check, 20 at most; -1 where the check took too long.",
    ),
    "upkeep_age_seconds": ("work", "Time since the scheduler last did this: tick, invariants, pruning."),
}


class ShopHealth:
    """The gauges of one process, remembered for a moment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asking: asyncio.Task[list[Metric]] | None = None
        self._known: list[Metric] = []
        self._known_at = 0.0

    async def metrics(self) -> list[Metric]:
        """Never raises; without an answer in time, `tradewind_shop_readable` is 0 and nothing else is told."""
        if self._known and time.monotonic() - self._known_at < KEPT_SECONDS:
            return self._known
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        # Not cancelled when it is late: the next scrape may find its answer, and no second question is asked meanwhile.
        await asyncio.wait((self._asking,), timeout=ANSWER_TIMEOUT_SECONDS)
        return self._asking.result() if self._asking.done() else [_readable(database=False, broker=None)]

    async def _ask(self) -> list[Metric]:
        (database, broker) = await asyncio.gather(
            _ask_database(self._settings), queue.depth(self._settings), return_exceptions=True
        )
        for failure in (database, broker):
            if isinstance(failure, BaseException):
                log.warning("metrics cannot be read", error=type(failure).__name__)
        found: list[Metric] = []
        if not isinstance(database, BaseException):
            found += database
        if not isinstance(broker, BaseException):
            found += _depth(broker)
        found.append(
            _readable(database=not isinstance(database, BaseException), broker=not isinstance(broker, BaseException))
        )
        self._known, self._known_at = found, time.monotonic()
        return found


async def _ask_database(settings: Settings) -> list[Metric]:
    connection = await asyncpg.connect(
        **connection_arguments(settings.database_url),
        timeout=ANSWER_TIMEOUT_SECONDS,
        command_timeout=ANSWER_TIMEOUT_SECONDS,
        server_settings={
            "application_name": "tradewind metrics",
            "statement_timeout": str(int(ANSWER_TIMEOUT_SECONDS * 1000)),
            "default_transaction_read_only": "on",
            "timezone": "UTC",
            "jit": "off",
            # Right after a rush the planner takes a table for smaller than it is, and would read all of it.
            "enable_seqscan": "off",
        },
    )
    try:
        values = await connection.fetchrow(_QUESTION)
        labelled = await connection.fetch(_LABELLED)
    finally:
        connection.terminate()  # without a farewell that a silent server would not take
    return [*_families(zip(_GAUGES, values, strict=True)), *_labelled(labelled)]


def _families(answers: Iterable[tuple[_Gauge, float | None]]) -> list[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for gauge, value in answers:
        if gauge.name not in families:
            names = [name for name, _ in gauge.labels]
            families[gauge.name] = GaugeMetricFamily(f"tradewind_{gauge.name}", gauge.says, labels=names)
        if value is not None:
            families[gauge.name].add_metric([label for _, label in gauge.labels], value)
    return list(families.values())


def _labelled(rows: Iterable[Mapping[str, Any]]) -> list[Metric]:
    families = {
        name: GaugeMetricFamily(f"tradewind_{name}", says, labels=[label]) for name, (label, says) in _LABELS.items()
    }
    for row in rows:
        families[row["metric"]].add_metric([row["label"]], row["value"])
    return list(families.values())


def _depth(depth: queue.Depth) -> list[Metric]:
    family = GaugeMetricFamily("tradewind_queue_jobs", "Jobs that the broker holds.", labels=["state"])
    family.add_metric(["waiting"], depth.waiting)
    if depth.in_hand is not None:
        family.add_metric(["in_hand"], depth.in_hand)
    return [family]


def _readable(*, database: bool, broker: bool | None) -> Metric:
    family = GaugeMetricFamily(
        "tradewind_shop_readable", "1 where the source of these gauges answered in time.", labels=["source"]
    )
    family.add_metric(["database"], int(database))
    if broker is not None:
        family.add_metric(["broker"], int(broker))
    return family

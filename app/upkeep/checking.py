"""Checking the books now and then, and remembering what was found: the metric and the runbook tell of it."""

import asyncpg
import structlog

from app import db, invariants
from app.invariants import Violation
from app.kit.postgres_url import connection_arguments
from app.settings import Settings
from app.upkeep import claims

NAME = "invariants"
EVERY_SECONDS = 15 * 60.0
STATEMENT_SECONDS = 60.0
"""A truth that takes longer to check in a large shop is left to `tradewind invariants`, and told as unanswered."""
LEASE_SECONDS = 60 * 60.0
NOT_TOLD = -1

log = structlog.get_logger(__name__)


async def check_if_due(settings: Settings) -> None:
    """By one scheduler of several, a quarter of an hour after the last time."""
    if not await claims.claim(NAME, every_seconds=EVERY_SECONDS, lease_seconds=LEASE_SECONDS):
        return
    try:
        await check_and_remember(settings)
    except BaseException:
        await claims.gave_up(NAME)
        raise
    await claims.done(NAME)


async def check_and_remember(settings: Settings) -> list[Violation]:
    """Over a connection of its own, with a time limit of its own: it must not take one from the shop."""
    connection = await asyncpg.connect(
        **connection_arguments(settings.database_url),
        timeout=10,
        server_settings={
            "application_name": "tradewind invariants",
            "statement_timeout": str(int(STATEMENT_SECONDS * 1000)),
            "timezone": "UTC",
        },
    )
    try:
        checked = await invariants.check_on(connection)
    finally:
        await connection.close(timeout=5)
    for violation in checked.violations:
        log.error("a truth does not hold", invariant=violation.name, rows=len(violation.rows))
    for name in checked.unanswered:
        log.warning("a truth takes too long to check", invariant=name)
    found = {violation.name: len(violation.rows) for violation in checked.violations}
    names = [invariant.name for invariant in invariants.INVARIANTS]
    counts = [NOT_TOLD if name in checked.unanswered else found.get(name, 0) for name in names]
    async with db.unit_of_work():
        await db.execute("DELETE FROM invariant_results WHERE name <> ALL($1)", names)
        await db.execute(
            """
            INSERT INTO invariant_results (name, violations, checked_at)
            SELECT r.name, r.violations, clock_timestamp() FROM unnest($1::text[], $2::int[]) AS r (name, violations)
            ON CONFLICT (name) DO UPDATE SET violations = EXCLUDED.violations, checked_at = EXCLUDED.checked_at
            """,
            names,
            counts,
        )
    return checked.violations

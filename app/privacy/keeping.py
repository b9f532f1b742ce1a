"""Enforcing the periods of `retention`: by the scheduler every hour, in small batches, and counted by a dry run."""

import structlog

from app import db
from app.privacy import batches, retention
from app.privacy.retention import RetentionKind
from app.privacy.sweeps import SWEEPS, Sweep
from app.privacy.tables import Subject, bound
from app.upkeep import claims

UPKEEP = "retention"
EVERY_SECONDS = 3600.0
LEASE_SECONDS = 900.0
MAX_BATCHES = 20
"""Of each table in one round: 10,000 rows. A shop that sets a shorter period gets there over some hours."""

log = structlog.get_logger(__name__)


async def enforce_if_due() -> None:
    """Once an hour, by one of the schedulers."""
    if not await claims.claim(UPKEEP, every_seconds=EVERY_SECONDS, lease_seconds=LEASE_SECONDS):
        return
    try:
        gone = await enforce()
    except BaseException:
        await claims.gave_up(UPKEEP)
        raise
    await claims.done(UPKEEP)
    if gone:
        log.info("retention", **{kind.value: rows for kind, rows in gone.items()})


async def enforce() -> dict[RetentionKind, int]:
    """One round; how many rows of each kind went or were emptied. Safe beside everything else, and beside itself."""
    days = {kept.kind: kept.days for kept in await retention.periods()}
    gone: dict[RetentionKind, int] = {}
    for sweep in SWEEPS:
        subject = Subject(days=days[sweep.kind])
        for _ in range(MAX_BATCHES):
            changed = await batches.one(sweep.step, subject, forgetting=True)
            if not changed:
                break
            gone[sweep.kind] = gone.get(sweep.kind, 0) + changed
    return gone


async def due() -> list[tuple[Sweep, int]]:
    """What a round would reach now, counted and not touched."""
    days = {kept.kind: kept.days for kept in await retention.periods()}
    counted = []
    for sweep in SWEEPS:
        sql, arguments = bound(
            f'SELECT count(*) FROM "{sweep.step.table}" t WHERE {sweep.step.condition}', Subject(days=days[sweep.kind])
        )
        counted.append((sweep, await db.fetchval(sql, *arguments)))
    return counted

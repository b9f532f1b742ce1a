"""Segments, made by the use case that staff call, and what they come to."""

import uuid
from collections.abc import Awaitable, Callable

from app import db
from app.conditions.checking import check
from app.conditions.evaluation import select
from app.segments import service


async def segment(key: str, condition: str, *, announce: bool = False) -> uuid.UUID:
    """A segment that is still to be built: its job runs with the next events."""
    return (await service.create(key=key, name=key.title(), condition=condition, announce=announce)).segment_id


async def built(drain: Callable[[], Awaitable[None]], key: str, condition: str) -> uuid.UUID:
    """A segment that is up to date."""
    segment_id = await segment(key, condition)
    await drain()
    assert await db.fetchval("SELECT status FROM segments WHERE id = $1", segment_id) == "READY"
    return segment_id


async def members(key: str) -> set[uuid.UUID]:
    rows = await db.fetch(
        """
        SELECT m.profile_id FROM segment_memberships m JOIN segments s ON s.id = m.segment_id
        WHERE s.key = $1 AND m.member
        """,
        key,
    )
    return {row["profile_id"] for row in rows}


async def told(key: str) -> list[tuple[str, uuid.UUID]]:
    """Who came and went, in that order, by the timeline."""
    rows = await db.fetch(
        """
        SELECT type, profile_id FROM profile_events
        WHERE type IN ('segment.entered', 'segment.left') AND data ->> 'segmentKey' = $1 ORDER BY id
        """,
        key,
    )
    return [(row["type"], row["profile_id"]) for row in rows]


async def check_books() -> None:
    """Every ready segment has exactly those for whom its condition holds now, and is counted as many."""
    everybody = [row["id"] for row in await db.fetch("SELECT id FROM profiles")]
    for row in await db.fetch("SELECT id, key, condition, status FROM segments"):
        kept = await members(row["key"])
        counted = await db.fetchval(
            "SELECT coalesce(sum(members), 0) FROM segment_counts WHERE segment_id = $1", row["id"]
        )
        assert counted == len(kept), f"{row['key']}: {counted} counted, {len(kept)} kept"
        if row["status"] == "READY":
            holding = await select(check(row["condition"]), everybody)
            assert kept == holding, f"{row['key']}: {len(kept - holding)} too many, {len(holding - kept)} missing"

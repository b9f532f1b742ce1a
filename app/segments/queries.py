"""Reading segments and their members."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.segments.models import SegmentStatus


@dataclass(frozen=True, slots=True)
class SegmentView:
    id: uuid.UUID
    key: str
    name: str
    condition: str
    status: SegmentStatus
    time_dependent: bool
    job_id: uuid.UUID | None
    failure: str | None
    failed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    member_count: int


@dataclass(frozen=True, slots=True)
class MemberView:
    profile_id: uuid.UUID
    entered_at: datetime


_SEGMENT = """
    SELECT s.id, s.key, s.name, s.condition, s.status, s.time_dependent, s.job_id, s.failure, s.failed_at, s.created_at,
           s.updated_at,
           greatest(coalesce((SELECT sum(members) FROM segment_counts n WHERE n.segment_id = s.id), 0), 0)::bigint
               AS member_count
    FROM segments s
"""


def _view(row: db.Record) -> SegmentView:
    return SegmentView(**{**row, "status": SegmentStatus(row["status"])})


async def load_many(segment_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, SegmentView]:
    rows = await db.fetch(f"{_SEGMENT} WHERE s.id = ANY($1)", list(segment_ids))
    return {row["id"]: _view(row) for row in rows}


async def by_key(key: str) -> SegmentView | None:
    row = await db.fetchrow(f"{_SEGMENT} WHERE s.key = $1", key)
    return _view(row) if row else None


async def page(*, after: uuid.UUID | None, backward: bool, limit: int) -> list[SegmentView]:
    """In walking order: newest first, or oldest first when walking backward."""
    comparison, direction = (">", "ASC") if backward else ("<", "DESC")
    rows = await db.fetch(
        f"{_SEGMENT} WHERE $1::uuid IS NULL OR s.id {comparison} $1 ORDER BY s.id {direction} LIMIT $2", after, limit
    )
    return [_view(row) for row in rows]


async def count() -> int:
    number: int = await db.fetchval("SELECT count(*) FROM segments")
    return number


async def members(
    segment_ids: Sequence[uuid.UUID], *, after: uuid.UUID | None, backward: bool, limit: int
) -> dict[uuid.UUID, list[MemberView]]:
    """Of each segment, in the order of their profiles' ids, the oldest first; in walking order."""
    comparison, direction = ("<", "DESC") if backward else (">", "ASC")
    rows = await db.fetch(
        f"""
        SELECT s.id AS segment_id, m.profile_id, m.changed_at AS entered_at
        FROM unnest($1::uuid[]) WITH ORDINALITY AS s (id, place) CROSS JOIN LATERAL (
            SELECT profile_id, changed_at FROM segment_memberships
            WHERE segment_id = s.id AND member AND ($2::uuid IS NULL OR profile_id {comparison} $2)
            ORDER BY profile_id {direction} LIMIT $3
        ) m ORDER BY s.place, m.profile_id {direction}
        """,
        list(segment_ids),
        after,
        limit,
    )
    found: dict[uuid.UUID, list[MemberView]] = defaultdict(list)
    for row in rows:
        found[row["segment_id"]].append(MemberView(row["profile_id"], row["entered_at"]))
    return found

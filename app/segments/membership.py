"""Who is in which segment: looked at again for the people whom something has happened to, never for everybody.

A person's row is locked before anything about them is read, so that of two looks the later one sees all that the
earlier one saw, and definitions are read after that: a look that began before a segment changed is over before its
building gets to that person.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from app import db
from app.conditions.checking import Condition, check
from app.conditions.evaluation import Answer, answer_all
from app.conditions.names import segment_need
from app.customers import timeline
from app.events import timers
from app.segments.models import SegmentStatus

SHARDS = 16
LOOK_DUE = "segment.look_due"
"""Timer of a profile: time alone may have changed which segments it is in."""
FAILURE_NOTED_EVERY = "1 hour"

_COLUMNS = "id, key, condition, revision, status, built_through"
_TOUCHED = f"SELECT {_COLUMNS} FROM segments WHERE $1::text[] IS NULL OR depends_on ?| $1 ORDER BY id"
_MOVING = f"SELECT {_COLUMNS} FROM segments WHERE time_dependent ORDER BY id"
_ONE = f"SELECT {_COLUMNS} FROM segments WHERE id = $1 AND revision = $2"
_CURRENT = """
    SELECT segment_id, profile_id FROM segment_memberships
    WHERE profile_id = ANY($1) AND segment_id = ANY($2) AND member
"""

# A segment that is being deleted is waited for; then it has no row here, and gets no members.
_WRITE = """
    WITH alive AS (
        SELECT id FROM segments WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE
    ), written AS (
        INSERT INTO segment_memberships AS m (segment_id, profile_id, member, changed_at)
        SELECT c.segment_id, c.profile_id, c.member, business_now()
        FROM unnest($1::uuid[], $2::uuid[], $3::bool[]) AS c (segment_id, profile_id, member)
        JOIN alive ON alive.id = c.segment_id
        ON CONFLICT (segment_id, profile_id) DO UPDATE SET member = EXCLUDED.member, changed_at = EXCLUDED.changed_at
        WHERE m.member <> EXCLUDED.member
        RETURNING segment_id, profile_id, member
    ), counted AS (
        INSERT INTO segment_counts AS n (segment_id, shard, members)
        SELECT w.segment_id, s.shard, sum(CASE WHEN w.member THEN 1 ELSE -1 END)
        FROM written w JOIN unnest($1::uuid[], $2::uuid[], $4::int[]) AS s (segment_id, profile_id, shard)
             USING (segment_id, profile_id)
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (segment_id, shard) DO UPDATE SET members = n.members + EXCLUDED.members
    )
    SELECT segment_id, profile_id, member FROM written
"""
_FAILED = f"""
    UPDATE segments SET failure = $2, failed_at = business_now()
    WHERE id = $1 AND (failed_at IS NULL OR failed_at < business_now() - interval '{FAILURE_NOTED_EVERY}')
"""


@dataclass(frozen=True, slots=True)
class Definition:
    """A segment as it is to be kept."""

    id: uuid.UUID
    key: str
    condition: Condition
    status: SegmentStatus
    built_through: uuid.UUID | None

    def has_been_built_for(self, profile_id: uuid.UUID) -> bool:
        """Whether this person was looked at under this condition: only then they come or go."""
        return self.status is SegmentStatus.READY or (
            self.built_through is not None and profile_id <= self.built_through
        )


async def touched(needs: Iterable[str] | None) -> list[Definition]:
    """Segments whose conditions read one of these; None for all segments."""
    return _definitions(await db.fetch(_TOUCHED, None if needs is None else list(needs)))


async def moving() -> list[Definition]:
    """Segments whose conditions can change by the passing of time."""
    return _definitions(await db.fetch(_MOVING))


async def one(segment_id: uuid.UUID, revision: int) -> Definition | None:
    """The segment, unless it is gone or another revision by now."""
    return next(iter(_definitions(await db.fetch(_ONE, segment_id, revision))), None)


def _definitions(rows: Iterable[db.Record]) -> list[Definition]:
    return [
        Definition(row["id"], row["key"], check(row["condition"]), SegmentStatus(row["status"]), row["built_through"])
        for row in rows
    ]


class Telling(Enum):
    """Which changes are told of by `segment.entered` and `segment.left`."""

    COMING_AND_GOING = "those of people for whom the segment has been built"
    EVERYTHING = "also those that a segment's building finds"
    NOTHING = "none"


async def look(
    segments: Sequence[Definition],
    profile_ids: Collection[uuid.UUID],
    *,
    telling: Telling = Telling.COMING_AND_GOING,
) -> None:
    """Ask these segments about these people, whose rows the open unit of work has locked, and write what changed.

    Whom a segment that is being built has not reached before is in it or is not, without having come.
    """
    answers = await answer_all([segment.condition for segment in segments], profile_ids)
    members = {
        (row["segment_id"], row["profile_id"])
        for row in await db.fetch(_CURRENT, list(answers), [segment.id for segment in segments])
    }
    changed: list[tuple[Definition, uuid.UUID, bool]] = []
    failed: dict[uuid.UUID, str] = {}
    turns: dict[uuid.UUID, datetime] = {}
    for profile_id, given in answers.items():
        for segment, answer in zip(segments, given, strict=True):
            if answer.holds != ((segment.id, profile_id) in members):
                changed.append((segment, profile_id, answer.holds))
            if answer.failure is not None:
                failed[segment.id] = answer.failure.cause
        if (turn := _earliest(given)) is not None:
            turns[profile_id] = turn
    if changed:
        await _write(changed, telling)
    await timers.schedule_earliest(LOOK_DUE, turns)
    for segment_id, cause in sorted(failed.items()):
        await db.execute(_FAILED, segment_id, cause)


def _earliest(answers: Iterable[Answer]) -> datetime | None:
    return min((answer.changes_at for answer in answers if answer.changes_at is not None), default=None)


async def _write(changed: Sequence[tuple[Definition, uuid.UUID, bool]], telling: Telling) -> None:
    rows = await db.fetch(
        _WRITE,
        [segment.id for segment, _, _ in changed],
        [profile_id for _, profile_id, _ in changed],
        [member for _, _, member in changed],
        [profile_id.int % SHARDS for _, profile_id, _ in changed],
    )
    by_id = {segment.id: segment for segment, _, _ in changed}
    quiet: list[tuple[Definition, uuid.UUID]] = []
    for row in rows:
        segment, profile_id = by_id[row["segment_id"]], row["profile_id"]
        built = segment.has_been_built_for(profile_id)
        if telling is Telling.EVERYTHING or (telling is Telling.COMING_AND_GOING and built):
            await timeline.record(
                "segment.entered" if row["member"] else "segment.left",
                profile_id=profile_id,
                subject_id=segment.id,
                data={"segmentKey": segment.key, "segmentId": str(segment.id)},
            )
        else:
            quiet.append((segment, profile_id))
    if quiet:
        # No event makes the segments that ask for these look again, so they do it here; none asks for itself.
        asking = await touched({segment_need(segment.key) for segment, _ in quiet})
        if asking:
            await look(asking, {profile_id for _, profile_id in quiet}, telling=Telling.NOTHING)

"""Making, changing and deleting segments."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from app import db, events
from app.conditions.checking import Condition, check
from app.conditions.names import segment_need
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.segments import building, deleting
from app.segments.errors import SegmentErrorCode

MAX_SEGMENTS = 200
"""Each event of a person is asked about by all segments that it touches."""
MAX_NAME_CHARACTERS = 120
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,79}")
_DEFINITIONS_LOCK_ID = 0x7477_7365_676D


@dataclass(frozen=True, slots=True)
class Saved:
    """`job_id` builds it; None where nothing has to be built."""

    segment_id: uuid.UUID
    job_id: uuid.UUID | None


async def create(
    *, key: str, name: str, condition: str, announce: bool = False, staff_id: uuid.UUID | None = None
) -> Saved:
    """Make a segment and queue its building.

    Args:
        announce: whether those who are in it from the start are told of as entering.

    Raises:
        DomainError: INVALID for the key, CONDITION_INVALID, SEGMENT_KEY_TAKEN, TOO_MANY segments, REQUIRED or TOO_LONG
            for the name, NOT_FOUND for a segment that the condition asks for.
    """
    if not _KEY.fullmatch(key):
        message = "A key begins with a small letter, and has small letters, digits, _ and - after that, 80 at most."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "key"])
    name = _checked_name(name)
    checked = _checked(condition)
    segment_id = new_id()
    async with db.unit_of_work():
        await _hold_definitions()
        taken, number = await _standing(key)
        if taken:
            raise DomainError(SegmentErrorCode.SEGMENT_KEY_TAKEN, f"There is a segment {key}.", ["input", "key"])
        if number >= MAX_SEGMENTS:
            raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has at most {MAX_SEGMENTS} segments.")
        await _check_references(key, checked)
        job_id = await building.request(segment_id, 1, announce=announce, staff_id=staff_id)
        await db.execute(
            """
            INSERT INTO segments (id, key, name, condition, revision, status, depends_on, time_dependent, job_id,
                                  created_at, updated_at)
            VALUES ($1, $2, $3, $4, 1, 'BUILDING', $5::jsonb, $6, $7, clock_timestamp(), clock_timestamp())
            """,
            segment_id,
            key,
            name,
            condition,
            _json(checked.needs),
            checked.time_dependent,
            job_id,
        )
    return Saved(segment_id, job_id)


async def update(
    segment_id: uuid.UUID,
    *,
    name: str | None = None,
    condition: str | None = None,
    announce: bool = False,
    staff_id: uuid.UUID | None = None,
) -> Saved:
    """Change the name, the condition, or both; None leaves one as it is. Another condition is built anew.

    Args:
        announce: whether those whom the new condition brings in or takes out are told of.

    Raises:
        DomainError: NOT_FOUND; as `create`; SEGMENTS_IN_A_CIRCLE.
    """
    if name is not None:
        name = _checked_name(name)
    checked = None if condition is None else _checked(condition)
    async with db.unit_of_work():
        await _hold_definitions()
        row = await db.fetchrow("SELECT key, condition, revision FROM segments WHERE id = $1 FOR UPDATE", segment_id)
        if row is None:
            raise not_found("segment", ["id"])
        if name is not None:
            await db.execute(
                "UPDATE segments SET name = $2, updated_at = clock_timestamp() WHERE id = $1", segment_id, name
            )
        if checked is None or condition == row["condition"]:
            return Saved(segment_id, None)
        await _check_references(row["key"], checked)
        revision = row["revision"] + 1
        job_id = await building.request(segment_id, revision, announce=announce, staff_id=staff_id)
        await db.execute(
            """
            UPDATE segments
            SET condition = $2, revision = $3, status = 'BUILDING', built_through = NULL, depends_on = $4::jsonb,
                time_dependent = $5, job_id = $6, failure = NULL, failed_at = NULL, updated_at = clock_timestamp()
            WHERE id = $1
            """,
            segment_id,
            condition,
            revision,
            _json(checked.needs),
            checked.time_dependent,
            job_id,
        )
    return Saved(segment_id, job_id)


async def delete(segment_id: uuid.UUID) -> None:
    """Take a segment away. Nobody is told of as leaving it.

    Raises:
        DomainError: NOT_FOUND; SEGMENT_IN_USE while another segment's condition asks for it.
    """
    async with db.unit_of_work():
        await _hold_definitions()
        row = await db.fetchrow("SELECT key FROM segments WHERE id = $1 FOR UPDATE", segment_id)
        if row is None:
            raise not_found("segment", ["id"])
        users = await db.fetch(
            "SELECT key FROM segments WHERE depends_on ? $1 AND id <> $2 ORDER BY key",
            segment_need(row["key"]),
            segment_id,
        )
        if users:
            named = ", ".join(user["key"] for user in users)
            raise DomainError(SegmentErrorCode.SEGMENT_IN_USE, f"It is asked for by the segments {named}.", ["id"])
        await db.execute("DELETE FROM segments WHERE id = $1", segment_id)
        await events.record(deleting.DELETED, subject_id=segment_id)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise DomainError(CommonErrorCode.REQUIRED, "A segment needs a name.", ["input", "name"])
    if len(name) > MAX_NAME_CHARACTERS:
        message = f"A name has at most {MAX_NAME_CHARACTERS} characters."
        raise DomainError(CommonErrorCode.TOO_LONG, message, ["input", "name"])
    return name


def _checked(condition: str) -> Condition:
    try:
        return check(condition)
    except DomainError as error:
        raise error.under("input", "condition") from None


def _json(needs: Iterable[str]) -> str:
    return orjson.dumps(sorted(needs)).decode()


async def _hold_definitions() -> None:
    """Segments ask for each other: one change of what they ask at a time."""
    await db.execute("SELECT pg_advisory_xact_lock($1)", _DEFINITIONS_LOCK_ID)


async def _standing(key: str) -> tuple[bool, int]:
    row: Any = await db.fetchrow(
        "SELECT coalesce(bool_or(key = $1), false) AS taken, count(*) AS number FROM segments", key
    )
    return row["taken"], row["number"]


async def _check_references(key: str, condition: Condition) -> None:
    """The segments that it asks for exist, and none of them asks for this one in the end."""
    prefix = segment_need("")
    asked = {need.removeprefix(prefix) for need in condition.needs if need.startswith(prefix)}
    if not asked:
        return
    rows = await db.fetch("SELECT key, depends_on FROM segments")
    asks = {row["key"]: [n.removeprefix(prefix) for n in orjson.loads(row["depends_on"]) if n.startswith(prefix)]
            for row in rows}  # fmt: skip
    waiting, seen = sorted(asked), set()
    while waiting:
        other = waiting.pop()
        if other == key:
            message = f"{key} would be in itself, by way of what its condition asks for."
            raise DomainError(SegmentErrorCode.SEGMENTS_IN_A_CIRCLE, message, ["input", "condition"])
        if other not in asks:
            raise DomainError(CommonErrorCode.NOT_FOUND, f"There is no segment {other}.", ["input", "condition"])
        if other not in seen:
            seen.add(other)
            waiting += asks[other]

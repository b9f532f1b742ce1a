"""Reading profiles, their timelines and their orders. Only staff do."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from app import db
from app.customers.models import LifecycleStage
from app.errors import CommonErrorCode, DomainError
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

ProfileRow = Mapping[str, Any]
"""The columns of `profiles` with decoded `properties`, and the shop's `currency_code`."""

CURSOR_PROFILES = "profiles"
CURSOR_TIMELINE = "timeline"
MAX_QUERY_CHARS = 200

# Each part has an index for beginnings. $2: what staff typed; $3: its digits, as the beginning of a number.
_FOUND = """
    lower(p.email) LIKE $2 OR p.phone LIKE $3 OR lower(p.last_name) LIKE $2
    OR (lower(p.first_name) || ' ' || lower(p.last_name)) LIKE $2
"""
_COLUMNS = "p.*, (SELECT s.currency_code FROM shop s WHERE s.id = 1) AS currency_code"


async def by_ids(profile_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, ProfileRow]:
    """Living profiles by the ids that were asked for; the id of a merged one leads to where it lives on."""
    rows = await db.fetch(
        f"""
        SELECT asked.id AS asked_id, {_COLUMNS} FROM profiles asked
        JOIN profiles p ON p.id = coalesce(asked.merged_into_id, asked.id) WHERE asked.id = ANY($1::uuid[])
        """,
        list(profile_ids),
    )
    return {row["asked_id"]: _decoded(row) for row in rows}


async def search(
    request: PageRequest, *, query: str | None, stage: LifecycleStage | None, count: bool
) -> PageResult[ProfileRow]:
    """Profiles, the newest first; one statement, and one more where they are counted.

    Args:
        query: beginning of an email address, a phone number in international form, a last name, or a first and last
            name. Without it, anonymous visitors are left out unless their stage is asked for.

    Raises:
        DomainError: TOO_LONG for the query, INVALID for it or for the cursor.
    """
    where = "p.merged_into_id IS NULL AND p.erased_at IS NULL AND ($1::text IS NULL OR p.stage = $1)"
    arguments: list[object] = [stage and stage.value]
    if needle := _needle(query):
        where += f" AND ({_FOUND})"
        arguments += [needle, _number(needle)]
    elif stage is None:
        where += " AND p.stage <> 'VISITOR'"
    total = await db.fetchval(f"SELECT count(*) FROM profiles p WHERE {where}", *arguments) if count else None
    if request.cursor is not None:
        place = len(arguments) + 1
        where += f" AND (p.created_at, p.id) < (${place}::timestamptz, ${place + 1}::uuid)"
        arguments += _moment_and_id(request.cursor)
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM profiles p WHERE {where} ORDER BY p.created_at DESC, p.id DESC "
        f"LIMIT {request.fetch_limit}",
        *arguments,
    )
    cursors = [encode_cursor([row["created_at"].isoformat(), row["id"].hex], CURSOR_PROFILES) for row in rows]
    return page_of([_decoded(row) for row in rows], cursors, request, total)


async def timelines(
    profile_ids: Sequence[uuid.UUID], request: PageRequest, *, types: Sequence[str] | None, count: bool
) -> dict[uuid.UUID, PageResult[Mapping[str, Any]]]:
    """A page of each timeline, the latest first; one statement for all, and one more where they are counted.

    Raises:
        DomainError: INVALID for the cursor.
    """
    moment, event_id = _moment_and_id(request.cursor) if request.cursor is not None else (None, None)
    rows = await db.fetch(
        """
        SELECT e.* FROM unnest($1::uuid[]) AS p (id)
        CROSS JOIN LATERAL (
            SELECT * FROM profile_events
            WHERE profile_id = p.id AND ($2::text[] IS NULL OR type = ANY($2))
              AND ($3::timestamptz IS NULL OR (occurred_at, id) < ($3, $4::uuid))
            ORDER BY occurred_at DESC, id DESC LIMIT $5
        ) e
        ORDER BY e.occurred_at DESC, e.id DESC
        """,
        list(profile_ids),
        types,
        moment,
        event_id,
        request.fetch_limit,
    )
    totals = await _count_timelines(profile_ids, types) if count else {}
    pages: dict[uuid.UUID, PageResult[Mapping[str, Any]]] = {}
    for profile_id in profile_ids:
        mine: list[Mapping[str, Any]] = [
            {**row, "data": orjson.loads(row["data"])} for row in rows if row["profile_id"] == profile_id
        ]
        cursors = [encode_cursor([row["occurred_at"].isoformat(), row["id"].hex], CURSOR_TIMELINE) for row in mine]
        pages[profile_id] = page_of(mine, cursors, request, totals.get(profile_id, 0) if count else None)
    return pages


async def _count_timelines(profile_ids: Sequence[uuid.UUID], types: Sequence[str] | None) -> dict[uuid.UUID, int]:
    rows = await db.fetch(
        """
        SELECT profile_id, count(*) AS events FROM profile_events
        WHERE profile_id = ANY($1::uuid[]) AND ($2::text[] IS NULL OR type = ANY($2)) GROUP BY profile_id
        """,
        list(profile_ids),
        types,
    )
    return {row["profile_id"]: row["events"] for row in rows}


def _decoded(row: Mapping[str, Any]) -> ProfileRow:
    return {**row, "properties": orjson.loads(row["properties"])}


def _needle(query: str | None) -> str | None:
    """What staff typed, as the beginning of something: lower case, no wildcards."""
    text = " ".join((query or "").split()).lower()
    if len(text) > MAX_QUERY_CHARS:
        raise DomainError(CommonErrorCode.TOO_LONG, f"At most {MAX_QUERY_CHARS} characters.", ["query"])
    if "\x00" in text:
        raise DomainError(CommonErrorCode.INVALID, "The text holds a character that nobody has.", ["query"])
    for character in ("\\", "%", "_"):
        text = text.replace(character, f"\\{character}")
    return f"{text}%" if text else None


def _number(needle: str) -> str | None:
    """As numbers are kept: a plus and digits."""
    digits = "".join(character for character in needle if character.isdigit())
    return f"+{digits}%" if digits and not any(character.isalpha() for character in needle) else None


def _moment_and_id(values: tuple[str | int | None, ...]) -> tuple[datetime, uuid.UUID]:
    try:
        moment, row_id = values
        # A forged cursor may lie outside of the years that UTC has.
        return datetime.fromisoformat(str(moment)).astimezone(UTC), uuid.UUID(hex=str(row_id))
    except (ValueError, OverflowError) as error:
        raise DomainError(CommonErrorCode.INVALID, "The cursor does not belong to this list.", ["after"]) from error

"""Reading the audit log, the newest first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.audit.models import ActorKind, AuditOutcome
from app.db import Record
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

ORDER = "audit"
MAX_CHANGES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Change:
    table: str
    row_id: str
    operation: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Entry:
    id: uuid.UUID
    occurred_at: datetime
    actor_kind: ActorKind
    actor_id: uuid.UUID | None
    actor_name: str
    action: str
    outcome: AuditOutcome
    error_codes: list[str]
    ip: str | None
    user_agent: str | None
    request_id: str | None
    change_count: int = 0
    changes: list[Change] = field(default_factory=list)
    """The first of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """None for any."""

    actor_id: uuid.UUID | None = None
    action: str | None = None
    subject_id: uuid.UUID | None = None
    """Of a row that was changed."""
    since: datetime | None = None
    until: datetime | None = None


_MATCHES = """
    ($1::uuid IS NULL OR e.actor_id = $1) AND ($2::text IS NULL OR e.action = $2)
    AND ($3::text IS NULL OR EXISTS (
        SELECT FROM audit_changes c WHERE c.entry_id = e.id AND c.row_id = $3
    ))
    AND ($4::timestamptz IS NULL OR e.occurred_at >= $4) AND ($5::timestamptz IS NULL OR e.occurred_at < $5)
"""
# Ids are made in the order of time.
_PAGE = f"""
    SELECT e.id, e.occurred_at, e.actor_kind, e.actor_id, e.actor_name, e.action, e.outcome, e.error_codes, e.ip,
           e.user_agent, e.request_id
    FROM audit_entries e
    WHERE {_MATCHES} AND ($6::uuid IS NULL OR e.id < $6)
    ORDER BY e.id DESC LIMIT $7
"""
_CHANGES = """
    SELECT e.id AS entry_id, n.total, c.table_name, c.row_id, c.operation, c.before, c.after
    FROM unnest($1::uuid[]) AS e (id)
    CROSS JOIN LATERAL (SELECT count(*) AS total FROM audit_changes WHERE entry_id = e.id) n
    CROSS JOIN LATERAL (SELECT * FROM audit_changes WHERE entry_id = e.id ORDER BY id LIMIT $2) c
    ORDER BY c.id
"""


async def page(wanted: Wanted, request: PageRequest, *, changes: bool, counted: bool) -> PageResult[Entry]:
    """Args: changes: whether they are read too, up to 100 of each entry."""
    filters = (
        wanted.actor_id,
        wanted.action,
        None if wanted.subject_id is None else str(wanted.subject_id),
        wanted.since,
        wanted.until,
    )
    rows = await db.fetch(_PAGE, *filters, request.cursor_id(), request.fetch_limit)
    found = await _changes([row["id"] for row in rows]) if changes and rows else {}
    total = await db.fetchval(f"SELECT count(*) FROM audit_entries e WHERE {_MATCHES}", *filters) if counted else None
    entries = [_entry(row, *found.get(row["id"], (0, []))) for row in rows]
    return page_of(entries, [encode_cursor([row["id"].hex], ORDER) for row in rows], request, total)


async def _changes(entry_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[int, list[Change]]]:
    found: dict[uuid.UUID, tuple[int, list[Change]]] = {}
    for row in await db.fetch(_CHANGES, list(entry_ids), MAX_CHANGES_SHOWN):
        change = Change(
            row["table_name"], row["row_id"], row["operation"], _decoded(row["before"]), _decoded(row["after"])
        )
        found.setdefault(row["entry_id"], (row["total"], []))[1].append(change)
    return found


def _entry(row: Record, change_count: int, changes: list[Change]) -> Entry:
    return Entry(
        id=row["id"],
        occurred_at=row["occurred_at"],
        actor_kind=ActorKind(row["actor_kind"]),
        actor_id=row["actor_id"],
        actor_name=row["actor_name"],
        action=row["action"],
        outcome=AuditOutcome(row["outcome"]),
        error_codes=orjson.loads(row["error_codes"]),
        ip=row["ip"],
        user_agent=row["user_agent"],
        request_id=row["request_id"],
        change_count=change_count,
        changes=changes,
    )


def _decoded(text: str | None) -> dict[str, Any] | None:
    return None if text is None else orjson.loads(text)

"""Templates as staff see them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.kit.pagination import PageRequest
from app.messaging.models import MessageChannel, MessagePurpose

MAX_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class VersionRow:
    id: uuid.UUID
    language: str
    number: int
    subject: str | None
    preheader: str | None
    mjml: str | None
    text: str
    created_at: datetime
    published_at: datetime | None
    is_sent: bool
    """The newest published one of its language."""


@dataclass(frozen=True, slots=True)
class TemplateRow:
    id: uuid.UUID
    key: str
    name: str
    channel: MessageChannel
    purpose: MessagePurpose
    trigger: str | None
    created_at: datetime
    updated_at: datetime
    versions: list[VersionRow]


_SELECT = f"""
    SELECT t.*, (
        SELECT coalesce(json_agg(v ORDER BY v.created_at DESC, v.id DESC), '[]') FROM (
            SELECT v.id, v.language, v.number, v.subject, v.preheader, v.mjml, v.text, v.created_at, v.published_at,
                   v.published_at IS NOT NULL AND v.number = max(v.number) FILTER (WHERE v.published_at IS NOT NULL)
                       OVER (PARTITION BY v.language) AS is_sent
            FROM message_template_versions v WHERE v.template_id = t.id
            ORDER BY v.created_at DESC, v.id DESC LIMIT {MAX_VERSIONS}
        ) v
    ) AS versions
    FROM message_templates t
"""
_WHERE = "($1::text IS NULL OR t.channel = $1)"


async def page(request: PageRequest, channel: MessageChannel | None) -> list[TemplateRow]:
    """Newest first."""
    rows = await db.fetch(
        f"{_SELECT} WHERE {_WHERE} AND ($2::uuid IS NULL OR t.id < $2) ORDER BY t.id DESC LIMIT $3",
        channel,
        request.cursor_id(),
        request.fetch_limit,
    )
    return [_row(row) for row in rows]


async def count(channel: MessageChannel | None) -> int:
    total: int = await db.fetchval(f"SELECT count(*) FROM message_templates t WHERE {_WHERE}", channel)
    return total


async def by_ids(template_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, TemplateRow]:
    rows = await db.fetch(f"{_SELECT} WHERE t.id = ANY($1)", list(template_ids))
    return {row["id"]: _row(row) for row in rows}


async def id_of(key: str) -> uuid.UUID | None:
    found: uuid.UUID | None = await db.fetchval("SELECT id FROM message_templates WHERE key = $1", key)
    return found


def _row(row: Mapping[str, Any]) -> TemplateRow:
    return TemplateRow(
        id=row["id"],
        key=row["key"],
        name=row["name"],
        channel=MessageChannel(row["channel"]),
        purpose=MessagePurpose(row["purpose"]),
        trigger=row["trigger"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        versions=[_version(version) for version in orjson.loads(row["versions"])],
    )


def _version(found: dict[str, Any]) -> VersionRow:
    moments = {name: found[name] and datetime.fromisoformat(found[name]) for name in ("created_at", "published_at")}
    return VersionRow(**{**found, "id": uuid.UUID(found["id"]), **moments})

"""The send ledger as staff see it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db
from app.kit.pagination import PageRequest
from app.messaging.models import MessageChannel, MessageReason, MessageState

_COLUMNS = """
    id, channel, purpose, template, recipient, order_id, state, reason, detail, attempts, provider, provider_reference,
    resend_of, created_at, sent_at, profile_id, flow_id, run_id, step_key, campaign_id, cart_id, segments, delivered_at,
    clicked_at, bounced_at, complained_at, unsubscribed_at,
    (SELECT f.key FROM flows f WHERE f.id = messages.flow_id) AS flow_key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """What is None does not narrow the list."""

    order_id: uuid.UUID | None = None
    state: MessageState | None = None
    flow_id: uuid.UUID | None = None
    run_id: uuid.UUID | None = None
    profile_id: uuid.UUID | None = None
    """Also what was sent to those who were joined with this profile."""
    campaign_id: uuid.UUID | None = None
    channel: MessageChannel | None = None
    reason: MessageReason | None = None

    def where(self) -> tuple[str, list[object]]:
        """A condition with `$1` parameters, and their values: only what is asked for is in it, so that each finds its
        index."""
        parts: list[str] = []
        values: list[object] = []
        for column in ("order_id", "state", "flow_id", "run_id", "campaign_id", "channel", "reason"):
            value = getattr(self, column)
            if value is not None:
                values.append(value)
                parts.append(f"{column} = ${len(values)}")
        if self.profile_id is not None:
            values.append(self.profile_id)
            number = len(values)
            parts.append(f"profile_id IN (SELECT id FROM profiles WHERE id = ${number} OR merged_into_id = ${number})")
        return " AND ".join(parts) or "true", values


async def page(request: PageRequest, only: MessageFilter) -> list[db.Record]:
    """Newest first."""
    where, values = only.where()
    cursor = request.cursor_id()
    if cursor is not None:
        values.append(cursor)
        where += f" AND id < ${len(values)}"
    values.append(request.fetch_limit)
    return await db.fetch(
        f"SELECT {_COLUMNS} FROM messages WHERE {where} ORDER BY id DESC LIMIT ${len(values)}", *values
    )


async def count(only: MessageFilter) -> int:
    where, values = only.where()
    total: int = await db.fetchval(f"SELECT count(*) FROM messages WHERE {where}", *values)
    return total


async def by_ids(message_ids: Sequence[uuid.UUID]) -> list[db.Record]:
    return await db.fetch(f"SELECT {_COLUMNS} FROM messages WHERE id = ANY($1)", list(message_ids))

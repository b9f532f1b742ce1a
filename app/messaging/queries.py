"""The send ledger as staff see it."""

import uuid
from collections.abc import Sequence

from app import db
from app.kit.pagination import PageRequest
from app.messaging.models import MessageState

_COLUMNS = """
    id, channel, purpose, template, recipient, order_id, state, reason, detail, attempts, provider_reference,
    resend_of, created_at, sent_at
"""
_WHERE = "($1::uuid IS NULL OR order_id = $1) AND ($2::text IS NULL OR state = $2)"


async def page(request: PageRequest, order_id: uuid.UUID | None, state: MessageState | None) -> list[db.Record]:
    """Newest first."""
    return await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM messages WHERE {_WHERE} AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC LIMIT $4
        """,
        order_id,
        state,
        request.cursor_id(),
        request.fetch_limit,
    )


async def count(order_id: uuid.UUID | None, state: MessageState | None) -> int:
    total: int = await db.fetchval(f"SELECT count(*) FROM messages WHERE {_WHERE}", order_id, state)
    return total


async def by_ids(message_ids: Sequence[uuid.UUID]) -> list[db.Record]:
    return await db.fetch(f"SELECT {_COLUMNS} FROM messages WHERE id = ANY($1)", list(message_ids))

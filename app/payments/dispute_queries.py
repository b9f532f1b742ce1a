"""Reading disputes."""

import uuid
from typing import Any

from app import db
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

CURSOR_ORDER = "payment_disputes"

_OPEN = "d.state NOT IN ('WON', 'LOST')"


async def listed(request: PageRequest, *, only_open: bool, count: bool) -> PageResult[dict[str, Any]]:
    """A page of them with their orders' ids, the newest first. Raises DomainError(INVALID) for the cursor."""
    where = _OPEN if only_open else "true"
    total = await db.fetchval(f"SELECT count(*) FROM payment_disputes d WHERE {where}") if count else None
    rows = await db.fetch(
        f"""
        SELECT d.*, p.order_id FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
        WHERE {where} AND ($1::uuid IS NULL OR d.id < $1) ORDER BY d.id DESC LIMIT $2
        """,
        request.cursor_id(),
        request.fetch_limit,
    )
    cursors = [encode_cursor([_id(row).hex], CURSOR_ORDER) for row in rows]
    return page_of([dict(row) for row in rows], cursors, request, total)


def _id(row: db.Record) -> uuid.UUID:
    found: uuid.UUID = row["id"]
    return found

"""Reading disputes."""

import uuid
from typing import Any

from app import db
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

CURSOR_ORDER = "payment_disputes"

# Of credit that gift cards of the disputed order `p` became (`gift_cards.credit_parts`): while the dispute `d` is not
# won, whatever is not spent is withheld, or over.
_MADE = """
    FROM gift_cards g
    JOIN stored_value_entries taken ON taken.stored_value_id = g.id AND taken.source_key LIKE 'redeem:%:card'
    JOIN stored_value_entries made ON made.source_key = replace(taken.source_key, ':card', ':credit')
    JOIN stored_value_entries moved ON moved.stored_value_id = made.stored_value_id
     AND (moved.id = made.id OR moved.part_id = made.id)
    WHERE g.order_id = p.order_id AND d.state <> 'WON'
"""
WITHHELD = f"""(
    SELECT coalesce(-sum(moved.amount_minor) FILTER (WHERE moved.kind IN ('WITHHOLD', 'RESTORE')), 0)::bigint {_MADE}
)"""
SPENT = f"(SELECT coalesce(sum(moved.amount_minor), 0)::bigint {_MADE})"

_OPEN = "d.state NOT IN ('WON', 'LOST')"


async def listed(request: PageRequest, *, only_open: bool, count: bool) -> PageResult[dict[str, Any]]:
    """A page of them with their orders' ids, the newest first. Raises DomainError(INVALID) for the cursor."""
    where = _OPEN if only_open else "true"
    total = await db.fetchval(f"SELECT count(*) FROM payment_disputes d WHERE {where}") if count else None
    rows = await db.fetch(
        f"""
        SELECT d.*, p.order_id, {WITHHELD} AS withheld_minor, {SPENT} AS spent_minor
        FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
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

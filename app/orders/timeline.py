"""What happened to an order, when, by whom and why.

Changes of its states, its parcels and its mail are noted by triggers, so that nothing is done to an order that its
timeline does not tell. Here is what is noted by hand, and how it is read. Who it was is what the open transaction's
entry of the audit log says.
"""

import uuid
from collections.abc import Mapping, Sequence

import orjson

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.text import check_text
from app.orders import status
from app.orders.models import OrderActorKind, OrderEventType

MAX_NOTE_CHARS = 2_000

_NOTE = "SELECT note_order_event($1, $2, $3, $4, $5::jsonb)"
_OF_ORDERS = """
    SELECT e.id, e.order_id, e.type, e.occurred_at, e.actor_kind,
           coalesce(u.name, k.name, c.email) AS actor_name, e.reason, e.data
    FROM order_events e
    LEFT JOIN staff_users u ON u.id = e.actor_id
    LEFT JOIN api_keys k ON k.id = e.actor_id
    LEFT JOIN customers c ON c.id = e.actor_id
    WHERE e.order_id = ANY($1) ORDER BY e.order_id, e.position
"""


async def note(
    order_id: uuid.UUID,
    event_type: OrderEventType,
    *,
    by: OrderActorKind = OrderActorKind.SYSTEM,
    reason: str | None = None,
    data: Mapping[str, object] | None = None,
) -> None:
    """Write an event in the open unit of work.

    Args:
        by: who did it, where the transaction is not one of staff, of a key or of an operator: those are known.
        reason: in the words of whoever did it, already checked.
        data: ids, states and amounts; no personal data.
    """
    db.current_unit_of_work()
    await db.execute(_NOTE, order_id, event_type.value, by.value, reason, orjson.dumps(data or {}).decode())


async def add_note(order_id: uuid.UUID, text: str) -> None:
    """Keep a word of staff with an order.

    Raises:
        DomainError: NOT_FOUND, REQUIRED, TOO_LONG, INVALID for control characters.
    """
    text = text.strip()
    if not text:
        raise DomainError(CommonErrorCode.REQUIRED, "Write something.", ["text"])
    if wrong := check_text(text, MAX_NOTE_CHARS, ["text"]):
        raise wrong
    async with db.unit_of_work():
        if await status.lock_order(order_id) is None:
            raise not_found("order", ["orderId"])
        await note(order_id, OrderEventType.NOTE_ADDED, reason=text)


async def of_orders(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[db.Record]]:
    """The events of each order, oldest first, by one statement. Who may see them is the caller's to know."""
    found: dict[uuid.UUID, list[db.Record]] = {order_id: [] for order_id in order_ids}
    for row in await db.fetch(_OF_ORDERS, list(order_ids)):
        found[row["order_id"]].append(row)
    return found

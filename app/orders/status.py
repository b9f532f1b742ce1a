"""Locking an order, and telling what happened to it. All of it joins the open unit of work.

Whoever changes an order and its payment locks the order first.
"""

import uuid
from collections.abc import Mapping

from app import db, events, live
from app.customers import timeline
from app.customers.vocabulary import EVENT_TYPES

ORDER_PAID = "order.paid"
ORDER_FULFILLED = "order.fulfilled"


def order_topic(order_id: uuid.UUID) -> str:
    """What subscriptions to an order's tracking listen to."""
    return f"order:{order_id.hex}"


async def tell(
    event_type: str,
    order_id: uuid.UUID,
    profile_id: uuid.UUID | None,
    data: Mapping[str, object] | None = None,
    *,
    cart_id: uuid.UUID | None = None,
) -> None:
    """Note what happened to an order, on its buyer's timeline as well where that speaks of such things."""
    if profile_id is None or event_type not in EVENT_TYPES:
        await events.record(event_type, subject_id=order_id, payload={"orderId": str(order_id), **(data or {})})
    else:
        await timeline.record(
            event_type, profile_id=profile_id, subject_id=order_id, order_id=order_id, cart_id=cart_id, data=data
        )


def announce(order_id: uuid.UUID) -> None:
    """Once the open unit of work is committed, everybody who watches the order looks again."""
    db.current_unit_of_work().after_commit(lambda: live.publish_soon(order_topic(order_id)))


async def lock_order(order_id: uuid.UUID) -> db.Record | None:
    """The order's row, for nobody else to change until the unit of work ends."""
    return await db.fetchrow("SELECT * FROM orders WHERE id = $1 FOR NO KEY UPDATE", order_id)

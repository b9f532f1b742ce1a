"""How an order's statuses follow what happens to its payment. All of it joins the open unit of work.

Whoever changes an order and its payment locks the order first.
"""

import uuid
from collections.abc import Mapping

from app import db, events, live
from app.customers import timeline
from app.customers.vocabulary import EVENT_TYPES
from app.inventory import reservations
from app.orders.models import FulfillmentStatus, OrderStatus, PaymentStatus

ORDER_PAID = "order.paid"


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


async def payment_captured(order_id: uuid.UUID) -> None:
    """The money is in. An order of which nothing is left to ship is complete with it."""
    row = await db.fetchrow(
        """
        UPDATE orders SET payment_status = $2, updated_at = business_now(),
            status = CASE WHEN status = $3 AND fulfillment_status = ANY($4) THEN $5 ELSE status END
        WHERE id = $1 RETURNING status, attempt_id, profile_id
        """,
        order_id,
        PaymentStatus.PAID.value,
        OrderStatus.OPEN.value,
        [FulfillmentStatus.FULFILLED.value, FulfillmentStatus.NOT_REQUIRED.value],
        OrderStatus.COMPLETED.value,
    )
    if row is None:
        return
    if row["status"] == OrderStatus.COMPLETED:
        await reservations.ship_rest(row["attempt_id"])
    await tell(ORDER_PAID, order_id, row["profile_id"])
    announce(order_id)


async def payment_voided(order_id: uuid.UUID) -> None:
    """What was set aside is given back."""
    await db.execute(
        "UPDATE orders SET payment_status = $2, updated_at = business_now() WHERE id = $1",
        order_id,
        PaymentStatus.VOIDED.value,
    )

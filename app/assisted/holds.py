"""Conditions of release: what was agreed on with a draft has to be met before its order's goods leave.

A deposit releases its hold by itself once so much has been captured (a trigger, so that it does not matter how the
money came in). A guarantee is confirmed by staff; they may also let go of goods whose deposit has not come in. Goods
are parcels, what is fetched from a store, and gift cards, which are mailed once nothing holds them.
"""

import uuid

from app import db, events
from app.errors import CommonErrorCode, DomainError, not_found
from app.gift_cards import selling
from app.kit.text import check_text
from app.orders import status, timeline
from app.orders.models import OrderEventType, OrderHold
from app.payments import standing

MAX_REASON_CHARS = 500


async def release(order_id: uuid.UUID, hold: OrderHold, reason: str) -> None:
    """Staff say that a condition is met, or not asked for any more.

    Raises:
        DomainError: NOT_FOUND, also for a hold that the order does not have; REQUIRED, TOO_LONG, INVALID for the
            reason.
    """
    words = " ".join(reason.split())
    if not words:
        raise DomainError(CommonErrorCode.REQUIRED, "Say why.", ["reason"])
    if wrong := check_text(words, MAX_REASON_CHARS, ["reason"]):
        raise wrong
    async with db.unit_of_work():
        order = await status.lock_order(order_id)
        if order is None:
            raise not_found("order", ["orderId"])
        if hold.value not in order["holds"]:
            raise not_found("hold of the order", ["hold"])
        await db.execute(
            "UPDATE order_conditions SET met_at = business_now() WHERE order_id = $1 AND kind = $2 AND met_at IS NULL",
            order_id,
            hold.value,
        )
        await db.execute(
            "UPDATE orders SET holds = array_remove(holds, $2), updated_at = business_now() WHERE id = $1",
            order_id,
            hold.value,
        )
        await standing.refresh(order_id)
        if await selling.is_sold_with(order_id):
            await events.record(selling.ISSUE_DUE, subject_id=order_id)
        await timeline.note(order_id, OrderEventType.NOTE_ADDED, reason=words, data={"released": hold.value})

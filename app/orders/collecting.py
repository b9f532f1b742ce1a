"""Money that comes in by hand: what a carrier collected at the door."""

import uuid

from app import db
from app.errors import DomainError, not_found
from app.orders import status
from app.orders.errors import OrderErrorCode
from app.payments import service as payments


async def mark_as_paid(order_id: uuid.UUID) -> None:
    """Note that an order that is paid on delivery is paid.

    Raises:
        DomainError: NOT_FOUND; PAYMENT_NOT_DUE for an order that is cancelled, paid, or paid through a gateway.
    """
    async with db.unit_of_work():
        if await status.lock_order(order_id) is None:
            raise not_found("order", ["orderId"])
        if not await payments.collect(order_id):
            message = "Nothing is to be collected for this order."
            raise DomainError(OrderErrorCode.PAYMENT_NOT_DUE, message, ["orderId"])
        await status.payment_captured(order_id)

"""Money that comes in by hand: what a carrier collected at the door, a transfer on the bank's statement, cash."""

import uuid

from app import db
from app.errors import DomainError, not_found
from app.orders import status
from app.orders.errors import OrderErrorCode
from app.orders.models import OrderStatus
from app.payments import later, standing
from app.payments import service as payments
from app.payments.models import PaymentMethod

_UNDER_WAY = """
    SELECT EXISTS (
        SELECT FROM payments WHERE order_id = $1
          AND state IN ('PENDING', 'REQUIRES_ACTION', 'AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED', 'VOIDING')
    )
"""


async def mark_as_paid(order_id: uuid.UUID) -> None:
    """Note that all of an order is paid, on delivery, by transfer, on account or by hand; a part is noted by `by_hand`.

    Raises:
        DomainError: NOT_FOUND; PAYMENT_NOT_DUE for an order that is cancelled, paid, or being paid through a gateway.
    """
    async with db.unit_of_work():
        order = await status.lock_order(order_id)
        if order is None:
            raise not_found("order", ["orderId"])
        # What was expected by itself may be a part: a deposit that is transferred, and the rest later.
        is_open = order["status"] != OrderStatus.CANCELLED
        collected = is_open and await payments.collect(order_id)
        rest = is_open and await _by_hand(order_id, order)
        if not (collected or rest):
            message = "Nothing is to be collected for this order."
            raise DomainError(OrderErrorCode.PAYMENT_NOT_DUE, message, ["orderId"])
        await standing.refresh(order_id)


async def _by_hand(order_id: uuid.UUID, order: db.Record) -> bool:
    """What an order still owes and nobody is asked for has come in."""
    missing = (await standing.sums_of(order_id)).missing_minor
    if not missing or await db.fetchval(_UNDER_WAY, order_id):
        return False
    method = PaymentMethod(order["payment_method"] or PaymentMethod.BANK_TRANSFER)
    await payments.record_by_hand(order_id, missing, order["currency_code"], method)
    await later.settle_requests(order_id, missing)
    return True

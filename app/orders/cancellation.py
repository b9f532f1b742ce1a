"""Cancelling an order: its units can be sold again, and its money goes back."""

import uuid

from app import db
from app.errors import DomainError, not_found
from app.gift_cards import freezing
from app.inventory import reservations
from app.kit.text import check_text
from app.orders import status
from app.orders.errors import OrderErrorCode
from app.orders.models import OrderStatus
from app.payments import later, refunding, standing
from app.payments import service as payments
from app.payments.errors import PaymentErrorCode
from app.payments.models import RefundSource
from app.payments.refunding import RefundRequested
from app.promotions import redemptions

ORDER_CANCELLED = "order.cancelled"
MAX_REASON_CHARS = 500


async def cancel_order(order_id: uuid.UUID, reason: str | None, *, refund: bool | None = None) -> None:
    """Cancel an order of which nothing has been shipped.

    What is set aside is let go of, and what stored value paid goes back to it, in any case.

    Args:
        reason: for people; the customer's mail shows it.
        refund: whether what has been taken is given back. It has to be said where there is anything; False keeps it, as
            a deposit that is forfeited.

    Raises:
        DomainError: NOT_FOUND, ORDER_CANCELLED, ORDER_FULFILLED, PAYMENT_CAPTURED, PAYMENT_IN_PROGRESS, TOO_LONG,
            INVALID for a reason with control characters.
    """
    reason = (reason or "").strip() or None
    if reason is not None and (wrong := check_text(reason, MAX_REASON_CHARS, ["reason"])):
        raise wrong
    async with db.unit_of_work():
        order = await status.lock_order(order_id)
        if order is None:
            raise not_found("order", ["orderId"])
        if order["status"] == OrderStatus.CANCELLED:
            raise DomainError(OrderErrorCode.ORDER_CANCELLED, "The order is cancelled already.", ["orderId"])
        if order["status"] == OrderStatus.COMPLETED or await _has_shipped(order_id):
            message = "What has been shipped, or delivered for download, cannot be cancelled; refund it instead."
            raise DomainError(OrderErrorCode.ORDER_FULFILLED, message, ["orderId"])
        if refund is None and await _has_money(order_id):
            message = "The order is paid: say with `refund` whether the money is given back."
            raise DomainError(PaymentErrorCode.PAYMENT_CAPTURED, message, ["orderId"])
        try:
            await payments.call_off(order_id)
        except DomainError as refusal:
            raise refusal.under("orderId") from None
        await db.execute(
            """
            UPDATE orders SET status = $2, cancelled_at = business_now(), cancel_reason = $3,
                updated_at = business_now()
            WHERE id = $1
            """,
            order_id,
            OrderStatus.CANCELLED.value,
            reason,
        )
        await later.withdraw_requests(order_id)
        if refund is not False:
            everything = RefundRequested(
                order_id=order_id, everything=True, source=RefundSource.CANCELLATION, reason=reason
            )
            await refunding.request(everything)
        await standing.refresh(order_id)
        await reservations.restock(order["attempt_id"], order_id)
        await redemptions.release(order["attempt_id"])
        await freezing.freeze_all(order_id, order_id)
        await status.tell(ORDER_CANCELLED, order_id, order["profile_id"])
        status.announce(order_id)


async def _has_shipped(order_id: uuid.UUID) -> bool:
    shipped: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM order_lines WHERE order_id = $1 AND fulfilled_quantity > 0)", order_id
    )
    return shipped


async def _has_money(order_id: uuid.UUID) -> bool:
    taken: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM payments WHERE order_id = $1 AND (captured_minor > refunded_minor))", order_id
    )
    return taken

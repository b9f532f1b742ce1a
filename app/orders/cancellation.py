"""Cancelling an order: its units can be sold again, and its money goes back."""

import uuid

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.gift_cards import freezing
from app.inventory import reservations
from app.kit.text import check_text
from app.orders import status, timeline
from app.orders.errors import OrderErrorCode
from app.orders.models import OrderEventType, OrderStatus
from app.payments import disputes, later, refunding, standing
from app.payments import service as payments
from app.payments.errors import PaymentErrorCode
from app.payments.models import RefundSource, RefundTarget
from app.payments.refunding import RefundRequested
from app.promotions import redemptions

ORDER_CANCELLED = "order.cancelled"
MAX_REASON_CHARS = 500


async def cancel_order(
    order_id: uuid.UUID,
    reason: str | None,
    *,
    refund: bool | None = None,
    refund_to: RefundTarget | None = None,
    restock: bool = True,
    notify_customer: bool = True,
    staff_note: str | None = None,
) -> None:
    """Cancel an order of which nothing has been shipped.

    What is set aside is let go of, uses of discounts do not count any more, and what stored value paid goes back to it,
    in any case.

    Args:
        reason: for people; the customer's mail shows it.
        refund: whether what has been taken is given back. It has to be said where there is anything; False keeps it, as
            a deposit that is forfeited.
        refund_to: where to; saying it is to refund. STORE_CREDIT takes all that was paid, stored value with it.
        restock: False for units that cannot be sold any more: they are on the shelf no longer.
        staff_note: for the timeline, which the customer does not see.

    Raises:
        DomainError: NOT_FOUND, ORDER_CANCELLED, ORDER_FULFILLED, PAYMENT_CAPTURED, PAYMENT_IN_PROGRESS,
            REFUND_TOO_LARGE for money that a dispute withholds, STORE_CREDIT_UNAVAILABLE for an order without an
            account, TOO_LONG, INVALID for texts with control characters, and for `refund_to` with a `refund` that is
            False.
    """
    reason, staff_note = (reason or "").strip() or None, (staff_note or "").strip() or None
    if reason is not None and (wrong := check_text(reason, MAX_REASON_CHARS, ["reason"])):
        raise wrong
    if staff_note is not None and (wrong := check_text(staff_note, timeline.MAX_NOTE_CHARS, ["staffNote"])):
        raise wrong
    if refund_to is not None and refund is False:
        raise DomainError(CommonErrorCode.INVALID, "It is not refunded, so it goes nowhere.", ["refundTo"])
    async with db.unit_of_work():
        order = await _locked(order_id, asks=refund is None and refund_to is None, to=refund_to)
        if (refund or refund_to) and await _is_disputed(order_id):
            message = "Money of it is disputed, and not the shop's to give back: cancel it with `refund: false`, and "
            message += "refund it once that is decided."
            raise DomainError(PaymentErrorCode.REFUND_TOO_LARGE, message, ["refundTo" if refund_to else "refund"])
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
        if staff_note is not None:
            await timeline.note(order_id, OrderEventType.NOTE_ADDED, reason=staff_note)
        await later.withdraw_requests(order_id)
        back = RefundRequested(
            order_id=order_id,
            everything=True,
            keeps_payments=refund is False,
            target=refund_to or RefundTarget.ORIGINAL,
            source=RefundSource.CANCELLATION,
            reason=reason,
            notify_customer=notify_customer,
        )
        await refunding.request(back)
        await standing.refresh(order_id)
        await reservations.end(order["attempt_id"], order_id, restock=restock)
        await redemptions.release(order["attempt_id"])
        await freezing.freeze_all(order_id, order_id)
        facts = {"notifyCustomer": notify_customer, "restocked": restock}
        await status.tell(ORDER_CANCELLED, order_id, order["profile_id"], facts)
        status.announce(order_id)


async def _locked(order_id: uuid.UUID, *, asks: bool, to: RefundTarget | None) -> db.Record:
    """The order, if it can be cancelled. `asks`: nobody has said what becomes of money that was taken."""
    order = await status.lock_order(order_id)
    if order is None:
        raise not_found("order", ["orderId"])
    if order["status"] == OrderStatus.CANCELLED:
        raise DomainError(OrderErrorCode.ORDER_CANCELLED, "The order is cancelled already.", ["orderId"])
    if order["status"] == OrderStatus.COMPLETED or await _has_shipped(order["id"]):
        message = "What has been shipped, or delivered for download, cannot be cancelled; refund it instead."
        raise DomainError(OrderErrorCode.ORDER_FULFILLED, message, ["orderId"])
    if asks and await _has_money(order["id"]):
        message = "The order is paid: say with `refund` whether the money is given back."
        raise DomainError(PaymentErrorCode.PAYMENT_CAPTURED, message, ["orderId"])
    if to is RefundTarget.STORE_CREDIT and order["customer_id"] is None:
        message = "Only the customer of an account can have store credit."
        raise DomainError(PaymentErrorCode.STORE_CREDIT_UNAVAILABLE, message, ["refundTo"])
    return order


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


async def _is_disputed(order_id: uuid.UUID) -> bool:
    """Whether a provider holds on to money that was taken. Given back as well, it could be lost twice."""
    disputed: bool = await db.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
            WHERE p.order_id = $1 AND p.captured_minor > p.refunded_minor AND d.state = ANY($2)
        )
        """,
        order_id,
        [state.value for state in disputes.WITHHELD],
    )
    return disputed

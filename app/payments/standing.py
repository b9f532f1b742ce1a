"""What an order says of its payment, from the sums of its payments and refunds.

Whoever changes a payment has the order locked, and asks here for what the order says then. Nobody writes
`orders.payment_status` in another way but who places the order.
"""

import uuid
from dataclasses import dataclass

from app import db
from app.inventory import reservations
from app.orders import status
from app.orders.models import FulfillmentStatus, OrderStatus, PaymentStatus

_SUMS = """
    SELECT o.status, o.payment_status, o.profile_id, o.attempt_id,
           o.status = 'CANCELLED' AS is_cancelled, coalesce(o.amount_due_minor, o.total_minor) AS due_minor,
           o.gift_card_minor + o.store_credit_minor AS stored_minor,
           paid.captured_minor, paid.set_aside_minor, paid.payments, paid.called_off, given_back.minor AS refunded_minor
    FROM orders o
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(captured_minor), 0)::bigint AS captured_minor,
               coalesce(sum(amount_minor - captured_minor)
                        FILTER (WHERE state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED')
                                      OR state = 'VOIDING' AND o.status = 'CANCELLED'), 0)::bigint
                   AS set_aside_minor,
               count(*) FILTER (WHERE state <> 'FAILED') AS payments,
               count(*) FILTER (WHERE state = 'VOIDED') AS called_off
        FROM payments WHERE order_id = o.id
    ) paid
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount_minor), 0)::bigint AS minor
        FROM refunds r JOIN refund_parts p ON p.refund_id = r.id AND p.state = 'SUCCEEDED' WHERE r.order_id = o.id
    ) given_back
    WHERE o.id = $1
"""
_SAY = """
    UPDATE orders SET payment_status = $2::text, updated_at = business_now(),
        status = CASE WHEN $3 AND status = $4 AND fulfillment_status = ANY($5) THEN $6 ELSE status END
    WHERE id = $1 RETURNING status
"""
SETTLED = frozenset({PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED})
"""Of orders that have been paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of an order, in minor units.

    Attributes:
        due_minor: what payments have to cover.
        stored_minor: what stored value has paid.
        captured_minor: taken, refunds not deducted.
        set_aside_minor: authorised and not taken; of a cancelled order until the gateway has confirmed that it is not.
        refunded_minor: confirmed, whichever way it went back.
        is_called_off: the order is cancelled, and all of its payments are voided.
    """

    due_minor: int
    stored_minor: int = 0
    captured_minor: int = 0
    set_aside_minor: int = 0
    refunded_minor: int = 0
    is_called_off: bool = False


def payment_status(sums: Sums) -> PaymentStatus:
    """What the sums come to."""
    if sums.refunded_minor > 0:
        gone = sums.refunded_minor >= sums.captured_minor + sums.stored_minor
        return PaymentStatus.REFUNDED if gone else PaymentStatus.PARTIALLY_REFUNDED
    if sums.captured_minor >= sums.due_minor:
        return PaymentStatus.PAID
    if sums.captured_minor > 0:
        return PaymentStatus.PARTIALLY_PAID
    if sums.set_aside_minor > 0:
        return PaymentStatus.AUTHORIZED
    return PaymentStatus.VOIDED if sums.is_called_off else PaymentStatus.PENDING


async def refresh(order_id: uuid.UUID) -> PaymentStatus:
    """Let the order say where its money is, in the open unit of work, which has the order locked.

    An order that is paid and of which nothing is left to ship is complete with it. Who waits for an order to be paid is
    told when it is, and again should it be paid anew after it owed more.
    """
    row = await db.fetchrow(_SUMS, order_id)
    if row is None:
        raise LookupError("there is no such order")
    before = PaymentStatus(row["payment_status"])
    after = payment_status(
        Sums(
            due_minor=row["due_minor"],
            stored_minor=row["stored_minor"],
            captured_minor=row["captured_minor"],
            set_aside_minor=row["set_aside_minor"],
            refunded_minor=row["refunded_minor"],
            is_called_off=row["is_cancelled"] and 0 < row["payments"] == row["called_off"],
        )
    )
    if after is before:
        return after
    order = await db.fetchrow(
        _SAY,
        order_id,
        after.value,
        after in SETTLED,
        OrderStatus.OPEN.value,
        [FulfillmentStatus.FULFILLED.value, FulfillmentStatus.NOT_REQUIRED.value],
        OrderStatus.COMPLETED.value,
    )
    if order is not None and order["status"] == OrderStatus.COMPLETED and row["status"] != OrderStatus.COMPLETED:
        await reservations.ship_rest(row["attempt_id"])
    if after is PaymentStatus.PAID and before not in SETTLED:
        await status.tell(status.ORDER_PAID, order_id, row["profile_id"])
    status.announce(order_id)
    return after

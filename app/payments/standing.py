"""What an order says of its payment, from the sums of its payments and refunds.

Whoever changes a payment has the order locked, and asks here for what the order says then. Nobody writes
`orders.payment_status` in another way but who places the order.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db
from app.inventory import handing_out
from app.orders import status
from app.orders.models import FulfillmentStatus, OrderHold, OrderStatus, PaymentStatus

SQL_OF_SUMS = """
    SELECT o.status = 'CANCELLED' AS is_cancelled, coalesce(o.amount_due_minor, o.total_minor) AS due_minor,
           o.gift_card_minor + o.store_credit_minor AS stored_minor,
           paid.captured_minor, paid.set_aside_minor, paid.is_called_off,
           given_back.refunded_minor, given_back.overpaid_minor
    FROM LATERAL (
        SELECT coalesce(sum(captured_minor), 0)::bigint AS captured_minor,
               coalesce(sum(amount_minor - captured_minor)
                        FILTER (WHERE state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED')
                                      OR state = 'VOIDING' AND o.status = 'CANCELLED'), 0)::bigint
                   AS set_aside_minor,
               coalesce(bool_and(state = 'VOIDED') FILTER (WHERE state <> 'FAILED'), false) AS is_called_off
        FROM payments WHERE order_id = o.id
    ) paid
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount_minor) FILTER (WHERE p.state = 'SUCCEEDED'), 0)::bigint AS refunded_minor,
               coalesce(sum(p.amount_minor) FILTER (WHERE r.source = 'EDIT'), 0)::bigint AS overpaid_minor
        FROM refunds r JOIN refund_parts p ON p.refund_id = r.id AND p.state <> 'FAILED'
        WHERE r.order_id = o.id AND (r.source <> 'EDIT' OR p.payment_id IS NOT NULL)
    ) given_back
"""
"""The columns of `Sums`, of an order `o`, for `CROSS JOIN LATERAL (...)`. What an edit puts back on gift cards counts
as never spent: the order's stored value is less by it."""
_SUMS = f"""
    SELECT o.status, o.payment_status, o.fulfillment_status, o.holds, o.profile_id, o.attempt_id, sums.*
    FROM orders o CROSS JOIN LATERAL ({SQL_OF_SUMS}) sums WHERE o.id = $1
"""
_ALL_SUMS = f"SELECT o.id, sums.* FROM orders o CROSS JOIN LATERAL ({SQL_OF_SUMS}) sums WHERE o.id = ANY($1)"
_SAY = """
    UPDATE orders SET payment_status = $2::text, status = CASE WHEN $3 THEN 'COMPLETED' ELSE status END,
        updated_at = business_now()
    WHERE id = $1
"""
_ALL_LEFT = (FulfillmentStatus.FULFILLED, FulfillmentStatus.NOT_REQUIRED)
SETTLED = frozenset({PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED})
"""Of orders that stand and of whose price nothing is missing: what went back was not to be had any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of an order, in minor units.

    Attributes:
        due_minor: what payments have to cover.
        stored_minor: what stored value has paid.
        captured_minor: taken, refunds not deducted.
        set_aside_minor: authorised and not taken; of a cancelled order until the gateway has confirmed that it is not.
        refunded_minor: confirmed, whichever way it went back.
        overpaid_minor: what goes back, or has, as the order costs less since it was edited. It covers no price any
            more, whereas any other refund lets the buyer off as much.
        is_cancelled: nothing is due any more.
        is_called_off: all of its payments are voided, and there are some.
    """

    due_minor: int
    stored_minor: int = 0
    captured_minor: int = 0
    set_aside_minor: int = 0
    refunded_minor: int = 0
    overpaid_minor: int = 0
    is_cancelled: bool = False
    is_called_off: bool = False

    @property
    def covering_minor(self) -> int:
        """What was taken for what the order costs now."""
        return self.captured_minor - self.overpaid_minor

    @property
    def missing_minor(self) -> int:
        """What has not been taken of what the order costs; not below zero. What is set aside is missing yet."""
        return 0 if self.is_cancelled else max(0, self.due_minor - self.covering_minor)

    @property
    def uncovered_minor(self) -> int:
        """What is neither taken nor set aside."""
        return max(0, self.missing_minor - self.set_aside_minor)


def payment_status(sums: Sums) -> PaymentStatus:
    """What the sums come to.

    While an order that stands misses money, that is what it says, whatever went back before: REFUNDED and
    PARTIALLY_REFUNDED are of orders of which nothing is missing, as is PAID.
    """
    if sums.missing_minor:
        if sums.covering_minor > 0:
            return PaymentStatus.PARTIALLY_PAID
        return PaymentStatus.AUTHORIZED if sums.set_aside_minor else PaymentStatus.PENDING
    if sums.refunded_minor > 0:
        gone = sums.refunded_minor >= sums.captured_minor + sums.stored_minor
        return PaymentStatus.REFUNDED if gone else PaymentStatus.PARTIALLY_REFUNDED
    if sums.captured_minor >= sums.due_minor:
        return PaymentStatus.PAID
    # A cancelled order keeps what was taken of it, or has to get rid of what is set aside.
    if sums.captured_minor > 0:
        return PaymentStatus.PARTIALLY_PAID
    if sums.set_aside_minor > 0:
        return PaymentStatus.AUTHORIZED
    return PaymentStatus.VOIDED if sums.is_called_off else PaymentStatus.PENDING


def _sums(row: db.Record) -> Sums:
    return Sums(**{name: row[name] for name in Sums.__dataclass_fields__})


async def sums_of(order_id: uuid.UUID) -> Sums:
    """As they are now. Raises LookupError for no such order."""
    found = (await sums_of_all([order_id])).get(order_id)
    if found is None:
        raise LookupError("there is no such order")
    return found


async def sums_of_all(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Sums]:
    """Of each of them that there is, by one statement."""
    return {row["id"]: _sums(row) for row in await db.fetch(_ALL_SUMS, list(order_ids))}


async def refresh(order_id: uuid.UUID) -> PaymentStatus:
    """Let the order say where its money is, in the open unit of work, which has the order locked.

    An order that is paid, of which nothing is left to ship and no guarantee is missing, is complete with it. Who waits
    for an order to be paid is told when it is, and again should it be paid anew after it owed more.
    """
    row = await db.fetchrow(_SUMS, order_id)
    if row is None:
        raise LookupError("there is no such order")
    before, after = PaymentStatus(row["payment_status"]), payment_status(_sums(row))
    done = after in SETTLED and row["fulfillment_status"] in _ALL_LEFT and OrderHold.GUARANTEE not in row["holds"]
    completes = row["status"] == OrderStatus.OPEN and done
    if after is before and not completes:
        return after
    await db.execute(_SAY, order_id, after.value, completes)
    if completes:
        await handing_out.ship_rest(row["attempt_id"])
    if after in SETTLED - {PaymentStatus.REFUNDED} and before not in SETTLED:
        await status.tell(status.ORDER_PAID, order_id, row["profile_id"])
    status.announce(order_id)
    return after

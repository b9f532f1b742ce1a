"""Money that a gateway has taken and nothing was sold for: it goes back, all of it."""

import uuid

from app import db, events
from app.kit.ids import new_id
from app.payments.models import RefundSource, RefundTarget

REFUND_WANTED = "refund.part_wanted"
"""Event about a part of a refund: a worker asks the gateway for it."""


async def refund(payment_id: uuid.UUID, order_id: uuid.UUID | None) -> None:
    """Give back what a payment has captured and not given back, in the open unit of work.

    Args:
        order_id: of a cancelled order; None where there never was one.
    """
    row = await db.fetchrow(
        """
        SELECT p.currency_code, p.captured_minor - coalesce(sum(part.amount_minor), 0)::bigint AS left_minor
        FROM payments p LEFT JOIN refund_parts part ON part.payment_id = p.id AND part.state <> 'FAILED'
        WHERE p.id = $1 GROUP BY p.id
        """,
        payment_id,
    )
    if row is None or row["left_minor"] <= 0:
        return
    part_id = new_id()
    await db.execute(
        """
        WITH refund AS (
            INSERT INTO refunds (id, order_id, source, target, state, amount_minor, shipping_minor, currency_code,
                                 lines, notify_customer, created_at, updated_at)
            VALUES ($1, $2, $3, $4, 'PENDING', $5, 0, $6, '[]', false, business_now(), business_now())
            RETURNING id
        )
        INSERT INTO refund_parts (id, refund_id, payment_id, amount_minor, state, created_at, updated_at)
        SELECT $7, id, $8, $5, 'PENDING', business_now(), business_now() FROM refund
        """,
        new_id(),
        order_id,
        RefundSource.RECONCILIATION.value,
        RefundTarget.ORIGINAL.value,
        row["left_minor"],
        row["currency_code"],
        part_id,
        payment_id,
    )
    await events.record(REFUND_WANTED, subject_id=part_id)

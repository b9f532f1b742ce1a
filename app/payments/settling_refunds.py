"""From the parts of a refund to how the refund stands. All of it joins the open unit of work, which has the order
locked where there is one.
"""

import uuid

from app import db, events
from app.gift_cards import freezing
from app.orders import status
from app.payments import ledger
from app.payments.models import RefundSource, RefundState
from app.payments.states import REFUND

ORDER_REFUNDED = "order.refunded"
REFUND_FAILED = "refund.failed"
"""Event: a person has to give the money back another way. The loss of a dispute that was won after all is none."""

_PART_ENDS = """
    UPDATE refund_parts SET state = $2, reference = coalesce($3, reference), failure_code = $4,
        updated_at = business_now()
    WHERE id = $1 AND state = ANY($5) RETURNING refund_id, payment_id, amount_minor
"""
_STATES = """
    SELECT r.state, r.source, r.order_id, r.amount_minor, r.currency_code, r.notify_customer, o.profile_id,
           count(*) FILTER (WHERE p.state = 'PENDING') AS pending, count(*) FILTER (WHERE p.state = 'FAILED') AS failed
    FROM refunds r JOIN refund_parts p ON p.refund_id = r.id LEFT JOIN orders o ON o.id = r.order_id
    WHERE r.id = $1 GROUP BY r.id, o.id
"""


async def end_part(
    part_id: uuid.UUID, after: RefundState, *, reference: str | None = None, failure_code: str | None = None
) -> bool:
    """The gateway has said what became of a part. False when that is known already."""
    row = await db.fetchrow(
        _PART_ENDS, part_id, after.value, reference, failure_code and failure_code[:80], REFUND.values_before(after)
    )
    if row is None:
        return False
    if after is RefundState.SUCCEEDED:
        await db.execute(
            "UPDATE payments SET refunded_minor = refunded_minor + $2, updated_at = business_now() WHERE id = $1",
            row["payment_id"],
            row["amount_minor"],
        )
    await ledger.note(
        row["payment_id"],
        "REFUND",
        row["amount_minor"],
        reference=reference,
        failure_code=(failure_code or "refused") if after is RefundState.FAILED else None,
    )
    await settle_refund(row["refund_id"])
    return True


async def take_back_part(part_id: uuid.UUID, failure_code: str | None) -> bool:
    """The bank sent back what had gone through: the shop has the money again. False when that is known already."""
    row = await db.fetchrow(
        """
        WITH part AS (
            UPDATE refund_parts SET state = 'FAILED', failure_code = $2, updated_at = business_now()
            WHERE id = $1 AND state = 'SUCCEEDED' RETURNING refund_id, payment_id, amount_minor
        ), payment AS (
            UPDATE payments p SET refunded_minor = refunded_minor - part.amount_minor, updated_at = business_now()
            FROM part WHERE p.id = part.payment_id
        )
        SELECT * FROM part
        """,
        part_id,
        failure_code and failure_code[:80],
    )
    if row is None:
        return False
    await ledger.note(row["payment_id"], "REFUND", -row["amount_minor"], failure_code=None)
    await settle_refund(row["refund_id"])
    return True


async def settle_refund(refund_id: uuid.UUID) -> None:
    """A refund is over when each of its parts is; refused in one of them, it has failed."""
    row = await db.fetchrow(_STATES, refund_id)
    if row is None or row["pending"]:
        return
    after = RefundState.FAILED if row["failed"] else RefundState.SUCCEEDED
    moved = await db.execute(
        "UPDATE refunds SET state = $2, updated_at = business_now() WHERE id = $1 AND state = ANY($3)",
        refund_id,
        after.value,
        REFUND.values_before(after),
    )
    if not moved:
        return
    if after is RefundState.FAILED:
        if row["source"] != RefundSource.DISPUTE:
            await events.record(REFUND_FAILED, subject_id=refund_id)
        if row["order_id"] is not None:
            await freezing.thaw(row["order_id"], refund_id)
    elif row["order_id"] is not None:
        facts: dict[str, object] = {
            "refundId": str(refund_id),
            "amountMinor": row["amount_minor"],
            "currencyCode": row["currency_code"],
            "notifyCustomer": row["notify_customer"],
        }
        await status.tell(ORDER_REFUNDED, row["order_id"], row["profile_id"], facts)

"""What staff are written to about money: where a person has to look."""

import uuid
from collections.abc import Mapping
from typing import Any

from app import db
from app.kit.money import Money
from app.messaging import staff_notices
from app.payments.models import DisputeState, RefundSource


async def discrepancy(event_id: uuid.UUID, facts: Mapping[str, Any]) -> None:
    """In the open unit of work. `facts`: of the event, see `payments.discrepancies`."""
    number = None
    if facts.get("orderId"):
        number = await db.fetchval("SELECT number FROM orders WHERE id = $1", uuid.UUID(facts["orderId"]))
    about = f"order {number}" if number else "a payment without an order"
    await staff_notices.reserve(
        dedupe_key=f"payment_discrepancy:{event_id.hex}",
        subject=f"Payments: {facts['kind'].replace('_', ' ').lower()} ({about})",
        text=f"The payment gateway {facts['gateway']} and the shop do not agree about {about}:\n\n"
        f"{facts['detail']}.\n\n"
        "All of these are listed by `paymentDiscrepancies`, with how they were settled.",
    )


async def refund_failed(refund_id: uuid.UUID) -> None:
    """In the open unit of work: the gateway will not give the money back, so somebody has to, another way."""
    row = await db.fetchrow(
        """
        SELECT r.amount_minor, r.currency_code, o.number,
               (SELECT min(failure_code) FROM refund_parts WHERE refund_id = r.id) AS failure_code
        FROM refunds r LEFT JOIN orders o ON o.id = r.order_id WHERE r.id = $1
        """,
        refund_id,
    )
    if row is None:
        return
    about = f"order {row['number']}" if row["number"] else "a payment without an order"
    money = Money(row["amount_minor"], row["currency_code"])
    await staff_notices.reserve(
        dedupe_key=f"refund_failed:{refund_id.hex}",
        subject=f"A refund of {money.decimal} {money.currency} was refused ({about})",
        text=f"The payment gateway refused to give back {money.decimal} {money.currency} of {about}: "
        f"{row['failure_code'] or 'it gave no reason'}.\n\n"
        "Give it back another way, and record that with `refundCreate`.",
    )


_DISPUTED = {
    DisputeState.INQUIRY: ("is asked about", "No money has been taken back yet; a refund may settle it."),
    DisputeState.NEEDS_RESPONSE: ("is disputed", "The provider withholds the money until it is decided."),
    DisputeState.UNDER_REVIEW: ("is disputed", "The provider withholds the money until it is decided."),
    DisputeState.WON: ("is disputed no more", "The shop keeps the money, and what was held because of it is free."),
    DisputeState.LOST: ("was lost to a dispute", "The buyer has the money; the order's refunds show it."),
}


async def is_told_of_with_its_cancellation(refund_id: uuid.UUID) -> bool:
    """Whoever cancels an order and gives its money back does one thing, of which one mail says both."""
    source: str | None = await db.fetchval("SELECT source FROM refunds WHERE id = $1", refund_id)
    return source == RefundSource.CANCELLATION


async def disputed(event_id: uuid.UUID, facts: Mapping[str, Any]) -> None:
    """In the open unit of work. `facts`: of the event, see `payments.disputes`."""
    number = None
    if facts.get("orderId"):
        number = await db.fetchval("SELECT number FROM orders WHERE id = $1", uuid.UUID(facts["orderId"]))
    about = f"order {number}" if number else "a payment without an order"
    money = Money(facts["amountMinor"], facts["currencyCode"])
    what, means = _DISPUTED[DisputeState(facts["state"])]
    reason = f" The reason given: {facts['reason']}." if facts.get("reason") else ""
    due = (
        f"\n\nAnswer at the dashboard of {facts['gateway']} by {facts['respondBy']}." if facts.get("respondBy") else ""
    )
    await staff_notices.reserve(
        dedupe_key=f"payment_disputed:{event_id.hex}",
        subject=f"{money.decimal} {money.currency} {what} ({about})",
        text=f"{money.decimal} {money.currency} of {about} {what} at {facts['gateway']}. {means}{reason}{due}",
    )

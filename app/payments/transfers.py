"""Orders that are paid by bank transfer: placed and kept until the money comes in, which staff say, or does not.

The buyer transfers with the order's number as the reference. A reminder goes out some days before the time is over, and
then the order is cancelled by itself, and its units can be sold again. All of it is business time.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app import db, events
from app.events import timers
from app.payments import payment_settings
from app.payments.registry import BANK_TRANSFER

REMINDER_DUE = "payment.transfer_reminder_due"
"""Timer, and the event that it becomes, about an order."""
TIME_OVER = "payment.transfer_time_over"
REMIND = "order.payment_reminder"
"""Event: the buyer is written to."""


@dataclass(frozen=True, slots=True)
class Owed:
    """In minor units of the order's currency, until when."""

    amount_minor: int
    pay_by: datetime


async def begin(order_id: uuid.UUID, placed_at: datetime) -> None:
    """An order waits for its transfer from now on, in the open unit of work that places it."""
    settings = await payment_settings.current()
    over = placed_at + timedelta(days=settings.bank_days_to_pay)
    await timers.schedule(TIME_OVER, subject_id=order_id, due_at=over)
    if settings.bank_reminder_days:
        remind_at = over - timedelta(days=settings.bank_reminder_days)
        await timers.schedule(REMINDER_DUE, subject_id=order_id, due_at=remind_at)


async def owed_of(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Owed]:
    """What is still to be transferred, of those of the orders of which anything is."""
    rows = await db.fetch(
        """
        SELECT o.id, sum(p.amount_minor)::bigint AS amount_minor, coalesce((
            SELECT due_at FROM timers WHERE kind = $3 AND subject_id = o.id
        ), o.placed_at) AS pay_by
        FROM orders o JOIN payments p ON p.order_id = o.id AND p.gateway = $2 AND p.state = 'PENDING'
        WHERE o.id = ANY($1) AND o.status <> 'CANCELLED' GROUP BY o.id
        """,
        list(order_ids),
        BANK_TRANSFER,
        TIME_OVER,
    )
    return {row["id"]: Owed(row["amount_minor"], row["pay_by"]) for row in rows}


async def owed(order: Mapping[str, Any]) -> Owed | None:
    """The same of one order, by its row."""
    if order["payment_method"] != "BANK_TRANSFER":
        return None
    return (await owed_of([order["id"]])).get(order["id"])


async def remind(order_id: uuid.UUID) -> None:
    """Have the buyer written to, in the open unit of work, if the money is still missing."""
    if await owed_of([order_id]):
        await events.record(REMIND, subject_id=order_id)


async def has_part(order_id: uuid.UUID) -> bool:
    """Whether some of its money has come in, which nobody but staff may decide about."""
    found: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM payments WHERE order_id = $1 AND captured_minor > refunded_minor)", order_id
    )
    return found

"""Where the shop and a gateway did not agree: found, told to staff once, and kept with how it was settled."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app import db, events
from app.kit.ids import new_id
from app.kit.money import Money
from app.payments.models import DiscrepancyKind

FOUND = "payment.discrepancy_found"
"""Event: a person should know."""
QUIET = frozenset({DiscrepancyKind.UNANSWERED})
"""Kinds that settle themselves in most cases; they are listed and counted, and nobody is written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One of them. `settlement` says how it was settled: PLACED, VOIDED, REFUNDED, RECORDED, CONFIRMED, CAPTURED,
    FLAGGED or BY_STAFF; None while it is open."""

    id: uuid.UUID
    gateway: str
    kind: DiscrepancyKind
    payment_id: uuid.UUID
    order_id: uuid.UUID | None
    reference: str | None
    amount: Money
    detail: str
    found_at: datetime
    settled_at: datetime | None
    settlement: str | None


async def note(
    kind: DiscrepancyKind,
    *,
    gateway: str,
    payment_id: uuid.UUID,
    amount: Money,
    detail: str,
    order_id: uuid.UUID | None = None,
    reference: str | None = None,
    settlement: str | None = None,
) -> None:
    """In the open unit of work. What is open already is not noted twice.

    Args:
        detail: for staff: states and amounts, nothing about a person.
        settlement: where it is settled with being found.
    """
    noted = await db.execute(
        """
        INSERT INTO payment_discrepancies (id, gateway, kind, payment_id, order_id, reference, amount_minor,
                                           currency_code, detail, found_at, settled_at, settlement)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, business_now(), CASE WHEN $10::text IS NOT NULL THEN business_now()
                END, $10)
        ON CONFLICT (payment_id, kind) WHERE settled_at IS NULL DO NOTHING
        """,
        new_id(),
        gateway,
        kind.value,
        payment_id,
        order_id,
        reference,
        amount.amount_minor,
        amount.currency,
        detail,
        settlement,
    )
    if noted and kind not in QUIET:
        facts = {"kind": kind.value, "gateway": gateway, "orderId": str(order_id) if order_id else None}
        await events.record(FOUND, subject_id=payment_id, payload={**facts, "detail": detail})


async def settle(payment_id: uuid.UUID, kinds: Collection[DiscrepancyKind], settlement: str) -> int:
    """What was open of these kinds is over, in the open unit of work. Returns how many."""
    return await db.execute(
        """
        UPDATE payment_discrepancies SET settled_at = business_now(), settlement = $3
        WHERE payment_id = $1 AND kind = ANY($2) AND settled_at IS NULL
        """,
        payment_id,
        [kind.value for kind in kinds],
        settlement,
    )

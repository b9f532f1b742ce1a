"""Where the shop and a gateway did not agree: found, told to staff once, and kept with how it was settled."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app import db, events
from app.errors import not_found
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.payments.models import DiscrepancyKind

CURSOR_ORDER = "payment_discrepancies"
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
) -> bool:
    """In the open unit of work. What is open already is not noted twice.

    Args:
        detail: for staff: states and amounts, nothing about a person.
        settlement: where it is settled with being found.

    Returns:
        Whether it is news.
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
    return bool(noted)


_COLUMNS = """
    d.id, d.gateway, d.kind, d.payment_id, d.order_id, d.reference, d.amount_minor, d.currency_code, d.detail,
    d.found_at, d.settled_at, d.settlement
"""


async def open_ones(limit: int) -> list[Discrepancy]:
    """What nothing has settled yet, the newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM payment_discrepancies d WHERE settled_at IS NULL ORDER BY id DESC LIMIT $1", limit
    )
    return [_discrepancy(row) for row in rows]


async def listed(request: PageRequest, *, only_open: bool, count: bool) -> PageResult[Discrepancy]:
    """A page of them, the newest first. Raises DomainError(INVALID) for the cursor."""
    where = "settled_at IS NULL" if only_open else "true"
    arguments: list[object] = []
    total = await db.fetchval(f"SELECT count(*) FROM payment_discrepancies WHERE {where}") if count else None
    if (last_id := request.cursor_id()) is not None:
        where += " AND d.id < $1"
        arguments.append(last_id)
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM payment_discrepancies d WHERE {where} ORDER BY d.id DESC LIMIT {request.fetch_limit}
        """,
        *arguments,
    )
    cursors = [encode_cursor([row["id"].hex], CURSOR_ORDER) for row in rows]
    return page_of([_discrepancy(row) for row in rows], cursors, request, total)


async def close(discrepancy_id: uuid.UUID) -> Discrepancy:
    """Staff have settled it in a way that the shop does not see. Raises DomainError(NOT_FOUND)."""
    row = await db.fetchrow(
        f"""
        UPDATE payment_discrepancies d SET settled_at = coalesce(settled_at, business_now()),
            settlement = coalesce(settlement, 'BY_STAFF')
        WHERE id = $1 RETURNING {_COLUMNS}
        """,
        discrepancy_id,
    )
    if row is None:
        raise not_found("discrepancy", ["id"])
    return _discrepancy(row)


def _discrepancy(row: db.Record) -> Discrepancy:
    kept = {name: row[name] for name in ("id", "gateway", "payment_id", "order_id", "reference", "detail")}
    return Discrepancy(
        **kept,
        kind=DiscrepancyKind(row["kind"]),
        amount=Money(row["amount_minor"], row["currency_code"]),
        found_at=row["found_at"],
        settled_at=row["settled_at"],
        settlement=row["settlement"],
    )


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

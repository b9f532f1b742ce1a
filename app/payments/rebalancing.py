"""The money of an order whose price has changed: more is asked for, or less is taken, or some of it goes back.

In the open unit of work, which has the order locked.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from app import db
from app.errors import DomainError
from app.kit.ids import new_id
from app.kit.money import Money
from app.payments import credit, refunding, service
from app.payments.errors import PaymentErrorCode
from app.payments.models import PaymentPurpose, PaymentState, RefundSource
from app.payments.refunding import RefundRequested
from app.payments.registry import ASKED_NOBODY, PURCHASE_ORDER

EDITED = "order_edited"
"""The failure code of a payment that an edit has made needless."""

_PAYMENTS = """
    SELECT p.id, p.gateway, p.state, p.amount_minor, p.captured_minor, (
        SELECT coalesce(sum(part.amount_minor), 0)::bigint FROM refund_parts part
        WHERE part.payment_id = p.id AND part.state <> 'FAILED'
    ) AS given_back_minor
    FROM payments p WHERE p.order_id = $1 AND p.state NOT IN ('FAILED', 'VOIDED')
    ORDER BY p.created_at, p.id FOR NO KEY UPDATE OF p
"""
_REQUESTS = """
    SELECT id, amount_minor FROM payment_requests WHERE order_id = $1 AND state = 'OPEN'
    ORDER BY created_at DESC, id DESC FOR NO KEY UPDATE
"""
_AT_REST = (PaymentState.PENDING, PaymentState.AUTHORIZED, PaymentState.PARTIALLY_CAPTURED, PaymentState.CAPTURED)


async def lock(order: Mapping[str, Any]) -> None:
    """The order's payments, and what its company owes, are nobody else's to change; units are locked after them.

    Raises:
        DomainError: PAYMENT_IN_PROGRESS while a gateway is asked, and nobody knows what it will take.
    """
    rows = await db.fetch(_PAYMENTS, order["id"])
    for row in rows:
        waits = row["state"] == PaymentState.PENDING and row["gateway"] not in ASKED_NOBODY
        if row["state"] not in _AT_REST or waits:
            message = "Money of the order is being taken at this moment; try again in a minute."
            raise DomainError(PaymentErrorCode.PAYMENT_IN_PROGRESS, message, ["orderId"])
    if order["company_id"] is not None and any(row["gateway"] == PURCHASE_ORDER for row in rows):
        await credit.lock(order["company_id"])


def excess(rows: list[Mapping[str, Any]], due_minor: int) -> int:
    """What has been taken and not given back beyond what is due."""
    kept: int = sum(row["captured_minor"] - row["given_back_minor"] for row in rows)
    return max(0, kept - due_minor)


async def refund_wanted(order_id: uuid.UUID, due_minor: int) -> int:
    """What payments would give back, if so much were due."""
    return excess(list(await db.fetch(_PAYMENTS, order_id)), due_minor)


async def rebalance(
    order: Mapping[str, Any], before_minor: int, due_minor: int, *, stored_back_minor: int, reason: str | None
) -> None:
    """Bring the payments of an order, which are locked, in line with what is due from now on.

    More is added to what comes in by hand anyway (cash on delivery, a transfer, an order on account), or else asked for
    by a request. Less comes off what nobody was asked for yet, then off requests, then off what comes in by hand; of
    what is set aside less is captured, or nothing; the rest is refunded. Whoever is told of the edit is told of that
    with it.

    Args:
        order: its row, changed already.
        before_minor, due_minor: what payments had to cover, and have to.
        stored_back_minor: what stored value has paid too much. Payments are due nothing then.

    Raises:
        DomainError: CREDIT_LIMIT_EXCEEDED, PAYMENT_METHOD_UNAVAILABLE.
    """
    order_id: uuid.UUID = order["id"]
    rows = list(await db.fetch(_PAYMENTS, order_id))
    requests = await db.fetch(_REQUESTS, order_id)
    by_hand = [row for row in rows if row["state"] == PaymentState.PENDING]
    set_aside = [row for row in rows if row["state"] in (PaymentState.AUTHORIZED, PaymentState.PARTIALLY_CAPTURED)]
    taken = sum(row["captured_minor"] - row["given_back_minor"] for row in rows)
    kept = sum(row["amount_minor"] - row["captured_minor"] for row in set_aside)
    covered = taken + kept + sum(row["amount_minor"] for row in [*by_hand, *requests])
    if due_minor > covered:
        # Where a part was to come unasked, as what a deposit leaves is, so does the difference.
        if before_minor <= covered:
            await _ask_for(order, due_minor - covered, by_hand, requests)
        return
    left = covered - due_minor
    left = await _take_off("payment_requests", requests, left)
    left = await _take_off("payments", by_hand, left)
    # What is set aside stays set aside while any of it is due: a capture takes no more than is.
    if left > 0 and due_minor <= taken:
        for row in set_aside:
            await db.execute("UPDATE payments SET failure_code = $2 WHERE id = $1", row["id"], EDITED)
            await service.want_void(row["id"])
    if back := excess(rows, due_minor) + stored_back_minor:
        await refunding.request(
            RefundRequested(
                order_id=order_id,
                amount_minor=back,
                source=RefundSource.EDIT,
                reason=reason,
                notify_customer=False,
            )
        )


async def _ask_for(
    order: Mapping[str, Any], missing: int, by_hand: list[Mapping[str, Any]], requests: list[db.Record]
) -> None:
    if by_hand:
        last = by_hand[-1]
        if last["gateway"] == PURCHASE_ORDER and order["company_id"] is not None:
            await credit.reserve(order["company_id"], Money(missing, order["currency_code"]))
        await _raise("payments", last["id"], missing)
    elif requests:
        await _raise("payment_requests", requests[0]["id"], missing)
    else:
        await db.execute(
            """
            INSERT INTO payment_requests (id, order_id, purpose, amount_minor, currency_code, state, created_at,
                                          updated_at)
            VALUES ($1, $2, $3, $4, $5, 'OPEN', business_now(), business_now())
            """,
            new_id(),
            order["id"],
            PaymentPurpose.BALANCE.value,
            missing,
            order["currency_code"],
        )


async def _raise(table: str, row_id: uuid.UUID, by_minor: int) -> None:
    await db.execute(
        f"UPDATE {table} SET amount_minor = amount_minor + $2, updated_at = business_now() WHERE id = $1",
        row_id,
        by_minor,
    )


async def _take_off(table: str, rows: list[Any], left: int) -> int:
    """Off what is still to come; what comes to nothing is not asked for any more. Returns what is left to take off."""
    for row in rows:
        part = min(left, row["amount_minor"])
        if part and part == row["amount_minor"]:
            if table == "payments":
                await db.execute(
                    """
                    UPDATE payments SET state = 'VOIDED', failure_code = $2, updated_at = business_now() WHERE id = $1
                    """,
                    row["id"],
                    EDITED,
                )
            else:
                await db.execute(
                    "UPDATE payment_requests SET state = 'CANCELLED', updated_at = business_now() WHERE id = $1",
                    row["id"],
                )
        elif part:
            await _raise(table, row["id"], -part)
        left -= part
    return left

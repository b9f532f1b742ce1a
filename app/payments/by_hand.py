"""Money that staff note for an order, all of it or a part: a transfer, cash, a card of the shop's own terminal.

Once under a key, and never more than the order owes. A payment that waits for its buyer's confirmation is called off.
"""

import uuid
from dataclasses import dataclass

from app import db
from app.checkout.errors import CheckoutErrorCode
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.money import Money
from app.kit.text import check_text
from app.orders import status, timeline
from app.orders.errors import OrderErrorCode
from app.orders.models import OrderEventType
from app.payments import later, service, standing
from app.payments.models import PaymentMethod
from app.payments.registry import ASKED_NOBODY, MANUAL

TERMINAL = PaymentMethod.CARD
"""Of the shop's own, of which no gateway here knows."""
MAX_REFERENCE_CHARS = 255
NOTED = "noted_by_hand"
"""The failure code of a payment that was expected by itself, and came in so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualPayment:
    """
    Attributes:
        amount: None for all that is due.
        reference: as the bank's statement or the receipt has it; kept on the order's timeline.
        fingerprint: SHA-256 over the input, the key left out.
    """

    order_id: uuid.UUID
    method: PaymentMethod
    amount: Money | None
    reference: str | None
    idempotency_key: str
    fingerprint: bytes


def check_method(method: PaymentMethod, field: list[str]) -> None:
    """Raises DomainError(INVALID) for a way of which a gateway says itself what was paid."""
    if method not in MANUAL and method is not TERMINAL:
        raise DomainError(CommonErrorCode.INVALID, "A gateway says itself what was paid.", field)


def check_amount(amount: Money, due: Money, field: list[str]) -> None:
    """Raises DomainError: INVALID for another currency, OUT_OF_RANGE."""
    if amount.currency != due.currency:
        raise DomainError(CommonErrorCode.INVALID, f"The order is in {due.currency}.", field)
    if not 1 <= amount.amount_minor <= due.amount_minor:
        message = f"Above zero, and at most the {due.decimal} {due.currency} that are due."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, field)


async def note(given: ManualPayment) -> None:
    """Note money that has come in for an order. The same key and input notes it once.

    Raises:
        DomainError: INVALID, TOO_LONG, NOT_FOUND, PAYMENT_NOT_DUE, OUT_OF_RANGE, IDEMPOTENCY_KEY_REUSED; IN_PROGRESS
            while a gateway is asked for the order's money.
    """
    check_method(given.method, ["input", "method"])
    words = " ".join((given.reference or "").split()) or None
    if words and (wrong := check_text(words, MAX_REFERENCE_CHARS, ["input", "reference"])):
        raise wrong
    async with db.unit_of_work():
        order = await status.lock_order(given.order_id)
        if order is None:
            raise not_found("order", ["input", "orderId"])
        if await _is_known(given):
            return
        due = Money((await later.owed_of([given.order_id]))[given.order_id], order["currency_code"])
        if due.amount_minor <= 0:
            message = "Nothing is left to pay for this order."
            raise DomainError(OrderErrorCode.PAYMENT_NOT_DUE, message, ["input", "orderId"])
        amount = given.amount or due
        check_amount(amount, due, ["input", "amount"])
        await later.make_room(given.order_id)
        await _expect_less(given.order_id, due.amount_minor - amount.amount_minor)
        key = (given.idempotency_key, given.fingerprint)
        payment_id = await service.record_by_hand(
            given.order_id, amount.amount_minor, due.currency, given.method, key=key
        )
        await later.settle_requests(given.order_id, amount.amount_minor)
        await standing.refresh(given.order_id)
        if words:
            data = {"paymentId": str(payment_id)}
            await timeline.note(given.order_id, OrderEventType.NOTE_ADDED, reason=words, data=data)


async def _is_known(given: ManualPayment) -> bool:
    known = await db.fetchrow(
        "SELECT fingerprint FROM payments WHERE order_id = $1 AND idempotency_key = $2",
        given.order_id,
        given.idempotency_key,
    )
    if known is not None and known["fingerprint"] != given.fingerprint:
        message = "This key came with another input before; use a new one."
        raise DomainError(CheckoutErrorCode.IDEMPOTENCY_KEY_REUSED, message, ["input", "idempotencyKey"])
    return known is not None


async def _expect_less(order_id: uuid.UUID, left_minor: int) -> None:
    """What was expected at the door, by transfer or on account comes to no more than what is left to pay."""
    rows = await db.fetch(
        """
        SELECT id, amount_minor FROM payments WHERE order_id = $1 AND gateway = ANY($2) AND state = 'PENDING'
        ORDER BY created_at DESC, id DESC FOR NO KEY UPDATE
        """,
        order_id,
        list(ASKED_NOBODY),
    )
    excess = sum(row["amount_minor"] for row in rows) - left_minor
    for row in rows:
        part = min(max(0, excess), row["amount_minor"])
        excess -= part
        if not part:
            continue
        await db.execute(
            """
            UPDATE payments SET amount_minor = amount_minor - CASE WHEN $2 < amount_minor THEN $2 ELSE 0 END,
                state = CASE WHEN $2 < amount_minor THEN state ELSE 'VOIDED' END,
                failure_code = CASE WHEN $2 < amount_minor THEN failure_code ELSE $3 END, updated_at = business_now()
            WHERE id = $1
            """,
            row["id"],
            part,
            NOTED,
        )

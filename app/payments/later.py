"""Paying for an order that exists: by a link, a deposit, what is left of an order that was changed.

As a checkout's, such a payment ends once, by whoever comes first: the request, the watch that it leaves behind, a
webhook, the end of the time to confirm it, a buyer who asks again. What is paid so is taken at once: the order stands.

1. One short transaction, with the order locked, finds out what is owed, claims the key and notes the payment.
2. The gateway is asked, outside any transaction.
3. One short transaction notes what it said, see `later_settling`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db, events
from app.accounts.identity import CustomerIdentity
from app.checkout import declines, own
from app.checkout.answers import Answer, Refused, Undecided
from app.checkout.errors import CheckoutErrorCode
from app.checkout.lease import LEASE_SECONDS
from app.checkout.payment_methods import Terms, check_payment
from app.checkout.requests import PaymentChoice
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.ids import new_id
from app.orders import status
from app.orders.errors import OrderErrorCode
from app.payments import later_settling, service, standing
from app.payments.models import PaymentPurpose, PaymentState
from app.payments.registry import ASKED_NOBODY, MANUAL, gateway_for
from app.payments.saved_methods import Chargeable

HOLD_SECONDS = 15 * 60
"""How long a buyer may take to confirm it, in business time."""

_OPEN_REQUEST = """
    SELECT id, amount_minor, purpose FROM payment_requests
    WHERE order_id = $1 AND state = 'OPEN' ORDER BY created_at, id LIMIT 1
"""
_INSERT = """
    INSERT INTO payments (id, order_id, purpose, request_id, idempotency_key, fingerprint, gateway, method,
                          amount_minor, currency_code, state, token, return_url, saved_method_id, saves, captured_minor,
                          refunded_minor, leased_until, hold_until, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'PENDING', $11, $12, $13, $14, 0, 0,
            clock_timestamp() + $15 * interval '1 second', business_now() + $16 * interval '1 second', business_now(),
            business_now())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaymentRequest:
    """One `orderPaymentCreate` of somebody who may see the order.

    Attributes:
        fingerprint: SHA-256 over the input, the key left out.
        client: where it comes from, whose declined payments are counted; None where they are not.
    """

    order_id: uuid.UUID
    payment: PaymentChoice
    idempotency_key: str
    fingerprint: bytes
    customer: CustomerIdentity | None = None
    client: str | None = None


async def collect_later(order_id: uuid.UUID, amount_minor: int, purpose: PaymentPurpose) -> uuid.UUID:
    """Ask for a part of an order's price, or all of it: the next payment of the order is of so much.

    In the open unit of work, which has the order locked. Returns the request's id.
    """
    db.current_unit_of_work()
    request_id = new_id()
    await db.execute(
        """
        INSERT INTO payment_requests (id, order_id, purpose, amount_minor, currency_code, state, created_at, updated_at)
        SELECT $1, id, $3, $4, currency_code, 'OPEN', business_now(), business_now() FROM orders WHERE id = $2
        """,
        request_id,
        order_id,
        purpose.value,
        amount_minor,
    )
    return request_id


async def withdraw_requests(order_id: uuid.UUID) -> int:
    """Nothing is asked for any more, in the open unit of work. Returns how many requests were open."""
    return await db.execute(
        """
        UPDATE payment_requests SET state = 'CANCELLED', updated_at = business_now()
        WHERE order_id = $1 AND state = 'OPEN'
        """,
        order_id,
    )


async def settle_requests(order_id: uuid.UUID, paid_minor: int) -> None:
    """Money has come in by another way than a request, in the open unit of work: the oldest are paid by it first."""
    rows = await db.fetch(
        """
        SELECT id, amount_minor FROM payment_requests WHERE order_id = $1 AND state = 'OPEN' ORDER BY created_at, id
        FOR NO KEY UPDATE
        """,
        order_id,
    )
    for row in rows:
        part = min(paid_minor, row["amount_minor"])
        paid_minor -= part
        if not part:
            return
        await db.execute(
            """
            UPDATE payment_requests SET amount_minor = amount_minor - CASE WHEN $2 < amount_minor THEN $2 ELSE 0 END,
                state = CASE WHEN $2 < amount_minor THEN state ELSE 'PAID' END, updated_at = business_now()
            WHERE id = $1
            """,
            row["id"],
            part,
        )


async def owed_of(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """What no payment covers yet, in minor units of each order's currency; 0 for one that is paid, whose money is set
    aside, or that is cancelled."""
    return {order_id: sums.uncovered_minor for order_id, sums in (await standing.sums_of_all(order_ids)).items()}


async def pay(request: OrderPaymentRequest) -> Answer:
    """Pay what an order owes, or say what the buyer has to do first. The same key is the same payment.

    Raises:
        DomainErrors: REQUIRED, PAYMENT_METHOD_UNAVAILABLE, NOT_FOUND and UNAUTHENTICATED for a saved method,
            PAYMENT_NOT_DUE, IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, RATE_LIMITED; PAYMENT_DECLINED and the like, which
            stay the answer for this key.
    """
    own.check_payer(request.payment, request.customer)
    with declines.trial(str(request.order_id), request.client) as trial:
        begun = await _begin(request, trial)
        answer = (
            await later_settling.resume(begun.payment_id)
            if begun.is_known
            else await later_settling.ask(begun.payment_id)
        )
        trial.decided(answer)
    match answer:
        case Refused(errors):
            raise DomainErrors(errors)
        case Undecided():
            message = "The order is being paid for; ask again with the same key."
            raise DomainError(CheckoutErrorCode.IN_PROGRESS, message, ["input"])
        case _:
            return answer


@dataclass(frozen=True, slots=True)
class _Begun:
    payment_id: uuid.UUID
    is_known: bool


async def _begin(request: OrderPaymentRequest, trial: declines.Trial) -> _Begun:
    async with db.unit_of_work():
        order = await status.lock_order(request.order_id)
        if order is None:
            raise not_found("order", ["input", "orderId"])
        known = await db.fetchrow(
            "SELECT id, fingerprint FROM payments WHERE order_id = $1 AND idempotency_key = $2",
            request.order_id,
            request.idempotency_key,
        )
        if known is not None:
            if known["fingerprint"] != request.fingerprint:
                message = "This key came with another input before; use a new one."
                field = ["input", "idempotencyKey"]
                raise DomainError(CheckoutErrorCode.IDEMPOTENCY_KEY_REUSED, message, field)
            return _Begun(known["id"], is_known=True)
        missing = (await owed_of([request.order_id]))[request.order_id]
        if missing <= 0:
            message = "Nothing is left to pay for this order."
            raise DomainError(OrderErrorCode.PAYMENT_NOT_DUE, message, ["input", "orderId"])
        saved = await _check(request)
        await make_room(request.order_id)
        trial.begin()
        asked = await db.fetchrow(_OPEN_REQUEST, request.order_id)
        choice, payment_id = request.payment, new_id()
        gateway = gateway_for(choice.method, saved.gateway if saved else choice.gateway)
        if gateway is None:
            raise LookupError("a payment that was checked has its gateway")
        await db.execute(
            _INSERT,
            payment_id,
            request.order_id,
            asked["purpose"] if asked else PaymentPurpose.BALANCE.value,
            asked["id"] if asked else None,
            request.idempotency_key,
            request.fingerprint,
            gateway.name,
            choice.method.value,
            min(missing, asked["amount_minor"]) if asked else missing,
            order["currency_code"],
            choice.token,
            choice.return_url,
            saved.id if saved else None,
            choice.save and saved is None,
            LEASE_SECONDS,
            HOLD_SECONDS,
        )
        await events.record(later_settling.WATCH, subject_id=payment_id, delay_seconds=LEASE_SECONDS + 0.5)
    return _Begun(payment_id, is_known=False)


async def _check(request: OrderPaymentRequest) -> Chargeable | None:
    """The saved method that is charged. Raises DomainErrors."""
    choice = request.payment
    if choice.method in MANUAL:
        message = "An order that exists is paid through a gateway; staff note other money."
        field = ["input", "payment", "method"]
        raise DomainError(CommonErrorCode.INVALID, message, field)
    if choice.saved_method_id is not None and request.customer:
        return await own.saved_method(choice, request.customer)
    problems = check_payment(choice, ships=True, terms=Terms())
    if choice.save and request.customer:
        problems += await own.check_saving(choice, request.customer)
    if problems:
        raise DomainErrors(problems)
    return None


async def make_room(order_id: uuid.UUID) -> None:
    """One payment at a time. One that waits for a buyer who tries anew is called off; should it have gone through at
    that moment, it is refunded. Raises DomainError(IN_PROGRESS) while a gateway is being asked."""
    rows = await db.fetch(
        """
        SELECT id, state, leased_until > clock_timestamp() AS is_leased FROM payments
        WHERE order_id = $1 AND attempt_id IS NULL AND state IN ('PENDING', 'REQUIRES_ACTION') AND gateway <> ALL($2)
        """,
        order_id,
        list(ASKED_NOBODY),
    )
    for row in rows:
        if row["state"] == PaymentState.PENDING:
            message = "The order is being paid for at this moment."
            raise DomainError(CheckoutErrorCode.IN_PROGRESS, message, ["input"])
        await db.execute("UPDATE payments SET failure_code = $2 WHERE id = $1", row["id"], later_settling.SUPERSEDED)
        await service.want_void(row["id"])

"""From what the gateway says of a payment for an order that exists to an answer that stays."""

import uuid
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

import orjson

from app import db, events
from app.addresses.postal import PostalAddress
from app.checkout import answers
from app.checkout.answers import ActionRequired, Answer, Placed, Refused, Undecided
from app.checkout.lease import LEASE_SECONDS, RENEW_EVERY_SECONDS
from app.errors import DomainError, ErrorCode
from app.events import timers
from app.kit.leases import renewed
from app.orders import status
from app.orders.models import OrderStatus
from app.payments import known, ledger, saved_methods, service, standing
from app.payments.errors import PaymentErrorCode
from app.payments.gateway import (
    Authorisation,
    GatewayPayment,
    GatewayState,
    GatewayUnavailableError,
    KnownPayment,
    Payer,
)
from app.payments.models import PaymentState
from app.payments.registry import ASKED_NOBODY
from app.payments.states import PAYMENT

WATCH = "payment.later_watch"
"""Left behind by every such payment: somebody has to end it should its process not live to."""
EXPIRED = "payment.later_expired"
"""Timer, and the event that it becomes: the buyer or the gateway took too long."""
SUPERSEDED = "superseded"
_INTERRUPTED, _TOO_LATE = "interrupted", "not_confirmed_in_time"
_REFUSALS: dict[str, tuple[ErrorCode, str]] = {
    _INTERRUPTED: (PaymentErrorCode.PAYMENT_NOT_COMPLETED, "The payment was interrupted; nothing was charged."),
    SUPERSEDED: (PaymentErrorCode.PAYMENT_NOT_COMPLETED, "Another payment took its place; nothing was charged."),
    _TOO_LATE: (PaymentErrorCode.PAYMENT_EXPIRED, "The payment was not confirmed in time; nothing was charged."),
}
_UNSETTLED = (PaymentState.PENDING, PaymentState.REQUIRES_ACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Later:
    """Such a payment as it stands, with what it takes to ask for it."""

    order_id: uuid.UUID
    gateway: str
    payment: KnownPayment
    state: PaymentState
    failure_code: str | None
    action: str | None
    token: str | None
    return_url: str | None
    saves: bool
    saved_reference: str | None
    customer_id: uuid.UUID | None
    email: str | None
    phone: str | None
    billing_address: str | None
    shipping_address: str | None
    number: int
    hold_until: datetime
    is_expired: bool
    is_leased: bool


async def _load(payment_id: uuid.UUID) -> _Later | None:
    row = await db.fetchrow(
        f"""
        SELECT p.order_id, p.gateway, p.state, p.failure_code, p.action, p.token, p.return_url, p.saves, p.hold_until,
               p.hold_until <= business_now() AS is_expired,
               coalesce(p.leased_until > clock_timestamp(), false) AS is_leased,
               m.reference AS saved_reference, o.customer_id, o.email, o.phone, o.billing_address, o.shipping_address,
               o.number, {known.of("p")}
        FROM payments p JOIN orders o ON o.id = p.order_id
        LEFT JOIN saved_payment_methods m ON m.id = p.saved_method_id AND m.deleted_at IS NULL
        WHERE p.id = $1 AND p.attempt_id IS NULL AND p.gateway <> ALL($2)
        """,
        payment_id,
        list(ASKED_NOBODY),
    )
    if row is None:
        return None
    kept = {name: row[name] for name in _Later.__slots__ if name not in ("payment", "state")}
    return _Later(**kept, payment=known.known_payment(row), state=PaymentState(row["state"]))


async def ask(payment_id: uuid.UUID) -> Answer:
    """Ask the gateway for the money, and settle the payment by its answer. Only for who has just begun it."""
    later = await _loaded(payment_id)
    async with _kept(payment_id):
        try:
            word = await _proceed(later, await _authorise(later))
        except GatewayUnavailableError:
            await _drop_lease(payment_id)
            return Undecided()
        return await _conclude(later, word)


async def resume(payment_id: uuid.UUID) -> Answer:
    """The buyer asks again. What was never asked of the gateway is asked now, under the same id."""
    later = await _loaded(payment_id)
    if later.state not in _UNSETTLED:
        return _known(later)
    if later.state is PaymentState.PENDING and not await _take_lease(payment_id):
        return Undecided()
    async with _kept(payment_id):
        try:
            word = await _retrieve(later)
            if word is None and not later.is_expired and _may_be_asked(later):
                word = await _authorise(later)
            word = await _proceed(later, word)
        except GatewayUnavailableError:
            await _drop_lease(payment_id)
            return _known(later)
        return await _conclude(later, word)


async def look(payment_id: uuid.UUID) -> bool:
    """Nobody asks, but something may have happened: settle the payment if the gateway's word allows it.

    Returns:
        Whether it is settled, or no such payment; it has to be looked at again otherwise.

    Raises:
        GatewayUnavailableError: look again later.
    """
    later = await _load(payment_id)
    if later is None or later.state not in _UNSETTLED:
        return True
    leased = later.state is PaymentState.PENDING and await _take_lease(payment_id)
    try:
        word = await _proceed(later, await _retrieve(later))
    except GatewayUnavailableError:
        if leased:
            await _drop_lease(payment_id)
        raise
    if word is None and not leased and not (later.is_expired and later.state is PaymentState.REQUIRES_ACTION):
        return False
    return not isinstance(await _conclude(later, word), Undecided)


async def _loaded(payment_id: uuid.UUID) -> _Later:
    later = await _load(payment_id)
    if later is None:
        raise LookupError("there is no such payment")
    return later


async def _authorise(later: _Later) -> GatewayPayment:
    gateway = service.gateway_named(later.gateway)
    request = Authorisation(
        payment_id=later.payment.id,
        amount_minor=later.payment.amount_minor,
        currency=later.payment.currency,
        method=later.payment.method,
        token=later.token,
        saved_reference=later.saved_reference,
        save=later.saves,
        return_url=later.return_url,
        capture_now=True,
        payer=Payer(
            customer_id=later.customer_id,
            email=later.email,
            phone=later.phone,
            billing_address=_address(later.billing_address),
            shipping_address=_address(later.shipping_address),
        ),
        metadata={"order": str(later.number)},
    )
    return await service.asked_of(gateway.name, "authorise", gateway.authorise(request))


def _address(stored: str | None) -> PostalAddress | None:
    return PostalAddress.from_json(orjson.loads(stored)) if stored else None


def _may_be_asked(later: _Later) -> bool:
    tokenless = service.gateway_named(later.gateway).tokenless
    return bool(later.token or later.saved_reference) or later.payment.method in tokenless


async def _retrieve(later: _Later) -> GatewayPayment | None:
    gateway = service.gateway_named(later.gateway)
    return await service.asked_of(gateway.name, "retrieve", gateway.retrieve(later.payment))


async def _proceed(later: _Later, word: GatewayPayment | None) -> GatewayPayment | None:
    if word is None or word.state is not GatewayState.APPROVED or later.is_expired:
        return word
    gateway = service.gateway_named(later.gateway)
    return await service.asked_of(gateway.name, "proceed", gateway.proceed(later.payment, capture_now=True))


# --- noting it --------------------------------------------------------------------------------------------------------


async def _conclude(later: _Later, word: GatewayPayment | None) -> Answer:
    """None says that the gateway was never asked, which only who has the lease may say."""
    state = word.state if word else None
    if word and state in (GatewayState.AUTHORIZED, GatewayState.CAPTURED):
        return await _paid(later, word)
    if word and state is GatewayState.DECLINED:
        code = word.failure_code or "declined"
        return await _end(later, PaymentState.FAILED, code, word.reference)
    if word is None:
        return await _end(later, PaymentState.VOIDING, _INTERRUPTED, None)
    if state is GatewayState.VOIDED:
        return await _end(later, PaymentState.VOIDED, _INTERRUPTED, word.reference)
    if later.is_expired:
        return await _end(later, PaymentState.VOIDING, _TOO_LATE, word.reference)
    return await _wait(later, word)


async def _paid(later: _Later, word: GatewayPayment) -> Answer:
    is_in = word.state is GatewayState.CAPTURED
    after = PaymentState.CAPTURED if is_in else PaymentState.CAPTURING
    async with db.unit_of_work():
        order = await status.lock_order(later.order_id)
        moved = await _move(later, after, reference=word.reference, captured=is_in)
        if moved:
            await ledger.note(
                later.payment.id, "CAPTURE" if is_in else "AUTHORIZE", later.payment.amount_minor,
                reference=word.reference,
            )  # fmt: skip
            if not is_in:
                await events.record(service.CAPTURE_WANTED, subject_id=later.payment.id)
            await _settle_request(later)
            if word.saved and later.saves and later.customer_id:
                await saved_methods.keep(later.payment.id, later.customer_id, word.saved)
            await standing.refresh(later.order_id)
        elif order is not None and order["status"] == OrderStatus.CANCELLED:
            await service.want_void(later.payment.id)
    return Placed(later.order_id) if moved else _known(await _loaded(later.payment.id))


async def _settle_request(later: _Later) -> None:
    """What was asked for is paid; and what was to come in by hand for the same is not waited for any more."""
    await db.execute(
        """
        UPDATE payment_requests r SET state = 'PAID', updated_at = business_now()
        FROM payments p WHERE p.id = $1 AND r.id = p.request_id AND r.state = 'OPEN'
        """,
        later.payment.id,
    )
    await db.execute(
        """
        UPDATE payments p SET state = 'VOIDED', failure_code = $3, updated_at = business_now()
        FROM orders o
        WHERE p.order_id = $1 AND o.id = $1 AND p.gateway = ANY($2) AND p.state = 'PENDING'
          AND coalesce(o.amount_due_minor, o.total_minor) <= (
              SELECT sum(CASE WHEN state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED') THEN amount_minor
                              ELSE captured_minor END)
              FROM payments WHERE order_id = $1
          )
        """,
        later.order_id,
        list(ASKED_NOBODY),
        SUPERSEDED,
    )


async def _end(later: _Later, after: PaymentState, code: str, reference: str | None) -> Answer:
    async with db.unit_of_work():
        await status.lock_order(later.order_id)
        moved = await _move(later, after, reference=reference, failure_code=code)
        if moved and after is PaymentState.FAILED:
            await ledger.note(later.payment.id, "AUTHORIZE", later.payment.amount_minor, failure_code=code)
        if moved and after is PaymentState.VOIDING:
            await events.record(service.VOID_WANTED, subject_id=later.payment.id)
        if moved:
            await standing.refresh(later.order_id)
    return _known(await _loaded(later.payment.id))


async def _wait(later: _Later, word: GatewayPayment) -> Answer:
    action = word.action if word.state is GatewayState.REQUIRES_ACTION else None
    after = PaymentState.REQUIRES_ACTION if action else PaymentState.PENDING
    async with db.unit_of_work():
        await status.lock_order(later.order_id)
        if await _move(later, after, reference=word.reference, action=answers.action_json(action)):
            await timers.schedule(EXPIRED, subject_id=later.payment.id, due_at=later.hold_until)
    return _known(await _loaded(later.payment.id))


async def _move(
    later: _Later,
    after: PaymentState,
    *,
    reference: str | None,
    failure_code: str | None = None,
    action: str | None = None,
    captured: bool = False,
) -> bool:
    """False when somebody else was quicker. Its order is locked."""
    before = [state.value for state in _UNSETTLED if PAYMENT.allows(state, after)]
    moved = await db.execute(
        """
        UPDATE payments SET state = $2, reference = coalesce($3, reference), failure_code = $4, action = $5::jsonb,
            token = NULL, leased_until = NULL, updated_at = business_now(),
            captured_minor = CASE WHEN $6 THEN amount_minor ELSE captured_minor END
        WHERE id = $1 AND state = ANY($7)
        """,
        later.payment.id,
        after.value,
        reference,
        failure_code and failure_code[:80],
        action,
        captured,
        before,
    )
    return moved == 1


def _known(later: _Later) -> Answer:
    """What is known of it without asking the gateway. The same for every time that its key comes."""
    match later.state:
        case PaymentState.REQUIRES_ACTION if later.action:
            return ActionRequired(answers.action_from(orjson.loads(later.action)), later.hold_until)
        case PaymentState.PENDING | PaymentState.REQUIRES_ACTION:
            return Undecided()
        case PaymentState.FAILED | PaymentState.VOIDING | PaymentState.VOIDED:
            declined = (PaymentErrorCode.PAYMENT_DECLINED, "The payment was declined.")
            code, message = _REFUSALS.get(later.failure_code or "", declined)
            return Refused([DomainError(code, message, ["input", "payment"])])
        case _:
            return Placed(later.order_id)


# --- the lease --------------------------------------------------------------------------------------------------------


async def _take_lease(payment_id: uuid.UUID) -> bool:
    taken = await db.execute(
        """
        UPDATE payments SET leased_until = clock_timestamp() + $2 * interval '1 second'
        WHERE id = $1 AND state = 'PENDING' AND (leased_until IS NULL OR leased_until <= clock_timestamp())
        """,
        payment_id,
        LEASE_SECONDS,
    )
    return taken == 1


async def _drop_lease(payment_id: uuid.UUID) -> None:
    await db.execute("UPDATE payments SET leased_until = NULL WHERE id = $1 AND state = 'PENDING'", payment_id)


def _kept(payment_id: uuid.UUID) -> AbstractAsyncContextManager[None]:
    async def renew() -> None:
        await db.execute(
            """
            UPDATE payments SET leased_until = clock_timestamp() + $2 * interval '1 second'
            WHERE id = $1 AND state = 'PENDING'
            """,
            payment_id,
            LEASE_SECONDS,
        )

    return renewed(renew, every_seconds=RENEW_EVERY_SECONDS)

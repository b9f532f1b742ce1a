"""From what the gateway says to an answer that stays: an order, a refusal, or waiting on.

The database decides and the gateway follows. An attempt ends by one conditional statement; whoever comes second finds
the first one's answer and gives that. Money that was authorised for an attempt that ended otherwise is given back, and
asked back until the gateway confirms it.
"""

import uuid
from dataclasses import replace
from datetime import datetime

from app import db, events
from app.addresses.postal import PostalAddress
from app.checkout import answers, attempts, beginnings, lease, refusals
from app.checkout.answers import ActionRequired, Answer, Placed, Refused, Undecided
from app.checkout.attempts import Attempt
from app.checkout.models import AttemptState
from app.errors import DomainError
from app.events import timers
from app.gift_cards import stored_value
from app.inventory import reservations
from app.orders import placing
from app.orders.draft import OrderDraft
from app.orders.models import PaymentStatus
from app.payments import saved_methods
from app.payments import service as payments
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
from app.promotions import redemptions

HOLD_EXPIRED = "checkout.hold_expired"
"""Timer, and the event that it becomes: the shopper or the gateway took too long."""

_TAKEN = (GatewayState.AUTHORIZED, GatewayState.CAPTURED)


async def authorise(attempt: Attempt) -> Answer:
    """Ask the gateway for the money, and settle the attempt by its answer. Only for who holds the lease."""
    async with lease.kept(attempt.id):
        try:
            word = await _proceed(attempt, await _ask(attempt))
        except GatewayUnavailableError:
            await lease.drop(attempt.id)
            return Undecided()
        return await conclude(attempt, word)


async def resume(attempt_id: uuid.UUID) -> Answer:
    """The shopper asks again for an attempt that nobody works on.

    What was never asked of the gateway is asked now: the key is the payment's id, so a request of the first process
    that is still on its way cannot take the money twice.
    """
    attempt, row = await attempts.load(attempt_id)
    if attempt is None:
        return answers.known_answer(row)
    if row["state"] == AttemptState.PROCESSING and not await lease.take(attempt_id):
        return Undecided()
    async with lease.kept(attempt_id):
        try:
            word = await _retrieve(attempt.gateway, attempt.payment)
            if word is None and _may_be_asked(attempt):
                word = await _ask(attempt)
            word = await _proceed(attempt, word)
        except GatewayUnavailableError:
            await lease.drop(attempt_id)
            return answers.known_answer(row)
        return await _conclude_from(attempt, row, word)


async def look(attempt_id: uuid.UUID) -> Answer:
    """Nobody asks, but something may have happened: settle the attempt if the gateway's word allows it.

    Raises:
        GatewayUnavailableError: look again later; until then nothing is given back and nothing is guessed.
    """
    attempt, row = await attempts.load(attempt_id)
    if attempt is None:
        if row["state"] == AttemptState.REFUSED and row["payment_id"]:
            await _give_back_stray(row["payment_id"], await _retrieve(row["gateway"], attempts.payment_of(row)))
        return answers.known_answer(row)
    leased = await lease.take(attempt_id)
    try:
        word = await _proceed(attempt, await _retrieve(attempt.gateway, attempt.payment))
    except GatewayUnavailableError:
        if leased:
            await lease.drop(attempt_id)
        raise
    if word is None and not leased and not (attempt.expired and row["state"] == AttemptState.REQUIRES_ACTION):
        return Undecided()
    return await _conclude_from(attempt, row, word)


async def _ask(attempt: Attempt) -> GatewayPayment:
    order, payment = attempt.order, attempt.payment
    request = Authorisation(
        payment_id=payment.id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        method=payment.method,
        token=attempt.token or None,
        saved_reference=attempt.saved_reference,
        save=attempt.saves,
        return_url=attempt.return_url,
        capture_now=order.captured_when_placed,
        payer=Payer(
            customer_id=order.customer_id,
            email=order.email,
            phone=order.phone,
            billing_address=_address(order.billing_address),
            shipping_address=_address(order.shipping_address) if order.ships else None,
        ),
        metadata={"cart": str(order.cart_id)},
    )
    gateway = payments.gateway_named(attempt.gateway)
    return await payments.asked_of(attempt.gateway, "authorise", gateway.authorise(request))


def _address(stored: dict[str, str] | None) -> PostalAddress | None:
    return PostalAddress.from_json(stored) if stored else None


def _may_be_asked(attempt: Attempt) -> bool:
    """For a payment that the gateway does not know: whether what it takes to ask for it is still there."""
    if attempt.expired:
        return False
    tokenless = payments.gateway_named(attempt.gateway).tokenless
    return bool(attempt.token or attempt.saved_reference) or attempt.payment.method in tokenless


async def _proceed(attempt: Attempt, word: GatewayPayment | None) -> GatewayPayment | None:
    """What the shopper has agreed to at the provider's is set aside now, unless it is too late."""
    if word is None or word.state is not GatewayState.APPROVED or attempt.expired:
        return word
    gateway = payments.gateway_named(attempt.gateway)
    known = replace(attempt.payment, reference=word.reference)
    question = gateway.proceed(known, capture_now=attempt.order.captured_when_placed)
    return await payments.asked_of(attempt.gateway, "proceed", question)


async def _retrieve(gateway: str, payment: KnownPayment) -> GatewayPayment | None:
    return await payments.asked_of(gateway, "retrieve", payments.gateway_named(gateway).retrieve(payment))


async def _conclude_from(attempt: Attempt, row: db.Record, word: GatewayPayment | None) -> Answer:
    """As `conclude`, without writing down again that the shopper still has to act."""
    still_waiting = row["state"] == AttemptState.REQUIRES_ACTION and word and word.state is GatewayState.REQUIRES_ACTION
    if still_waiting and not attempt.expired:
        return answers.known_answer(row)
    return await conclude(attempt, word)


async def conclude(attempt: Attempt, word: GatewayPayment | None) -> Answer:
    """Act on the gateway's word; None says that it was never asked, which only the lease's holder may say."""
    state = word.state if word else None
    if word and state in _TAKEN:
        return await _place(attempt, word)
    if word and state is GatewayState.DECLINED:
        message = word.message or "The payment was declined."
        return await _refuse(attempt, PaymentErrorCode.PAYMENT_DECLINED, message, PaymentState.FAILED, word)
    if word is None or state is GatewayState.VOIDED:
        message = "The payment was interrupted; nothing was charged."
        after = PaymentState.VOIDED if word else PaymentState.VOIDING
        return await _refuse(attempt, PaymentErrorCode.PAYMENT_NOT_COMPLETED, message, after, word)
    if attempt.expired:
        message = "The payment was not confirmed in time; nothing was charged."
        return await _refuse(attempt, PaymentErrorCode.PAYMENT_EXPIRED, message, PaymentState.VOIDING, word)
    return await _wait(attempt, word)


async def _place(attempt: Attempt, word: GatewayPayment) -> Answer:
    if word.state is GatewayState.CAPTURED:
        in_full = attempt.payment.amount_minor >= attempt.order.due_minor
        payment, status = PaymentState.CAPTURED, PaymentStatus.PAID if in_full else PaymentStatus.PARTIALLY_PAID
    else:
        # What does not ship is delivered with the order, so its money is due at once. So it is where the goods come
        # later than the authorisation would last.
        later = attempt.order.ships and not attempt.order.charged_at_once
        payment = PaymentState.AUTHORIZED if later else PaymentState.CAPTURING
        status = PaymentStatus.AUTHORIZED
    async with db.unit_of_work():
        placed = await finish(
            attempt.id,
            attempt.order,
            payment,
            status,
            word.reference,
            authorized_until=word.authorized_until,
            watch_id=attempt.watch_id,
        )
        if placed:
            if word.saved and attempt.saves and attempt.order.customer_id:
                await saved_methods.keep(attempt.payment.id, attempt.order.customer_id, word.saved)
            if payment is PaymentState.CAPTURING:
                await events.record(payments.CAPTURE_WANTED, subject_id=attempt.payment.id)
    return placed or await _settled_before(attempt, word)


async def finish(
    attempt_id: uuid.UUID,
    order: OrderDraft,
    payment: PaymentState,
    status: PaymentStatus,
    reference: str | None = None,
    *,
    authorized_until: datetime | None = None,
    watch_id: uuid.UUID | None = None,
) -> Placed | None:
    """Turn an attempt into its order, in the open unit of work; None when it is settled already.

    Args:
        watch_id: the event that need not watch over the attempt any more.
    """
    settled = await attempts.succeed(attempt_id, order, payment, reference, authorized_until)
    if settled is None:
        return None
    if watch_id:
        events.withdraw(watch_id)
    if order.deposit_minor is not None:
        await payments.note_deposit(attempt_id)
    row = await placing.place(
        order, attempt_id, status, cart_profile_id=settled.cart_profile_id, candidates=settled.candidates
    )
    placed = Placed.just_now(row, order)
    if order.discounts:
        await redemptions.redeem(attempt_id, order.id)
    if order.stored_value:
        await stored_value.redeem(attempt_id, order.id)
    return placed


def _stop_watching(attempt: Attempt) -> None:
    if attempt.watch_id:
        events.withdraw(attempt.watch_id)


async def _refuse(
    attempt: Attempt, code: PaymentErrorCode, message: str, after: PaymentState, word: GatewayPayment | None
) -> Answer:
    errors = [DomainError(code, message, ["input", "payment"])]
    reference, failure_code = (word.reference, word.failure_code) if word else (None, None)
    async with db.unit_of_work():
        refused = await attempts.refuse(attempt.id, refusals.to_json(errors), after, reference, failure_code)
        if refused:
            await reservations.release(attempt.id)
            if attempt.order.discounts:
                await redemptions.release(attempt.id)
            if attempt.order.stored_value:
                await stored_value.release(attempt.id)
            if after is PaymentState.VOIDING:
                await payments.want_void(attempt.payment.id)
            await beginnings.tell(attempt.order)
            _stop_watching(attempt)
    return Refused(errors) if refused else await _settled_before(attempt, word)


async def _wait(attempt: Attempt, word: GatewayPayment) -> Answer:
    action = word.action if word.state is GatewayState.REQUIRES_ACTION else None
    state = AttemptState.REQUIRES_ACTION if action else AttemptState.PROCESSING
    async with db.unit_of_work():
        waiting = await attempts.wait(attempt.id, state, word.reference, answers.action_json(action))
        if waiting:
            await timers.schedule(HOLD_EXPIRED, subject_id=attempt.id, due_at=attempt.hold_until)
            if action:
                _stop_watching(attempt)
    if not waiting:
        return await _settled_before(attempt, word)
    return ActionRequired(action, attempt.hold_until) if action else Undecided()


async def _settled_before(attempt: Attempt, word: GatewayPayment | None) -> Answer:
    """Somebody else was quicker: their answer holds."""
    _, row = await attempts.load(attempt.id)
    if row["state"] == AttemptState.REFUSED:
        await _give_back_stray(attempt.payment.id, word)
    return answers.known_answer(row)


async def _give_back_stray(payment_id: uuid.UUID, word: GatewayPayment | None) -> None:
    """Money that the gateway has set aside for an attempt that was refused goes back, however late it shows up."""
    if word and word.state in _TAKEN:
        async with db.unit_of_work():
            await payments.want_void(payment_id)

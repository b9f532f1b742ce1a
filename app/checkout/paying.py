"""What asks for the money of an order: stock, payment and claim in one transaction, then the gateway.

Whoever has an order that is ready to be placed comes here: a checkout, or what staff wrote for somebody.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app import db, events
from app.checkout import attempts, beginnings, settlement
from app.checkout.answers import Answer
from app.checkout.attempts import AtOnce, Attempt, Claim, PlannedPayment
from app.checkout.declines import Trial
from app.checkout.lease import LEASE_SECONDS
from app.checkout.requests import PaymentChoice
from app.companies.ordering import Permit
from app.customers.consent import NO_PROOF, Proof
from app.customers.consenting import ConsentGiven
from app.errors import DomainError
from app.gift_cards import stored_value
from app.inventory import reservations
from app.inventory.allocation import Demand, Level
from app.kit.ids import new_id
from app.kit.money import Money
from app.orders.draft import OrderDraft
from app.orders.models import PaymentStatus
from app.payments import credit, transfers
from app.payments.gateway import KnownPayment
from app.payments.known import begun_at
from app.payments.models import PaymentMethod, PaymentState
from app.payments.registry import ASKED_NOBODY, MANUAL, gateway_for
from app.payments.saved_methods import Chargeable
from app.promotions import redemptions
from app.rate_limit import RateLimitedError

WATCH = "checkout.attempt_watch"
WATCH_AFTER_SECONDS = LEASE_SECONDS + 0.5
HOLD_SECONDS = 15 * 60
"""How long stock stays held for a shopper who has to confirm the payment."""


class NoCredit(Exception):  # noqa: N818 - takes the transaction back, and is no error
    def __init__(self, problem: DomainError) -> None:
        self.problems = [problem]


@dataclass(frozen=True, slots=True)
class _Begun:
    """An attempt that holds what its order needs, and the event that watches over it."""

    attempt_id: uuid.UUID
    watch_id: uuid.UUID


class Short(Exception):  # noqa: N818 - takes the transaction back, and is no error
    def __init__(self, available: Mapping[uuid.UUID, int]) -> None:
        self.available = dict(available)


def planned(choice: PaymentChoice, saved: Chargeable | None) -> PlannedPayment:
    able = gateway_for(choice.method, saved.gateway if saved else choice.gateway)
    return PlannedPayment(
        id=new_id(),
        gateway=able.name if able else MANUAL[choice.method],
        method=choice.method,
        token=choice.token if able else None,
        return_url=choice.return_url if able else None,
        saved=saved,
        saves=choice.save and able is not None and saved is None,
        purchase_order_number=choice.purchase_order_number,
    )


async def on_account(order: OrderDraft, payment: PlannedPayment, now: datetime) -> OrderDraft:
    """In the open unit of work: with the company's row locked, before anything else is.

    Raises NoCredit where the company may not owe so much more.
    """
    if order.company_id is None:
        raise LookupError("an order on account belongs to a company")
    try:
        terms = await credit.reserve(order.company_id, Money(order.due_minor, order.currency_code))
    except DomainError as problem:
        raise NoCredit(DomainError(problem.code, problem.message, ["input", "payment", "method"])) from None
    due_at = now + terms.time_to_pay
    return replace(order, purchase_order_number=payment.purchase_order_number, payment_due_at=due_at)


async def hold_and_pay(
    claim: Claim,
    order: OrderDraft,
    demands: Sequence[Demand],
    payment: PlannedPayment | None,
    *,
    now: datetime,
    trial: Trial,
    levels: Sequence[Level] | None = None,
    keeper: uuid.UUID | None = None,
    consent: Sequence[ConsentGiven] = (),
    proof: Proof = NO_PROOF,
    permit: Permit | None = None,
) -> Answer | None:
    """Take what the order needs and ask for its money; None where the cart has changed or the key is in use.

    Args:
        now: business time.
        levels: of the stock, as they were read without a lock. Where an order needs nothing but stock and a payment,
            one statement does the first step on them, and only where somebody is at the same stock a transaction does.
        keeper: the checkout that keeps units for it already.
        permit: that whoever buys for a company may; asked once more, behind the claim.

    Raises, with nothing written: NotAllowed; Short, NoCredit or TakenMeanwhile for too little stock, credit, discount
    or stored value; RateLimitedError after too many declines.
    """
    hold_until = now + timedelta(seconds=HOLD_SECONDS)
    is_plain = not (keeper or consent or permit or order.discounts or order.stored_value)
    if payment and payment.gateway not in ASKED_NOBODY and is_plain and levels is not None:
        try:
            begun = await _begin_at_once(
                claim, order, demands, levels, payment=payment, hold_until=hold_until, trial=trial
            )
        except attempts.Contended:
            pass  # step by step, everybody waits for their turn
        else:
            return await _pay(begun, order, payment, hold_until, trial) if begun else None
    async with db.unit_of_work():
        if payment and payment.method is PaymentMethod.PURCHASE_ORDER:
            order = await on_account(order, payment, now)
        stock = await reservations.find(demands, cart_id=claim.cart_id, checkout_id=keeper)
        if stock.missing:
            raise Short(stock.missing)
        attempt_id = await attempts.claim(claim, order, hold_until, payment, stock.shares, checkout_id=keeper)
        if attempt_id is None:
            return None
        if permit is not None:
            await permit.take(attempt_id)
        # What staff take off is nobody's promotion: it has the id of what they wrote.
        uses = [use for use in order.discounts if use.id != order.cart_id]
        await redemptions.hold(attempt_id, uses, order.email, order.phone)
        await stored_value.hold(attempt_id, order.stored_value)
        if payment is None or payment.gateway in ASKED_NOBODY:
            status = PaymentStatus.PAID if payment is None else PaymentStatus.PENDING
            placed = await settlement.finish(attempt_id, order, PaymentState.PENDING, status)
            if payment and payment.method is PaymentMethod.BANK_TRANSFER:
                await transfers.begin(order.id, now)
            if consent:
                await beginnings.take_consent(order, consent, proof)
            return placed
        # Behind the claim: of one key sent many times at once, one is a try.
        trial.begin()
        if consent:
            await beginnings.tell(order)
            await beginnings.take_consent(order, consent, proof)
        watch_id = await events.record(WATCH, subject_id=attempt_id, delay_seconds=WATCH_AFTER_SECONDS)
    return await _pay(_Begun(attempt_id, watch_id), order, payment, hold_until, trial)


async def _begin_at_once(
    claim: Claim,
    order: OrderDraft,
    demands: Sequence[Demand],
    levels: Sequence[Level],
    *,
    payment: PlannedPayment,
    hold_until: datetime,
    trial: Trial,
) -> _Begun | None:
    """By one statement, which is a transaction by itself; None where the cart has changed.

    Raises attempts.Contended, with nothing written, where it has to be done step by step.
    """
    shares = reservations.shares_at_once(demands, levels)
    if shares is None:
        raise attempts.Contended
    wanted = {demand.variant_id for demand in demands}
    watch = events.watch(WATCH, delay_seconds=WATCH_AFTER_SECONDS)
    at_once = AtOnce(levels=sum(level.variant_id in wanted for level in levels), watch=watch)
    try:
        # Before the claim, as it cannot be taken back any more behind it.
        trial.begin()
        attempt_id = await attempts.claim(claim, order, hold_until, payment, shares, at_once=at_once)
    except (RateLimitedError, attempts.Contended):
        # One key that is sent many times at once is one try: who is refused for too many is found out behind the claim.
        trial.end()
        raise attempts.Contended from None
    if attempt_id is None:
        trial.end()
        return None
    return _Begun(attempt_id, watch.id)


async def _pay(begun: _Begun, order: OrderDraft, payment: PlannedPayment, hold_until: datetime, trial: Trial) -> Answer:
    """Ask the gateway, outside any transaction."""
    attempt = Attempt(
        id=begun.attempt_id,
        order=order,
        payment=KnownPayment(
            id=payment.id,
            reference=None,
            amount_minor=order.first_payment_minor,
            currency=order.currency_code,
            method=payment.method,
            begun_at=begun_at(payment.id),
        ),
        gateway=payment.gateway,
        token=payment.token or "",
        return_url=payment.return_url,
        hold_until=hold_until,
        saved_reference=payment.saved.reference if payment.saved else None,
        saves=payment.saves,
        watch_id=begun.watch_id,
    )
    answer = await settlement.authorise(attempt)
    trial.decided(answer)
    return answer

"""What asks for the money of an order: stock, payment and claim in one transaction, then the gateway.

Whoever has an order that is ready to be placed comes here: a checkout, or what staff wrote for somebody.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app import db, events
from app.checkout import attempts, beginnings, settlement
from app.checkout.answers import Answer
from app.checkout.attempts import Attempt, Claim, PlannedPayment
from app.checkout.declines import Trial
from app.checkout.lease import LEASE_SECONDS
from app.checkout.requests import PaymentChoice
from app.customers.consent import NO_PROOF, Proof
from app.customers.consenting import ConsentGiven
from app.errors import DomainError
from app.gift_cards import stored_value
from app.inventory import reservations
from app.inventory.allocation import Demand
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

WATCH = "checkout.attempt_watch"
WATCH_AFTER_SECONDS = LEASE_SECONDS + 0.5
HOLD_SECONDS = 15 * 60
"""How long stock stays held for a shopper who has to confirm the payment."""


class NoCredit(Exception):  # noqa: N818 - takes the transaction back, and is no error
    def __init__(self, problem: DomainError) -> None:
        self.problems = [problem]


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
    keeper: uuid.UUID | None = None,
    consent: Sequence[ConsentGiven] = (),
    proof: Proof = NO_PROOF,
) -> Answer | None:
    """Take what the order needs and ask for its money; None where the cart has changed or the key is in use.

    Args:
        now: business time.
        keeper: the checkout that keeps units for it already.

    Raises, with nothing written: Short, NoCredit or TakenMeanwhile for too little stock, credit, discount or stored
    value, RateLimitedError after too many declines.
    """
    hold_until = now + timedelta(seconds=HOLD_SECONDS)
    async with db.unit_of_work():
        if payment and payment.method is PaymentMethod.PURCHASE_ORDER:
            order = await on_account(order, payment, now)
        stock = await reservations.find(demands, cart_id=claim.cart_id, checkout_id=keeper)
        if stock.missing:
            raise Short(stock.missing)
        attempt_id = await attempts.claim(claim, order, hold_until, payment, stock.shares, checkout_id=keeper)
        if attempt_id is None:
            return None
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
    attempt = Attempt(
        id=attempt_id,
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
        watch_id=watch_id,
    )
    answer = await settlement.authorise(attempt)
    trial.decided(answer)
    return answer

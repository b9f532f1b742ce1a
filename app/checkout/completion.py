"""Completing a checkout: the order is placed once, or refused for a reason that is told again.

1. One short transaction claims the idempotency key on the cart as it was read, notes the payment and holds the stock.
2. The gateway is asked, outside any transaction.
3. One short transaction turns what it said into an order, see `settlement`.

Where nobody has to be asked, one transaction does all of it. An event is left in the first step that settles the
attempt should this process not live to do it, see `handlers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.cart import queries as carts
from app.cart.errors import CartErrorCode
from app.cart.models import CartState
from app.cart.snapshots import CartSnapshot
from app.checkout import attempts, beginnings, declines, own, paying, queries, refusals, settlement, spending
from app.checkout.answers import ActionRequired, Answer, Placed, Refused, Undecided
from app.checkout.attempts import Claim, PlannedPayment
from app.checkout.declines import Trial
from app.checkout.drafting import draft_order, stock_demands
from app.checkout.errors import CheckoutErrorCode, TotalChanged, in_progress
from app.checkout.models import AttemptState
from app.checkout.payment_methods import Terms, check_payment, terms_for
from app.checkout.requests import CompletionRequest, Details
from app.checkout.review import Review, review, shortages
from app.companies import ordering
from app.companies.delivery import delivery_of
from app.companies.ordering import NotAllowed, Permit
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.gift_cards import stored_value
from app.inventory import reservations
from app.kit.crypto import token_matches
from app.kit.money import Money
from app.metrics import instruments
from app.payments.registry import MANUAL
from app.promotions import redemptions
from app.shipping.errors import ShippingErrorCode

MAX_TRIES = 10
"""How often a cart may change between being read and being claimed."""


class _ValueGone(Exception):  # noqa: N818 - takes the transaction back, and is no error
    """A gift card has less than was priced; the cart is read again."""

    def __init__(self, due_minor: int) -> None:
        self.due_minor = due_minor


async def complete(request: CompletionRequest) -> Placed | ActionRequired:
    """Place the order, or say what the shopper has to do first.

    Raises:
        DomainErrors: a refusal that stays the answer for this key: what is missing or wrong, INSUFFICIENT_STOCK,
            TOTAL_CHANGED, PAYMENT_DECLINED and the like. Or one that is of the moment: NOT_FOUND, IN_PROGRESS,
            IDEMPOTENCY_KEY_REUSED, CART_COMPLETED, RATE_LIMITED, and malformed input.
    """
    most_due_minor: int | None = None
    for _ in range(MAX_TRIES):
        try:
            answer = await _try(request, most_due_minor)
        except _ValueGone as gone:
            most_due_minor = gone.due_minor
            continue
        if answer is not None:
            return told(answer)
    raise DomainError(CommonErrorCode.CONFLICT, "The cart keeps changing; try again.", ["input", request.source])


def told(answer: Answer) -> Placed | ActionRequired:
    match answer:
        case Refused(errors):
            instruments.checkout_ended(errors[0].code.name)
            raise DomainErrors(errors)
        case Undecided():
            instruments.checkout_ended("undecided")
            raise in_progress()
        case _:
            instruments.checkout_ended("placed" if isinstance(answer, Placed) else "action_required")
            return answer


async def _try(request: CompletionRequest, most_due_minor: int | None) -> Answer | None:
    """None when the cart, or a discount of it, changed between being read and being claimed."""
    found = await queries.standing_with_cart(request.cart_id, request.checkout_id, request.idempotency_key)
    if found is None or not token_matches(request.secret, found[0]["secret_hash"]):
        raise not_found("cart" if request.cart_id else "checkout", ["input", request.source])
    standing, row = found
    if standing["attempt_id"] is not None:
        return await again(standing, request.fingerprint, request.client)
    if standing["cart_state"] == CartState.COMPLETED:
        raise DomainError(
            CartErrorCode.CART_COMPLETED, "This cart has become an order already.", ["input", request.source]
        )
    if standing["live"]:
        raise in_progress()
    cart = await carts.described(row, request.secret)
    if cart is None:
        raise RuntimeError("the secret opens the cart and does not")
    return await _begin(standing, cart, request, most_due_minor)


async def again(standing: Mapping[str, Any], fingerprint: bytes, client: str | None) -> Answer:
    """The key is known: the same answer for the same input."""
    if standing["fingerprint"] != fingerprint:
        raise DomainError(
            CheckoutErrorCode.IDEMPOTENCY_KEY_REUSED,
            "This key came with another input before; use a new one.",
            ["input", "idempotencyKey"],
        )
    match AttemptState(standing["state"]):
        case AttemptState.SUCCEEDED:
            return Placed(standing["order_id"])
        case AttemptState.REFUSED:
            return Refused(refusals.from_json(standing["refusal"]))
        case AttemptState.PROCESSING if standing["leased"]:
            return Undecided()
        case _:
            with declines.trial(str(standing["cart_id"]), client) as trial:
                answer = await settlement.resume(standing["attempt_id"])
                trial.decided(answer)
                return answer


@dataclass(frozen=True, slots=True)
class _Payable:
    """An order that can be placed once it is paid; without a payment, when nothing is due."""

    review: Review
    payment: PlannedPayment | None
    permit: Permit | None


async def _begin(
    standing: Mapping[str, Any], cart: CartSnapshot, request: CompletionRequest, most_due_minor: int | None
) -> Answer | None:
    claim = Claim(
        cart_id=cart.id,
        revision=cart.revision,
        idempotency_key=request.idempotency_key,
        fingerprint=request.fingerprint,
    )
    found = await _payable(standing, cart, request, most_due_minor)
    if isinstance(found, _Payable):
        try:
            with declines.trial(str(cart.id), request.client) as trial:
                return await _hold_and_pay(standing, claim, found, request, trial)
        except paying.Short as short:
            found = shortages(cart.lines, short.available)
        except redemptions.TakenMeanwhile:
            return None  # read again, the discount says why it is gone
        except (paying.NoCredit, NotAllowed) as refused:
            found = refused.problems
        except stored_value.TakenMeanwhile:
            raise _ValueGone(found.review.priced.amount_due_minor) from None
    return Refused(found) if await attempts.claim_refused(claim, refusals.to_json(found)) else None


async def _payable(
    standing: Mapping[str, Any], cart: CartSnapshot, request: CompletionRequest, most_due_minor: int | None
) -> _Payable | list[DomainError]:
    """Everything that can be said before anything is taken; a list says why not."""
    own.check_payer(request.payment, request.customer)
    problems: list[DomainError] = []
    given, saved = request.details, None
    try:
        given = (await own.addresses(request.chosen, request.customer)).over(given)
    except DomainErrors as wrong:
        problems += wrong.errors
    details = given.over(queries.stored_details(standing)).over(Details(email=cart.email, phone=cart.phone))
    if request.customer:
        details = details.over(Details(email=request.customer.email))
    details = details.normalised(cart.country_code, ("input",))
    seen = await review(cart, details, standing["now"], ("input",), source=request.source)
    problems += seen.problems
    if request.details.shipping_quote_id and not seen.ships:
        message = "Nothing in the cart ships, so no shipping quote applies."
        field = ["input", "shippingQuoteId"]
        problems.append(DomainError(ShippingErrorCode.QUOTE_NOT_APPLICABLE, message, field))
    choice = request.payment if seen.priced.amount_due_minor else None
    if choice and request.customer and choice.saved_method_id is not None:
        try:
            saved = await own.saved_method(choice, request.customer)
        except DomainError as wrong:
            problems.append(wrong)
    elif seen.priced.amount_due_minor:
        manual = choice is not None and choice.method in MANUAL
        terms = await terms_for(cart.versions, cart.company_id) if manual else Terms()
        problems += check_payment(choice, ships=seen.ships, terms=terms)
        if choice and request.customer and choice.save:
            problems += await own.check_saving(choice, request.customer)
    problems += beginnings.check_consent(request.consent, details)
    problems += spending.check_owner(cart, seen.priced, request)
    permit = None
    if cart.company_id is not None:
        total = Money(seen.priced.total_minor, seen.priced.currency)
        permit = await ordering.permit(cart, request.customer_id, total, delivery_of(seen), ["input", request.source])
        problems += permit.problems
    problems = problems or _total_changed(seen, request)
    problems = problems or spending.amount_due_changed(seen.priced, request, most_due_minor) or shortages(cart.lines)
    if problems:
        return problems
    return _Payable(seen, paying.planned(choice, saved) if choice else None, permit)


def _total_changed(seen: Review, request: CompletionRequest) -> list[DomainError]:
    """Prices of another market than the cart's have to be expected: nobody has seen them in the cart."""
    total = Money(seen.priced.total_minor, seen.priced.currency)
    if request.expected_total == total or (request.expected_total is None and not seen.is_repriced):
        return []
    message = f"The total is {total.decimal} {total.currency}; show it to the shopper, and try again with a new key."
    return [TotalChanged(total, message, ["input", "expectedTotal"])]


async def _hold_and_pay(
    standing: Mapping[str, Any], claim: Claim, found: _Payable, request: CompletionRequest, trial: Trial
) -> Answer | None:
    """Steps one to three; see `paying.hold_and_pay`."""
    method = found.payment.method if found.payment else None
    return await paying.hold_and_pay(
        claim,
        draft_order(found.review, method, customer_id=request.customer_id, languages=request.languages),
        stock_demands(found.review),
        found.payment,
        now=standing["now"],
        levels=reservations.levels_of(orjson.loads(standing["levels"] or "[]")),
        keeper=standing["checkout_id"] if standing["reserved_until"] else None,
        consent=request.consent,
        proof=request.proof,
        trial=trial,
        permit=found.permit,
    )

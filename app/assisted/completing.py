"""From a draft order to an order: paid through its link as a checkout is, or settled by hand.

The draft's cart is what is claimed, under the buyer's key, on the revision that the draft was read at: staff who change
the draft meanwhile make the claim fail, and two who pay at once get one order.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from app import db
from app.accounts.identity import CustomerIdentity
from app.assisted import queries, service
from app.assisted.content import MAX_DAYS_TO_PAY, check_for_buyer
from app.assisted.errors import DraftOrderErrorCode
from app.assisted.models import DraftState
from app.assisted.queries import Draft
from app.assisted.shipping import placed_at
from app.assisted.ways import AFTERWARDS
from app.catalogue.models import InventoryPolicy
from app.checkout import attempts, completion, declines, own, paying, settlement
from app.checkout import queries as checkouts
from app.checkout.answers import ActionRequired, Answer, Placed
from app.checkout.attempts import Claim
from app.checkout.errors import TotalChanged, in_progress
from app.checkout.payment_methods import check_payment, terms_for
from app.checkout.requests import PaymentChoice
from app.configuration import VERSIONS, versions_of
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.inventory import reservations
from app.inventory.allocation import Demand
from app.inventory.errors import InsufficientStock
from app.kit.money import Money
from app.orders.draft import OrderDraft
from app.orders.models import PaymentStatus
from app.payments import by_hand, later
from app.payments import service as payments
from app.payments import standing as payment_standing
from app.payments.errors import PaymentErrorCode
from app.payments.models import PaymentMethod, PaymentPurpose, PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCompletion:
    """One request to place a draft order.

    Attributes:
        fingerprint: SHA-256 over the input as it was sent, the key left out.
        expected_total: what the buyer was shown.
        client: where it comes from, whose declined payments are counted.
    """

    idempotency_key: str
    fingerprint: bytes
    payment: PaymentChoice | None
    expected_total: Money | None = None
    customer: CustomerIdentity | None = None
    client: str | None = None


async def complete_by_link(token: str, request: DraftCompletion) -> Placed | ActionRequired:
    """Place what a link offers, and pay for it.

    Raises:
        DomainErrors: NOT_FOUND, DRAFT_ORDER_EXPIRED, DRAFT_ORDER_NOT_OPEN, IN_PROGRESS, IDEMPOTENCY_KEY_REUSED,
            TOTAL_CHANGED, INSUFFICIENT_STOCK, what is wrong with the payment, PAYMENT_DECLINED.
    """
    opened = await queries.by_token(token)
    if opened is None:
        raise not_found("draft order", ["input", "token"])
    return await complete(opened.id, request, {DraftState.SENT}, ["input", "token"])


async def complete(
    draft_id: uuid.UUID, request: DraftCompletion, allowed: set[DraftState], field: list[str]
) -> Placed | ActionRequired:
    """The same of a draft that the caller knows the buyer may place, in one of these states."""
    for _ in range(completion.MAX_TRIES):
        answer = await _try(draft_id, request, allowed, field)
        if answer is not None:
            return completion.told(answer)
    raise DomainError(CommonErrorCode.CONFLICT, "The draft order keeps changing; try again.", field)


async def _try(
    draft_id: uuid.UUID, request: DraftCompletion, allowed: set[DraftState], field: list[str]
) -> Answer | None:
    standing = await checkouts.standing(draft_id, None, request.idempotency_key)
    if standing is None:
        raise not_found("draft order", field)
    if standing["attempt_id"] is not None:
        return await completion.again(standing, request.fingerprint, request.client)
    if standing["live"]:
        raise in_progress()
    draft = await service.find(draft_id, field)
    check_standing(draft, allowed, field)
    order = draft.offer
    if order is None:
        raise not_found("draft order", field)
    check_for_buyer(draft.content, ships=draft.ships, at=field)
    _check_total(order, request)
    payment = await _payment(order, request)
    claim = Claim(
        cart_id=draft_id,
        revision=standing["revision"],
        idempotency_key=request.idempotency_key,
        fingerprint=request.fingerprint,
    )
    days = draft.content.days_to_pay
    order = replace(
        order,
        payment_method=payment.method.value if payment else None,
        payment_due_at=standing["now"] + timedelta(days=days)
        if days is not None and order.first_payment_minor < order.due_minor
        else None,
        customer_id=order.customer_id or (request.customer.id if request.customer else None),
    )
    order = placed_at(order, draft.content, standing["now"])
    try:
        with declines.trial(str(draft_id), request.client) as trial:
            return await paying.hold_and_pay(
                claim, order, await _demands(order), payment, now=standing["now"], trial=trial
            )
    except paying.Short as short:
        raise DomainErrors(_shortages(order, short.available)) from None
    except paying.NoCredit as refused:
        raise DomainErrors(refused.problems) from None


def check_standing(draft: Draft, allowed: set[DraftState], field: list[str]) -> None:
    """Raises DomainError."""
    if draft.standing in allowed:
        return
    if draft.standing is DraftState.EXPIRED:
        message = "The offer was good until a time that is over; ask the shop for a new one."
        raise DomainError(DraftOrderErrorCode.DRAFT_ORDER_EXPIRED, message, field)
    message = f"The draft order is {draft.standing.value}."
    raise DomainError(DraftOrderErrorCode.DRAFT_ORDER_NOT_OPEN, message, field)


def _check_total(order: OrderDraft, request: DraftCompletion) -> None:
    total = Money(order.total_minor, order.currency_code)
    if request.expected_total not in (None, total):
        message = f"The total is {total.decimal} {total.currency}; show it to the buyer, and try again with a new key."
        raise TotalChanged(total, message, ["input", "expectedTotal"])


async def _payment(order: OrderDraft, request: DraftCompletion) -> attempts.PlannedPayment | None:
    """Raises DomainErrors."""
    own.check_payer(request.payment, request.customer)
    choice = request.payment if order.due_minor else None
    if order.due_minor and choice and choice.saved_method_id is not None and request.customer:
        return paying.planned(choice, await own.saved_method(choice, request.customer))
    if not order.due_minor:
        return None
    versions = versions_of(await db.fetchval(f"SELECT {VERSIONS}"))
    terms = await terms_for(versions, order.company_id)
    if problems := check_payment(choice, ships=order.ships, terms=terms):
        raise DomainErrors(problems)
    if choice is None:
        raise AssertionError("a payment that is missing is a problem")
    if order.deposit_minor is not None and choice.method in AFTERWARDS:
        message = "A deposit is paid before the goods leave: through a gateway, or by transfer."
        field = ["input", "payment", "method"]
        raise DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, message, field)
    if request.customer and choice.save and (problems := await own.check_saving(choice, request.customer)):
        raise DomainErrors(problems)
    return paying.planned(choice, None)


async def _demands(order: OrderDraft) -> list[Demand]:
    """Units to hold, by variant, as the catalogue has it now; what is fetched is held in its store alone."""
    units: dict[uuid.UUID, int] = {}
    fetched: set[uuid.UUID] = set()
    for line in order.lines:
        if line.track_inventory:
            units[line.variant_id] = units.get(line.variant_id, 0) + line.quantity
        if line.requires_shipping and order.pickup_location_id is not None:
            fetched.add(line.variant_id)
    rows = await db.fetch("SELECT id, inventory_policy FROM product_variants WHERE id = ANY($1::uuid[])", list(units))
    policies: Mapping[uuid.UUID, Any] = {row["id"]: row["inventory_policy"] for row in rows}
    return [
        Demand(
            variant_id,
            quantity,
            policies.get(variant_id) == InventoryPolicy.CONTINUE and variant_id not in fetched,
            order.pickup_location_id if variant_id in fetched else None,
        )
        for variant_id, quantity in units.items()
    ]


def _shortages(order: OrderDraft, available: Mapping[uuid.UUID, int]) -> list[DomainError]:
    return [
        InsufficientStock(
            available[line.variant_id],
            f"Only {available[line.variant_id]} of {line.product_name} are left.",
            ["lines", place, "quantity"],
        )
        for place, line in enumerate(order.lines)
        if line.variant_id in available
    ]


async def settle_by_hand(
    draft_id: uuid.UUID, *, paid_by: PaymentMethod | None, days_to_pay: int | None, amount: Money | None = None
) -> uuid.UUID:
    """Staff place it without asking a gateway: it was paid by hand, or will be.

    Args:
        paid_by: how the money came in; None where it is still due.
        days_to_pay: of what is still due, in business time; None for what the draft says.
        amount: of it that has come in, such as the deposit; None for all.

    Returns:
        The order's id.

    Raises:
        DomainErrors: NOT_FOUND, DRAFT_ORDER_NOT_OPEN, IN_PROGRESS, REQUIRED, INSUFFICIENT_STOCK, OUT_OF_RANGE; INVALID
            for a method that a gateway takes, and for another currency.
    """
    if days_to_pay is not None and not 0 <= days_to_pay <= MAX_DAYS_TO_PAY:
        message = f"From 0 to {MAX_DAYS_TO_PAY} days."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["input", "daysToPay"])
    if paid_by is not None:
        by_hand.check_method(paid_by, ["input", "paidBy"])
    elif amount is not None:
        raise DomainError(CommonErrorCode.REQUIRED, "Say how it came in.", ["input", "paidBy"])
    for _ in range(completion.MAX_TRIES):
        placed = await _try_by_hand(draft_id, paid_by, days_to_pay, amount)
        if placed is not None:
            return placed.order_id
    raise DomainError(CommonErrorCode.CONFLICT, "The draft order keeps changing; try again.", ["input", "id"])


async def _try_by_hand(
    draft_id: uuid.UUID, paid_by: PaymentMethod | None, days: int | None, amount: Money | None
) -> Placed | None:
    field = ["input", "id"]
    standing = await checkouts.standing(draft_id, None)
    draft = await service.find(draft_id, field)
    check_standing(draft, {DraftState.OPEN, DraftState.SENT, DraftState.REQUESTED}, field)
    if standing is None or draft.offer is None:
        raise not_found("draft order", field)
    if standing["live"]:
        raise in_progress()
    check_for_buyer(draft.content, ships=draft.ships, at=field)
    due = Money(draft.offer.due_minor, draft.offer.currency_code)
    if amount is not None:
        by_hand.check_amount(amount, due, ["input", "amount"])
    paid_minor = (amount or due).amount_minor if paid_by else 0
    owes = paid_minor < due.amount_minor
    days = draft.content.days_to_pay if days is None else days
    order = replace(
        draft.offer,
        payment_method=paid_by.value if paid_by else None,
        payment_due_at=standing["now"] + timedelta(days=days) if days is not None and owes else None,
        purchase_order_number=draft.content.purchase_order_number,
    )
    order = placed_at(order, draft.content, standing["now"])
    claim = Claim(
        cart_id=draft_id,
        revision=standing["revision"],
        idempotency_key=f"by-hand-{standing['revision']}",
        fingerprint=b"",
    )
    status = PaymentStatus.PENDING if order.due_minor else PaymentStatus.PAID
    async with db.unit_of_work():
        stock = await reservations.find(await _demands(order))
        if stock.missing:
            raise DomainErrors(_shortages(order, stock.missing))
        attempt_id = await attempts.claim(claim, order, standing["now"], None, stock.shares)
        if attempt_id is None:
            return None
        placed = await settlement.finish(attempt_id, order, PaymentState.PENDING, status)
        if placed and order.deposit_minor and paid_minor < order.deposit_minor:
            await later.collect_later(order.id, order.deposit_minor - paid_minor, PaymentPurpose.DEPOSIT)
        if placed and paid_by and paid_minor:
            await payments.record_by_hand(order.id, paid_minor, order.currency_code, paid_by)
            await payment_standing.refresh(order.id)
    return placed

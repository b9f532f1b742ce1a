"""Asking to be allowed to order a cart for a company, and deciding on what others ask for.

Whoever asks has the cart's row locked, as whoever claims it has: of a cart that is being paid for nobody asks anew.
What is decided moves by one conditional statement, so of two who decide at once the second hears that it was decided.
"""

import uuid
from dataclasses import dataclass

import orjson

from app import db, events
from app.accounts.identity import CustomerIdentity
from app.cart import queries as carts
from app.cart.snapshots import CartSnapshot
from app.checkout import queries as checkouts
from app.checkout.errors import CheckoutErrorCode, in_progress
from app.checkout.requests import Details
from app.checkout.review import Review, review
from app.checkout.service import CheckoutKey
from app.companies import ordering
from app.companies.delivery import delivery_of
from app.companies.errors import CompanyErrorCode
from app.companies.models import APPROVAL, ApprovalState, MemberRole
from app.errors import CommonErrorCode, DomainError, not_found
from app.events import timers
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.text import check_text
from app.staff.permissions import StaffIdentity

REQUESTED = "order_approval.requested"
"""Event: the company's approvers are written to."""
DECIDED = "order_approval.decided"
"""Event: whoever asked is written to."""
EXPIRES = "order_approval.expires"
"""Timer, and the event that it becomes."""
GOOD_DAYS = 14
"""Business time for approvers to decide, and then for the buyer to order."""
MAX_WORDS_CHARS = 2_000
_AT = ["input", "cartId"]

_INSERT = """
    INSERT INTO order_approvals (id, company_id, cart_id, customer_id, state, content_key, lines, total_minor,
                                 maximum_minor, currency_code, message, delivery, expires_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4, 'PENDING', $5, $6::jsonb, $7, $8, $9, $10, $12::jsonb,
            business_now() + $11::int * interval '1 day', business_now(), business_now())
    RETURNING expires_at
"""
# Whoever asked again is not asked for what they asked before.
_SUPERSEDE = """
    UPDATE order_approvals SET state = 'CANCELLED', updated_at = business_now()
    WHERE cart_id = $1 AND state = ANY($2)
"""
_DECIDE = """
    UPDATE order_approvals
    SET state = $2::text, comment = $3, approver_id = $4, staff_id = $5, staff_kind = $6, decided_at = business_now(),
        updated_at = business_now(),
        expires_at = CASE
            WHEN $2::text = 'APPROVED' THEN business_now() + $7::int * interval '1 day' ELSE expires_at
        END
    WHERE id = $1 AND state = 'PENDING' AND expires_at > business_now()
    RETURNING expires_at
"""
_LIVE = """
    SELECT EXISTS (
        SELECT FROM checkout_attempts WHERE cart_id = $1 AND state IN ('PROCESSING', 'REQUIRES_ACTION')
    )
"""


@dataclass(frozen=True, slots=True)
class Decider:
    """Whoever decides: an account, or staff of the shop where it is given."""

    customer_id: uuid.UUID | None
    staff: StaffIdentity | None = None


async def request(
    key: CheckoutKey, customer: CustomerIdentity, *, maximum: Money | None, message: str | None
) -> uuid.UUID:
    """Ask the company's approvers for the cart as it is now. What was asked for it before is void.

    Args:
        maximum: what the order may come to with shipping and taxes; None for what the checkout comes to now.

    Returns:
        The request's id.

    Raises:
        DomainError: NOT_FOUND, CART_EMPTY, TOO_LONG; INVALID for a cart of no company, or another currency;
            OUT_OF_RANGE for less than it comes to; NOT_A_MEMBER, APPROVAL_NOT_REQUIRED; IN_PROGRESS while it is being
            paid for; CONFLICT where it changed meanwhile.
    """
    words = (message or "").strip() or None
    if words and (wrong := check_text(words, MAX_WORDS_CHARS, ["input", "message"])):
        raise wrong
    cart, seen = await _seen(key)
    company_id = cart.company_id
    if company_id is None:
        text = "The cart is not bought for a company; choose one with cartCompanyUpdate."
        raise DomainError(CommonErrorCode.INVALID, text, _AT)
    total = Money(seen.priced.total_minor, seen.priced.currency)
    most = _most(maximum, total)
    member = None if cart.has_left_company else await ordering.member_of(company_id, customer.id)
    needed = ordering.refusals(member, most, _AT)
    if not needed:
        raise DomainError(CompanyErrorCode.APPROVAL_NOT_REQUIRED, "You may order this by yourself.", _AT)
    if needed[0].code is CompanyErrorCode.NOT_A_MEMBER:
        raise needed[0]
    approval_id = new_id()
    async with db.unit_of_work():
        if await db.fetchval("SELECT revision FROM carts WHERE id = $1 FOR NO KEY UPDATE", cart.id) != cart.revision:
            raise DomainError(CommonErrorCode.CONFLICT, "The cart has changed; look at it, and ask again.", _AT)
        if await db.fetchval(_LIVE, cart.id):
            raise in_progress()
        await db.execute(_SUPERSEDE, cart.id, APPROVAL.values_before(ApprovalState.CANCELLED))
        expires_at = await db.fetchval(
            _INSERT,
            approval_id,
            company_id,
            cart.id,
            customer.id,
            ordering.content_key(cart.lines),
            _lines(seen),
            total.amount_minor,
            most.amount_minor,
            most.currency,
            words,
            GOOD_DAYS,
            orjson.dumps(goes).decode() if (goes := delivery_of(seen)) else None,
        )
        await timers.schedule(EXPIRES, subject_id=approval_id, due_at=expires_at)
        await events.record(REQUESTED, subject_id=approval_id)
    return approval_id


async def _seen(key: CheckoutKey) -> tuple[CartSnapshot, Review]:
    """The cart, and what its checkout comes to as far as it has got. Raises DomainError: NOT_FOUND, CART_EMPTY."""
    cart = await carts.load_cart(key.cart_id, key.secret) if key.cart_id else None
    standing = await checkouts.standing(cart.id, None) if cart else None
    if cart is None or standing is None:
        raise not_found("cart", _AT)
    if not cart.lines:
        raise DomainError(CheckoutErrorCode.CART_EMPTY, "There is nothing in the cart.", _AT)
    details = checkouts.stored_details(standing).over(Details(email=cart.email, phone=cart.phone))
    return cart, await review(cart, details, standing["now"])


def _most(maximum: Money | None, total: Money) -> Money:
    """Raises DomainError: INVALID, OUT_OF_RANGE."""
    field = ["input", "maximumTotal"]
    if maximum is None:
        return total
    if maximum.currency != total.currency:
        raise DomainError(CommonErrorCode.INVALID, f"The cart is in {total.currency}.", field)
    if maximum.amount_minor < total.amount_minor:
        message = f"It comes to {total.decimal} {total.currency} already."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, field)
    return maximum


def _lines(seen: Review) -> str:
    """What approvers see: the shop's own words, and nothing that the buyer wrote."""
    lines = [
        {
            "name": line.product_name if not line.variant_name else f"{line.product_name}, {line.variant_name}",
            "sku": line.sku,
            "quantity": line.quantity,
            "total_minor": priced.total_minor,
        }
        for line, priced in zip(seen.cart.lines, seen.priced.lines, strict=True)
    ]
    return orjson.dumps(lines).decode()


async def decide(approval_id: uuid.UUID, decider: Decider, decision: ApprovalState, comment: str | None) -> None:
    """Approve or reject what somebody asks for.

    Args:
        decision: APPROVED or REJECTED.

    Raises:
        DomainError: NOT_FOUND, also for who is no approver of the company; NOT_AN_APPROVER for everybody about what
            they ask for themselves; APPROVAL_NOT_PENDING, TOO_LONG.
    """
    words = (comment or "").strip() or None
    if words and (wrong := check_text(words, MAX_WORDS_CHARS, ["comment"])):
        raise wrong
    async with db.unit_of_work():
        row = await db.fetchrow(
            "SELECT company_id, customer_id FROM order_approvals WHERE id = $1 FOR NO KEY UPDATE", approval_id
        )
        if row is None:
            raise not_found("approval", ["id"])
        if decider.staff is None:
            await _check_approver(row["company_id"], row["customer_id"], decider.customer_id)
        expires_at = await db.fetchval(
            _DECIDE,
            approval_id,
            decision.value,
            words,
            None if decider.staff else decider.customer_id,
            decider.staff.id if decider.staff else None,
            ("API_KEY" if decider.staff.is_key else "STAFF") if decider.staff else None,
            GOOD_DAYS,
        )
        if expires_at is None:
            raise _not_pending()
        if decision is ApprovalState.APPROVED:
            await timers.schedule(EXPIRES, subject_id=approval_id, due_at=expires_at)
        await events.record(DECIDED, subject_id=approval_id)


async def _check_approver(company_id: uuid.UUID, asked_by: uuid.UUID, customer_id: uuid.UUID | None) -> None:
    """Raises DomainError: NOT_FOUND, NOT_AN_APPROVER. Whoever is one stays one until the unit of work ends."""
    role = await db.fetchval(
        "SELECT role FROM company_members WHERE company_id = $1 AND customer_id = $2 FOR SHARE", company_id, customer_id
    )
    if role is None or (role != MemberRole.APPROVER and asked_by != customer_id):
        raise not_found("approval", ["id"])
    if asked_by == customer_id:
        message = "Nobody decides on what they ask for themselves; another approver has to, or the shop."
        raise DomainError(CompanyErrorCode.NOT_AN_APPROVER, message, ["id"])


async def cancel(approval_id: uuid.UUID, customer_id: uuid.UUID) -> None:
    """Whoever asked needs it no more. Raises DomainError: NOT_FOUND, APPROVAL_NOT_PENDING, IN_PROGRESS."""
    async with db.unit_of_work():
        cart_id = await db.fetchval(
            "SELECT cart_id FROM order_approvals WHERE id = $1 AND customer_id = $2", approval_id, customer_id
        )
        if cart_id is None:
            raise not_found("approval", ["id"])
        await db.execute("SELECT FROM carts WHERE id = $1 FOR NO KEY UPDATE", cart_id)
        if await db.fetchval(_LIVE, cart_id):
            raise in_progress()
        moved = await db.execute(
            "UPDATE order_approvals SET state = 'CANCELLED', updated_at = business_now() "
            "WHERE id = $1 AND state = ANY($2)",
            approval_id,
            APPROVAL.values_before(ApprovalState.CANCELLED),
        )
        if not moved:
            raise _not_pending()


async def expire(approval_id: uuid.UUID) -> None:
    """Its time is over, in the open unit of work. Who is paying at this moment may finish."""
    await db.execute(
        """
        UPDATE order_approvals SET state = 'EXPIRED', updated_at = business_now()
        WHERE id = $1 AND state = ANY($2) AND expires_at <= business_now()
        """,
        approval_id,
        APPROVAL.values_before(ApprovalState.EXPIRED),
    )


def _not_pending() -> DomainError:
    message = "It was decided on, taken back or used already, or its time is over."
    return DomainError(CompanyErrorCode.APPROVAL_NOT_PENDING, message, ["id"])

"""What members may order for their company: by themselves, and with the approval of somebody else.

Whoever checks out is looked at twice: with everything else that a checkout may lack, and again in the transaction that
claims the cart, where the approval is taken for that attempt. Carts without a company pay for neither.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app import db
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.companies.delivery import is_covered
from app.companies.errors import ApprovalRequired, CompanyErrorCode
from app.errors import DomainError
from app.kit.money import Money

_MEMBER = """
    SELECT m.id AS member_id, m.role, m.spending_limit_minor, c.currency_code, c.approval_threshold_minor
    FROM company_members m JOIN companies c ON c.id = m.company_id
    WHERE m.company_id = $1 AND m.customer_id = $2
"""
# What a cart was approved for says so by itself; whether that is this content and no more money is decided here.
_STANDING = f"""
    SELECT m.*, a.id AS approval_id, a.content_key, a.maximum_minor, a.currency_code AS approved_in,
           a.delivery AS approved_delivery
    FROM ({_MEMBER}) m LEFT JOIN order_approvals a
        ON a.cart_id = $3 AND a.company_id = $1 AND a.customer_id = $2 AND a.state = 'APPROVED'
        AND a.expires_at > business_now()
"""
_TAKE = f"""
    WITH taken AS (
        UPDATE order_approvals SET attempt_id = $4, updated_at = business_now()
        WHERE id = $3 AND company_id = $1 AND customer_id = $2 AND state = 'APPROVED' AND expires_at > business_now()
        RETURNING id
    )
    SELECT m.*, EXISTS (SELECT FROM taken) AS is_approved FROM ({_MEMBER}) m
"""


class NotAllowed(Exception):  # noqa: N818 - takes the transaction back, and is no error
    def __init__(self, problems: list[DomainError]) -> None:
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """That somebody may order a cart for a company, as it was when they asked."""

    company_id: uuid.UUID
    customer_id: uuid.UUID | None
    total: Money
    at: Sequence[str]
    approval_id: uuid.UUID | None = None
    """Of what allows it; None where nothing has to."""
    problems: list[DomainError] = field(default_factory=list)

    async def take(self, attempt_id: uuid.UUID) -> None:
        """In the open unit of work that claims the cart: it still holds, and the approval is this attempt's.

        Raises NotAllowed, where somebody left the company, has another limit now, or took the approval back.
        """
        db.current_unit_of_work()
        member = await db.fetchrow(_TAKE, self.company_id, self.customer_id, self.approval_id, attempt_id)
        if problems := refusals(member, self.total, self.at, is_approved=member is not None and member["is_approved"]):
            raise NotAllowed(problems)


async def permit(
    cart: CartSnapshot,
    customer_id: uuid.UUID | None,
    total: Money,
    delivery: Mapping[str, Any] | None,
    at: Sequence[str],
) -> Permit:
    """Whether somebody may order a company's cart at this total, to go there.

    Args:
        delivery: of `app.companies.delivery`.
        at: path of the cart in the request.
    """
    if cart.company_id is None:
        raise LookupError("nobody has to allow what one buys for oneself")
    # A cart that somebody kept who left has nothing of the company's any more, whoever orders it.
    member = None
    if not cart.has_left_company:
        member = await db.fetchrow(_STANDING, cart.company_id, customer_id, cart.id)
    approved = member is not None and member["approval_id"] is not None and _covers(member, cart, total, delivery)
    return Permit(
        company_id=cart.company_id,
        customer_id=customer_id,
        total=total,
        at=at,
        approval_id=member["approval_id"] if approved and member else None,
        problems=refusals(member, total, at, is_approved=approved),
    )


async def member_of(company_id: uuid.UUID, customer_id: uuid.UUID) -> db.Record | None:
    """The role and the limits of an account in a company; None where it is no member."""
    return await db.fetchrow(_MEMBER, company_id, customer_id)


def not_a_member(at: Sequence[str]) -> DomainError:
    return DomainError(CompanyErrorCode.NOT_A_MEMBER, CompanyErrorCode.NOT_A_MEMBER.value, at)


def refusals(
    member: Mapping[str, Any] | None, total: Money, at: Sequence[str], *, is_approved: bool = False
) -> list[DomainError]:
    """What keeps a member from ordering for so much.

    Args:
        member: of `_MEMBER`; None for who is none.
        is_approved: whether somebody allowed just that.
    """
    if member is None:
        return [not_a_member(at)]
    if is_approved:
        return []
    limit, threshold = member["spending_limit_minor"], member["approval_threshold_minor"]
    currency = member["currency_code"]
    if _is_above(limit, currency, total):
        most = Money(limit, currency)
        message = f"You may order for {most.decimal} {most.currency} at once; ask for an approval."
        return [DomainError(CompanyErrorCode.SPENDING_LIMIT_EXCEEDED, message, at)]
    if _is_above(threshold, currency, total):
        return [ApprovalRequired(Money(threshold, currency), at)]
    return []


def _is_above(limit_minor: int | None, currency: str, total: Money) -> bool:
    """In another currency everything is: what cannot be compared is somebody else's to decide."""
    return limit_minor is not None and (currency != total.currency or total.amount_minor > limit_minor)


def _covers(approval: Mapping[str, Any], cart: CartSnapshot, total: Money, delivery: Mapping[str, Any] | None) -> bool:
    """Whether it is the approved content, for no more than was approved, and goes where that was to go."""
    goes = orjson.loads(approval["approved_delivery"]) if approval["approved_delivery"] else None
    if not is_covered(goes, delivery):
        return False
    most = Money(approval["maximum_minor"], approval["approved_in"])
    is_same = bytes(approval["content_key"]) == content_key(cart.lines)
    return is_same and most.currency == total.currency and total.amount_minor <= most.amount_minor


def content_key(lines: Iterable[CartLineSnapshot]) -> bytes:
    """Digest of what is in a cart, whatever the order of its lines: variants, quantities, attributes, what is made to
    order, wraps. Not of prices: those are in the total."""
    content = sorted(
        orjson.dumps(
            [str(line.variant_id), line.quantity, line.attributes_key, line.gift_options], option=orjson.OPT_SORT_KEYS
        )
        for line in lines
    )
    return hashlib.sha256(b"\n".join(content)).digest()

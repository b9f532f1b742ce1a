"""Buying on account: who may, for how long and up to how much. Companies are kept elsewhere, which says so here.

What a company owes is what its orders on account have not been paid yet. Whoever adds to it has the company's row
locked, so that its limit holds however many of its buyers order at once.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from app import db
from app.errors import DomainError
from app.kit.money import Money
from app.payments.errors import PaymentErrorCode
from app.payments.registry import PURCHASE_ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTerms:
    """What was agreed with a company.

    Attributes:
        days_to_pay: days (business time) from the order.
        limit: what may be owed at once, in one currency; None for no limit. Nothing is sold on account in another one.
    """

    company_id: uuid.UUID
    days_to_pay: int
    limit: Money | None

    @property
    def time_to_pay(self) -> timedelta:
        return timedelta(days=self.days_to_pay)


class CreditLine(Protocol):
    """Whoever keeps the companies."""

    async def terms(self, company_id: uuid.UUID) -> CreditTerms | None:
        """None where the company does not buy on account."""
        ...

    async def lock(self, company_id: uuid.UUID) -> CreditTerms | None:
        """The same, with the company's row locked until the open unit of work ends."""
        ...


class _NobodyHasCredit:
    async def terms(self, company_id: uuid.UUID) -> CreditTerms | None:
        return None

    async def lock(self, company_id: uuid.UUID) -> CreditTerms | None:
        return None


_line: CreditLine = _NobodyHasCredit()


def use(line: CreditLine) -> None:
    """Said once, when the application starts, by whoever keeps the companies."""
    global _line
    _line = line


async def terms_of(company_id: uuid.UUID | None) -> CreditTerms | None:
    return None if company_id is None else await _line.terms(company_id)


async def owed_by(company_id: uuid.UUID, currency: str) -> int:
    """What a company's orders on account have not been paid yet, in minor units."""
    owed: int = await db.fetchval(
        """
        SELECT coalesce(sum(p.amount_minor - p.captured_minor), 0)::bigint
        FROM payments p JOIN orders o ON o.id = p.order_id
        WHERE o.company_id = $1 AND p.gateway = $2 AND p.state = 'PENDING' AND p.currency_code = $3
        """,
        company_id,
        PURCHASE_ORDER,
        currency,
    )
    return owed


async def lock(company_id: uuid.UUID) -> None:
    """What the company owes is about to change: nobody else adds to it until the open unit of work ends."""
    db.current_unit_of_work()
    await _line.lock(company_id)


async def reserve(company_id: uuid.UUID, amount: Money) -> CreditTerms:
    """Make sure that a company may owe so much more, in the open unit of work that writes the order.

    Raises:
        DomainError: PAYMENT_METHOD_UNAVAILABLE, CREDIT_LIMIT_EXCEEDED; the field is the caller's to add.
    """
    db.current_unit_of_work()
    terms = await _line.lock(company_id)
    if terms is None or (terms.limit is not None and terms.limit.currency != amount.currency):
        message = "The company does not buy on account, or not in this currency."
        raise DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, message)
    if terms.limit is not None:
        left = terms.limit.amount_minor - await owed_by(company_id, amount.currency)
        if amount.amount_minor > left:
            room = Money(max(0, left), amount.currency)
            message = f"The company can order for {room.decimal} {room.currency} more on account."
            raise DomainError(PaymentErrorCode.CREDIT_LIMIT_EXCEEDED, message)
    return terms

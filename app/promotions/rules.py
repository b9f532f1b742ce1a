"""Which discounts a cart gets. Pure: terms and a buyer go in; what is taken off, and a word on each code, come out.

The rule of combination: the best discount that applies by itself, and on top of it the best of the codes that were
entered. Best is what takes most off for the shopper; of equals, the first.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.errors import DomainError
from app.pricing.amounts import Discount
from app.pricing.discounting import amount_off
from app.promotions.errors import PromotionErrorCode
from app.referrals.rules import same_mailbox


class DiscountCodeReason(StrEnum):
    """Why a code takes nothing off."""

    NOT_FOUND = "NOT_FOUND"
    DISABLED = "DISABLED"
    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    USED_UP = "USED_UP"
    ALREADY_USED = "ALREADY_USED"
    BUYER_UNKNOWN = "BUYER_UNKNOWN"
    NOT_YOURS = "NOT_YOURS"
    SELF_REFERRAL = "SELF_REFERRAL"
    EXISTING_CUSTOMER = "EXISTING_CUSTOMER"
    MINIMUM_NOT_REACHED = "MINIMUM_NOT_REACHED"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    NOT_COMBINABLE = "NOT_COMBINABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountTerms:
    """A discount that a cart may get, by itself or by a code, as it was read together with the cart.

    Attributes:
        code, code_id: None for one that applies by itself.
        owner_id: the living profile that a personal code belongs to, with its addresses (the email in lower case).
        referrer_id: who recommended the shop with this code, with their addresses; it is for new customers then.
        buyer_has_ordered: looked up for codes of that kind only.
        blocked: why nobody can use it now.
        limit_per_customer, customer_uses: how often one buyer may use it, and how often this one has.
    """

    discount_id: uuid.UUID
    name: str
    percentage: Decimal | None
    amount_minor: int | None
    currency_code: str | None
    minimum_subtotal_minor: int | None
    limit_per_customer: int | None
    code_id: uuid.UUID | None = None
    code: str | None = None
    owner_id: uuid.UUID | None = None
    owner_email: str | None = None
    owner_phone: str | None = None
    referrer_id: uuid.UUID | None = None
    referrer_email: str | None = None
    referrer_phone: str | None = None
    buyer_has_ordered: bool = False
    blocked: DiscountCodeReason | None = None
    customer_uses: int = 0

    def as_priced(self) -> Discount:
        return Discount(
            id=str(self.discount_id),
            label=self.name,
            code=self.code,
            percentage=self.percentage,
            amount_minor=self.amount_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who buys, as far as is known. `profile_id` counts only while nobody has given an address."""

    email: str | None
    phone: str | None
    profile_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class EnteredCode:
    """A code as the shopper typed it; without a reason, it applies."""

    code: str
    reason: DiscountCodeReason | None


@dataclass(frozen=True, slots=True)
class Applied:
    """`terms` are what applies, in the order in which it does."""

    terms: tuple[DiscountTerms, ...]
    codes: tuple[EnteredCode, ...]

    @property
    def discounts(self) -> tuple[Discount, ...]:
        return tuple(terms.as_priced() for terms in self.terms)


def apply(
    offered: Sequence[DiscountTerms], codes: Sequence[str], buyer: Buyer, subtotal_minor: int, currency: str
) -> Applied:
    """Decide what a cart of this subtotal gets.

    Args:
        offered: what applies by itself, and what the codes stand for.
        codes: as the shopper typed them.
    """
    if not offered and not codes:
        return Applied((), ())
    automatic = [terms for terms in offered if terms.code is None]
    usable = [terms for terms in automatic if _obstacle(terms, buyer, subtotal_minor, currency) is None]
    best = _best(usable, subtotal_minor)
    left = subtotal_minor - (amount_off(best.as_priced(), subtotal_minor) if best else 0)

    by_code = {same(terms.code): terms for terms in offered if terms.code is not None}
    reasons = {code: _reason(by_code.get(same(code)), buyer, subtotal_minor, currency) for code in codes}
    entered = _best([by_code[same(code)] for code, reason in reasons.items() if reason is None], left)
    for code, reason in reasons.items():
        if reason is None and entered is not None and same(code) != same(entered.code or ""):
            reasons[code] = DiscountCodeReason.NOT_COMBINABLE
    chosen = tuple(terms for terms in (best, entered) if terms)
    return Applied(chosen, tuple(EnteredCode(code, reason) for code, reason in reasons.items()))


def same(code: str) -> str:
    """What two spellings of one code have in common; as the index on `upper(code)` has it."""
    return code.strip().upper()


def _reason(terms: DiscountTerms | None, buyer: Buyer, subtotal_minor: int, currency: str) -> DiscountCodeReason | None:
    return DiscountCodeReason.NOT_FOUND if terms is None else _obstacle(terms, buyer, subtotal_minor, currency)


def _obstacle(terms: DiscountTerms, buyer: Buyer, subtotal_minor: int, currency: str) -> DiscountCodeReason | None:
    if terms.blocked:
        return terms.blocked
    if terms.owner_id and (not_theirs := _not_theirs(terms, buyer)):
        return not_theirs
    if terms.referrer_id:
        if _is_referrer(terms, buyer):
            return DiscountCodeReason.SELF_REFERRAL
        if terms.buyer_has_ordered:
            return DiscountCodeReason.EXISTING_CUSTOMER
    if terms.limit_per_customer is not None and terms.customer_uses >= terms.limit_per_customer:
        return DiscountCodeReason.ALREADY_USED
    if terms.currency_code is not None and terms.currency_code != currency:
        return DiscountCodeReason.OTHER_CURRENCY
    if terms.minimum_subtotal_minor is not None and subtotal_minor < terms.minimum_subtotal_minor:
        return DiscountCodeReason.MINIMUM_NOT_REACHED
    return None


def _not_theirs(terms: DiscountTerms, buyer: Buyer) -> DiscountCodeReason | None:
    """Households share phones, so a number speaks for its owner only where one side has no email."""
    if not buyer.email and not buyer.phone:
        return None if buyer.profile_id == terms.owner_id else DiscountCodeReason.BUYER_UNKNOWN
    if buyer.email and terms.owner_email:
        return None if buyer.email.lower() == terms.owner_email else DiscountCodeReason.NOT_YOURS
    return None if buyer.phone and buyer.phone == terms.owner_phone else DiscountCodeReason.NOT_YOURS


def _is_referrer(terms: DiscountTerms, buyer: Buyer) -> bool:
    if buyer.email and terms.referrer_email and same_mailbox(buyer.email) == same_mailbox(terms.referrer_email):
        return True
    return bool(buyer.phone and buyer.phone == terms.referrer_phone) or buyer.profile_id == terms.referrer_id


def _best(usable: Sequence[DiscountTerms], from_minor: int) -> DiscountTerms | None:
    return max(usable, key=lambda terms: amount_off(terms.as_priced(), from_minor), default=None)


_REFUSED = {
    DiscountCodeReason.NOT_YOURS: (
        PromotionErrorCode.DISCOUNT_NOT_YOURS,
        "The code {code} belongs to another email address; order with that one, or remove the code.",
    ),
    DiscountCodeReason.USED_UP: (PromotionErrorCode.DISCOUNT_USED_UP, "The code {code} is used up; remove it."),
    DiscountCodeReason.ALREADY_USED: (
        PromotionErrorCode.DISCOUNT_ALREADY_USED,
        "You have used the code {code} as often as it can be; remove it.",
    ),
    DiscountCodeReason.SELF_REFERRAL: (
        PromotionErrorCode.DISCOUNT_SELF_REFERRAL,
        "The code {code} is your own, for your friends; remove it.",
    ),
    DiscountCodeReason.EXISTING_CUSTOMER: (
        PromotionErrorCode.DISCOUNT_EXISTING_CUSTOMER,
        "The code {code} is for a first order; remove it.",
    ),
    DiscountCodeReason.EXPIRED: (PromotionErrorCode.DISCOUNT_EXPIRED, "The code {code} is over; remove it."),
    DiscountCodeReason.DISABLED: (PromotionErrorCode.DISCOUNT_DISABLED, "The code {code} is over; remove it."),
}


def refusals(applied: Applied) -> list[DomainError]:
    """What keeps an order from being placed: codes that have counted until a moment ago, or for somebody else.

    A shopper who was shown a discount is not to find out from the bill that it was gone. Codes that never applied
    (misspelt, too early, the cart too small) were shown as such, and are left aside.
    """
    errors = []
    for place, entered in enumerate(applied.codes):
        if entered.reason in _REFUSED:
            code, message = _REFUSED[entered.reason]
            errors.append(DomainError(code, message.format(code=entered.code), ["cart", "discountCodes", place]))
    return errors

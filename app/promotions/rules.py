"""Which discounts a cart gets. Pure: what is on offer and who buys go in; what is taken off, and a word on each code,
come out."""

from collections.abc import Sequence

from app.errors import DomainError
from app.promotions.benefits import benefit_of
from app.promotions.combining import Candidate, Sale, choose
from app.promotions.errors import PromotionErrorCode
from app.promotions.exchanging import exchanged
from app.promotions.items import Item, items_of
from app.promotions.obstacles import because, obstacle_for, too_little
from app.promotions.terms import (
    NOTHING_APPLIED,
    Applied,
    Buyer,
    DiscountCodeReason,
    DiscountTerms,
    EnteredCode,
    Obstacle,
    Offered,
    PromotionContext,
    PromotionLine,
    same,
)


def apply(  # noqa: PLR0917 - everything that decides
    offered: Offered,
    codes: Sequence[str],
    buyer: Buyer,
    lines: Sequence[PromotionLine],
    currency: str,
    context: PromotionContext,
) -> Applied:
    """Decide what a cart gets. The order in which codes were typed makes no difference but to their own order.

    Args:
        offered: what applies by itself, and what the codes stand for.
        codes: as the shopper typed them.
    """
    if not offered.terms and not codes:
        return NOTHING_APPLIED
    items = items_of(lines, offered.products)
    subtotal = sum(item.subtotal_minor for item in items)

    def judged(terms: DiscountTerms) -> Candidate | Obstacle:
        if obstacle := obstacle_for(terms, buyer, offered.buyer, currency, context):
            return obstacle
        return _benefit(terms, items, subtotal, currency, context)

    every = [_in_currency(terms, currency, context) for terms in offered.terms]
    found = {terms.order: judged(terms) for terms in every}
    sale = Sale([line.to_price for line in lines], context.shipping_minor)
    chosen = choose([one for one in found.values() if isinstance(one, Candidate)], sale)
    counted = {candidate.key for candidate in chosen}

    by_code = {same(terms.code): terms for terms in every if terms.code is not None}
    entered = []
    for code in codes:
        terms = by_code.get(same(code))
        if terms is None:
            why: Obstacle | None = because(DiscountCodeReason.NOT_FOUND)
        elif isinstance(judgement := found[terms.order], Obstacle):
            why = judgement
        else:
            why = None if terms.order in counted else because(DiscountCodeReason.NOT_COMBINABLE)
        entered.append(EnteredCode(code, why.reason, why.message) if why else EnteredCode(code, None))
    return Applied(
        tuple(candidate.terms for candidate in chosen),
        tuple(entered),
        tuple(candidate.discount for candidate in chosen),
    )


def _in_currency(terms: DiscountTerms, currency: str, context: PromotionContext) -> DiscountTerms:
    if terms.currency_code in (None, currency) or terms.currency_code != context.shop_currency_code:
        return terms
    return exchanged(terms, context.exchange, currency) if context.exchange else terms


def _benefit(
    terms: DiscountTerms, items: Sequence[Item], subtotal_minor: int, currency: str, context: PromotionContext
) -> Candidate | Obstacle:
    minimum = terms.minimum_subtotal_minor
    if minimum is not None and subtotal_minor < minimum:
        return too_little(minimum - subtotal_minor, currency)
    benefit = benefit_of(terms, items, currency, context)
    return benefit if isinstance(benefit, Obstacle) else Candidate(terms, benefit)


_NOT_FOR_BUYER = (
    PromotionErrorCode.DISCOUNT_NOT_YOURS,
    "The code {code} is for some customers only; sign in as one of them, or remove the code.",
)
_FIRST_ORDER = (
    PromotionErrorCode.DISCOUNT_EXISTING_CUSTOMER,
    "The code {code} is for a first order; remove it.",
)
_REFUSED = {
    DiscountCodeReason.NOT_YOURS: (
        PromotionErrorCode.DISCOUNT_NOT_YOURS,
        "The code {code} belongs to another email address; order with that one, or remove the code.",
    ),
    DiscountCodeReason.NOT_IN_SEGMENT: _NOT_FOR_BUYER,
    DiscountCodeReason.NOT_IN_CUSTOMER_GROUP: _NOT_FOR_BUYER,
    DiscountCodeReason.OTHER_COUNTRY: (
        PromotionErrorCode.DISCOUNT_OTHER_COUNTRY,
        "The code {code} is for orders to other countries; remove it.",
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
    DiscountCodeReason.EXISTING_CUSTOMER: _FIRST_ORDER,
    DiscountCodeReason.NOT_FIRST_ORDER: _FIRST_ORDER,
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

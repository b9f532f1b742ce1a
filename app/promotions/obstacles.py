"""Who may have a discount, when and where; whatever lies in the cart."""

from app.kit.money import Money
from app.promotions.definition import Requirements
from app.promotions.terms import Buyer, BuyerFacts, DiscountCodeReason, DiscountTerms, Obstacle, PromotionContext
from app.referrals.rules import same_mailbox

_MESSAGES = {
    DiscountCodeReason.NOT_FOUND: "There is no such code.",
    DiscountCodeReason.DISABLED: "This offer is over.",
    DiscountCodeReason.EXPIRED: "This offer is over.",
    DiscountCodeReason.NOT_STARTED: "This offer has not begun yet.",
    DiscountCodeReason.USED_UP: "This offer is used up.",
    DiscountCodeReason.ALREADY_USED: "You have used it as often as one customer may.",
    DiscountCodeReason.BUYER_UNKNOWN: "Enter your email address: it is for some customers only.",
    DiscountCodeReason.NOT_YOURS: "It belongs to another email address.",
    DiscountCodeReason.SELF_REFERRAL: "It is your own, for your friends.",
    DiscountCodeReason.EXISTING_CUSTOMER: "It is for a first order.",
    DiscountCodeReason.NOT_FIRST_ORDER: "It is for a first order.",
    DiscountCodeReason.NOT_IN_SEGMENT: "It is for some customers only.",
    DiscountCodeReason.NOT_IN_CUSTOMER_GROUP: "It is for some customers only; sign in if you are one of them.",
    DiscountCodeReason.OTHER_MARKET: "It is not offered where you shop.",
    DiscountCodeReason.OTHER_COUNTRY: "It is for orders to other countries.",
    DiscountCodeReason.OTHER_CURRENCY: "It is in another currency than the cart.",
    DiscountCodeReason.NOT_COMBINABLE: "It does not go together with the other offers, which save more or go first.",
}


def because(reason: DiscountCodeReason) -> Obstacle:
    return Obstacle(reason, _MESSAGES[reason])


def obstacle_for(
    terms: DiscountTerms, buyer: Buyer, facts: BuyerFacts, currency: str, context: PromotionContext
) -> Obstacle | None:
    """The first thing that keeps the buyer from having it."""
    if terms.blocked:
        return because(terms.blocked)
    if terms.owner_id and (not_theirs := _not_theirs(terms, buyer)):
        return because(not_theirs)
    if terms.referrer_id:
        if _is_referrer(terms, buyer):
            return because(DiscountCodeReason.SELF_REFERRAL)
        if facts.has_ordered:
            return because(DiscountCodeReason.EXISTING_CUSTOMER)
    if (unmet := _unmet(terms.rule.requires, buyer, facts, context)) is not None:
        return because(unmet)
    if terms.limit_per_customer is not None and facts.uses.get(terms.discount_id, 0) >= terms.limit_per_customer:
        return because(DiscountCodeReason.ALREADY_USED)
    if terms.rule.requires.first_order and facts.has_used_first_order:
        return because(DiscountCodeReason.ALREADY_USED)
    if terms.currency_code is not None and terms.currency_code != currency:
        message = f"It is in {terms.currency_code}, and the cart is in {currency}."
        return Obstacle(DiscountCodeReason.OTHER_CURRENCY, message)
    return None


def _unmet(
    requires: Requirements, buyer: Buyer, facts: BuyerFacts, context: PromotionContext
) -> DiscountCodeReason | None:
    if requires.market_ids and context.market_id not in requires.market_ids:
        return DiscountCodeReason.OTHER_MARKET
    if requires.country_codes and context.country_code not in requires.country_codes:
        return DiscountCodeReason.OTHER_COUNTRY
    if requires.customer_group_ids and requires.customer_group_ids.isdisjoint(facts.customer_group_ids):
        return DiscountCodeReason.NOT_IN_CUSTOMER_GROUP
    if requires.segment_ids and requires.segment_ids.isdisjoint(facts.segment_ids):
        return DiscountCodeReason.NOT_IN_SEGMENT if buyer.is_known else DiscountCodeReason.BUYER_UNKNOWN
    if requires.first_order and facts.has_ordered:
        return DiscountCodeReason.NOT_FIRST_ORDER
    return None


def too_little(missing_minor: int, currency: str) -> Obstacle:
    message = f"Add items for {Money(missing_minor, currency).decimal} {currency} more to get it."
    return Obstacle(DiscountCodeReason.MINIMUM_NOT_REACHED, message)


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

"""Discounts of the shop's currency in a market that sells in another one: at the market's rate, half up."""

from collections.abc import Callable
from dataclasses import replace

from app.promotions.definition import FreeShipping, Tier, Worth
from app.promotions.terms import DiscountTerms

Exchange = Callable[[int], int]
"""From minor units of the one currency to minor units of the other."""


def exchanged(terms: DiscountTerms, exchange: Exchange, currency: str) -> DiscountTerms:
    """With all of its amounts in the other currency."""
    rule, minimum = terms.rule, terms.minimum_subtotal_minor
    free = rule.free_shipping
    return replace(
        terms,
        currency_code=currency,
        minimum_subtotal_minor=_exchanged(minimum, exchange),
        rule=replace(
            rule,
            worth=_worth(rule.worth, exchange) if rule.worth else None,
            tiers=tuple(_tier(tier, exchange) for tier in rule.tiers),
            free_shipping=FreeShipping(maximum_price_minor=_exchanged(free.maximum_price_minor, exchange))
            if free
            else None,
        ),
    )


def _exchanged(amount_minor: int | None, exchange: Exchange) -> int | None:
    return None if amount_minor is None else exchange(amount_minor)


def _worth(worth: Worth, exchange: Exchange) -> Worth:
    return Worth(
        percentage=worth.percentage,
        amount_minor=_exchanged(worth.amount_minor, exchange),
        each_minor=_exchanged(worth.each_minor, exchange),
        fixed_price_minor=_exchanged(worth.fixed_price_minor, exchange),
    )


def _tier(tier: Tier, exchange: Exchange) -> Tier:
    return Tier(
        worth=_worth(tier.worth, exchange),
        minimum_quantity=tier.minimum_quantity,
        minimum_subtotal_minor=_exchanged(tier.minimum_subtotal_minor, exchange),
    )

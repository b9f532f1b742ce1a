"""Discounts and carts to decide on, without a database."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from app.pricing.amounts import LineToPrice, PriceBreak, PricingInput, ShippingToPrice
from app.pricing.results import PricingResult
from app.pricing.rules import price
from app.promotions.definition import Combination, Rule, Worth
from app.promotions.rules import apply
from app.promotions.terms import (
    Applied,
    Buyer,
    BuyerFacts,
    DiscountTerms,
    Offered,
    ProductFacts,
    PromotionContext,
    PromotionLine,
)

ANYBODY = Buyer(email=None, phone=None)
TOGETHER = Combination(product=True, order=True, shipping=True)


def id_of(number: int) -> uuid.UUID:
    return uuid.UUID(int=number)


def terms(number: int, rule: Rule | None = None, *, code: str | None = None, **given: Any) -> DiscountTerms:
    """Ten percent unless told otherwise; `number` is its id, and how old it is."""
    return DiscountTerms(
        discount_id=id_of(number),
        name=f"D{number}",
        rule=rule or percent(10),
        code=code,
        code_id=id_of(1000 + number) if code else None,
        **given,
    )


def percent(percentage: int, **given: Any) -> Rule:
    return Rule(worth=Worth(percentage=Decimal(percentage)), **given)


def amount(minor: int, **given: Any) -> Rule:
    return Rule(worth=Worth(amount_minor=minor), **given)


def line(product: int, price_minor: int, quantity: int = 1, *, id: str | None = None, **given: Any) -> PromotionLine:
    """Of a product with one variant, which has the same number."""
    to_price = LineToPrice(
        id=id or f"l{product}",
        variant_key=str(product),
        quantity=quantity,
        price_breaks=(PriceBreak(1, price_minor),),
        **given,
    )
    return PromotionLine(to_price=to_price, product_id=id_of(product), variant_id=id_of(product))


def decide(
    offered: Sequence[DiscountTerms],
    lines: Sequence[PromotionLine],
    *codes: str,
    buyer: Buyer = ANYBODY,
    facts: BuyerFacts = BuyerFacts(),  # noqa: B008 - immutable
    products: dict[int, ProductFacts] | None = None,
    currency: str = "USD",
    **context: Any,
) -> Applied:
    known = {id_of(number): found for number, found in (products or {}).items()}
    everything = Offered(terms=tuple(offered), products=known, buyer=facts)
    return apply(everything, codes, buyer, lines, currency, PromotionContext(**context))


def priced(applied: Applied, lines: Sequence[PromotionLine], shipping_minor: int | None = None) -> PricingResult:
    shipping = None if shipping_minor is None else ShippingToPrice(label="Post", price_minor=shipping_minor)
    to_price = tuple(one.to_price for one in lines)
    return price(PricingInput(currency="USD", lines=to_price, discounts=applied.discounts, shipping=shipping))


def taken(applied: Applied, lines: Sequence[PromotionLine], shipping_minor: int | None = None) -> dict[str, int]:
    """What each discount takes off, by its name."""
    return {one.label: one.amount_minor for one in priced(applied, lines, shipping_minor).discounts}


def reasons(applied: Applied) -> list[str | None]:
    return [entered.reason and entered.reason.value for entered in applied.codes]

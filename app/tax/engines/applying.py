"""An order priced with the rates of an outside engine instead of the shop's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.errors import DomainError
from app.pricing.amounts import PricingInput
from app.pricing.rules import price
from app.tax.engines.asking import ask
from app.tax.engines.engine import TaxAnswer, TaxedItem, TaxQuestion
from app.tax.rules import Taxation


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What an engine is told of a line beside its amount."""

    tax_class: str | None
    taxable: bool = True
    services: bool = False
    sku: str | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """An order with the rates that it is to be charged.

    Attributes:
        estimated: the engine did not answer, so that these are the shop's own; or nobody knows for sure where it goes.
        problems: TAX_UNAVAILABLE, where the shop does not sell without an answer.
    """

    order: PricingInput
    estimated: bool
    problems: tuple[DomainError, ...] = ()


async def outside_rates(order: PricingInput, taxation: Taxation, facts: Mapping[str, ItemFacts]) -> Outside:
    """The order with the engine's rates, where the shop has one, somebody knows where the order goes, and there is
    anything in it. Never called inside a transaction.

    Args:
        order: with the shop's own rates.
        facts: of each line, by its id.

    Raises:
        DomainError: TOTAL_TOO_LARGE.
    """
    terms = taxation.settings.engine
    if terms is None or taxation.destination is None or not order.lines:
        return Outside(order, taxation.estimated)
    question = question_of(order, taxation, facts)
    try:
        answer = (await ask(terms, question)).answer
    except DomainError as unavailable:
        return Outside(order, True, (unavailable,))
    return Outside(order, True) if answer is None else Outside(_with(order, answer), taxation.estimated)


def question_of(order: PricingInput, taxation: Taxation, facts: Mapping[str, ItemFacts]) -> TaxQuestion:
    """What is left to pay of everything after discounts, and where. Raises DomainError(TOTAL_TOO_LARGE)."""
    if taxation.destination is None:
        raise ValueError("nobody knows where the order goes")
    priced = price(replace(order, stored_value=()))
    place, settings, buyer = taxation.destination, taxation.settings, taxation.buyer
    return TaxQuestion(
        currency=order.currency,
        prices_include_tax=order.prices_include_tax,
        seller_country=settings.home_country_code,
        seller_tax_id=settings.tax_id,
        country_code=place.country_code,
        province_code=place.province_code,
        postal_code=place.postal_code,
        city=place.city,
        buyer_tax_id=buyer.tax_id if buyer.tax_id_counts else None,
        exemptions=tuple(one.certificate_number for one in buyer.exemptions if one.covers(place)),
        items=tuple(
            TaxedItem(
                id=line.id,
                quantity=line.quantity,
                amount_minor=line.total_minor + line.gift_wrap_minor,
                tax_class=facts[line.id].tax_class,
                taxable=facts[line.id].taxable,
                services=facts[line.id].services,
                sku=facts[line.id].sku,
            )
            for line in priced.lines
        ),
        shipping_minor=priced.shipping.total_minor if priced.shipping else None,
        gift_wrap_minor=priced.gift_wrap.total_minor if priced.gift_wrap else None,
    )


def _with(order: PricingInput, answer: TaxAnswer) -> PricingInput:
    return replace(
        order,
        lines=tuple(replace(line, tax_rates=answer.items[line.id], gift_wrap_tax_rates=None) for line in order.lines),
        shipping=order.shipping and replace(order.shipping, tax_rates=answer.shipping, as_goods=False),
        gift_wrap=order.gift_wrap and replace(order.gift_wrap, tax_rates=answer.gift_wrap, as_goods=False),
    )

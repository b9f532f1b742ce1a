"""From what staff wrote to the order that it will be: by the one pricing function, with taxes, and frozen.

The order is kept with the draft, so that what is placed later is what was shown, whatever the catalogue says by then.
"""

import uuid
from dataclasses import dataclass, replace

from app.addresses.postal import PostalAddress
from app.assisted.cart_of import cart_of
from app.assisted.content import DraftContent, deposit_of
from app.assisted.goods import load
from app.assisted.models import DraftKind
from app.assisted.shipping import check_fetched, promise_of, with_quote
from app.cart.costs import lines_to_price, wrap_to_price
from app.cart.taxes import facts_for_engine, taxation_of, taxed_shipping, taxed_wrap
from app.checkout.drafting import draft_order
from app.checkout.requests import Details
from app.checkout.review import Review
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.markets import current as markets
from app.markets.terms import MarketTerms
from app.orders.draft import DiscountDraft, OrderDraft, OrderLineDraft
from app.orders.models import OrderSource
from app.pricing.amounts import Discount, DiscountTarget, LineToPrice, PriceBreak, PricingInput, ShippingToPrice
from app.pricing.rules import price
from app.promotions.terms import NOTHING_APPLIED
from app.tax.engines.applying import outside_rates

SOURCES = {
    DraftKind.DRAFT: OrderSource.DRAFT,
    DraftKind.QUOTATION: OrderSource.QUOTATION,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a draft comes to."""

    order: OrderDraft
    market: MarketTerms
    content: DraftContent
    """What was written, with the deposit that it comes to."""


async def market_of(content: DraftContent, currencies: frozenset[str] = frozenset()) -> MarketTerms:
    """The one that was named, or that of where it goes, or the default one.

    Args:
        currencies: of the amounts that were written, which have to be the market's.

    Raises:
        DomainError: NOT_FOUND, INVALID.
    """
    known = await markets.now()
    address = content.postal_address
    market = known.of_country(address.country_code) if address else known.default
    if content.market_id is not None:
        market = known.of_id(content.market_id)
        if market.id != content.market_id:
            raise DomainError(CommonErrorCode.NOT_FOUND, "There is no such market.", ["input", "marketId"])
    if currencies - {market.currency_code}:
        message = f"The market {market.code} sells in {market.currency_code}."
        raise DomainError(CommonErrorCode.INVALID, message, ["input"])
    return market


async def offer(draft_id: uuid.UUID, kind: DraftKind, content: DraftContent, market: MarketTerms) -> Offer:
    """Price what was written, at this moment. Never inside a transaction: a tax engine may be asked.

    Raises:
        DomainErrors: see `cart_of` and `with_quote`; TOTAL_TOO_LARGE, what the tax engine says, and OUT_OF_RANGE for a
            deposit of more than all of it.
    """
    goods = await load(
        [line.variant_id for line in content.lines if line.variant_id],
        market_id=market.id,
        customer_id=content.customer_id,
        company_id=content.company_id,
        tax_id=content.tax_id,
    )
    cart = await cart_of(draft_id, content, market, goods)
    check_fetched(content, ships=any(line.requires_shipping for line in cart.lines))
    content = await with_quote(content, cart)
    taxation, wrap, shipping = taxation_of(cart), wrap_to_price(cart), None
    if written_shipping := content.shipping:
        shipping = ShippingToPrice(label=written_shipping.title, price_minor=written_shipping.price_minor)
    order = PricingInput(
        currency=market.currency_code,
        lines=tuple(
            _negotiated(line, written.unit_price_minor)
            for line, written in zip(lines_to_price(cart, taxation), content.lines, strict=True)
        ),
        discounts=_discounts(draft_id, content),
        gift_wrap=wrap and taxed_wrap(wrap, taxation),
        shipping=shipping and taxed_shipping(shipping, taxation),
        prices_include_tax=market.prices_include_tax,
        rounding_minor=market.rounding_minor,
    )
    taxed = await outside_rates(order, taxation, facts_for_engine(cart))
    if taxed.problems:
        raise DomainErrors(list(taxed.problems))
    priced = price(taxed.order)
    frozen = draft_order(
        Review(
            cart=cart,
            details=_details(content),
            ships=any(line.requires_shipping for line in cart.lines),
            quote=None,
            priced=replace(priced, discounts=()),
            applied=NOTHING_APPLIED,
            problems=[],
            now=goods.now,
            tax_estimated=taxed.estimated,
        ),
        None,
        content.customer_id,
    )
    discount = content.discount
    deposit_minor = deposit_of(content, frozen.due_minor, market.rounding_minor or 1)
    content = replace(content, deposit_minor=deposit_minor)
    return Offer(
        replace(
            frozen,
            lines=[
                _without_prices(line) if written.unit_price_minor is not None else line
                for line, written in zip(frozen.lines, content.lines, strict=True)
            ],
            source=SOURCES[kind],
            holds=content.holds,
            charged_at_once=frozen.charged_at_once or bool(deposit_minor),
            deposit_minor=deposit_minor,
            discounts=[
                DiscountDraft(
                    id=draft_id, code_id=None, name=discount.reason, code=None, amount_minor=priced.discount_minor
                )
            ]
            if discount and priced.discount_minor
            else [],
            shipping_quote=promise_of(content, market) if frozen.ships or content.shipping else None,
            pickup_location_id=content.pickup.location_id if content.pickup else None,
        ),
        market,
        content,
    )


def _negotiated(line: LineToPrice, unit_price_minor: int | None) -> LineToPrice:
    """At what was negotiated, whatever is made to order for it."""
    if unit_price_minor is None:
        return line
    return replace(line, price_breaks=(PriceBreak(1, unit_price_minor),), customization_minor=0, fixed=True)


def _without_prices(line: OrderLineDraft) -> OrderLineDraft:
    """What is made to order lies inside the negotiated price."""
    return replace(line, customizations=[{**one, "price_minor": 0} for one in line.customizations])


def _discounts(draft_id: uuid.UUID, content: DraftContent) -> tuple[Discount, ...]:
    discount = content.discount
    if discount is None:
        return ()
    return (
        Discount(
            id=str(draft_id),
            label=discount.reason,
            target=DiscountTarget.MERCHANDISE,
            line_ids=frozenset(str(line.id) for line in content.lines),
            percentage=discount.percentage,
            amount_minor=discount.amount_minor,
        ),
    )


def _details(content: DraftContent) -> Details:
    return Details(
        email=content.email,
        phone=content.phone,
        shipping_address=_address(content.shipping_address),
        billing_address=_address(content.billing_address),
    )


def _address(stored: dict[str, str] | None) -> PostalAddress | None:
    return PostalAddress.from_json(stored) if stored else None

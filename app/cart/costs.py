"""What a cart costs, by the one function that prices orders too."""

from dataclasses import replace

from app.cart import taxes
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.catalogue.models import ProductKind
from app.gift_cards.rules import usable
from app.gifting.options import GiftOptions
from app.pricing.amounts import GiftWrapToPrice, LineToPrice, PricingInput, ShippingToPrice
from app.pricing.results import PricingResult
from app.pricing.rules import MAX_TOTAL_MINOR, price
from app.promotions.rules import apply
from app.promotions.terms import NOTHING_APPLIED, Applied, Buyer, PromotionContext, PromotionLine
from app.tax.rules import Taxation
from app.terms.customizations import Chosen

_NEVER_TOO_LARGE_MINOR = MAX_TOTAL_MINOR // 1000
"""Goods with their options for less than that are not too much with any wraps, shipping and taxes."""


def discounts_of(
    cart: CartSnapshot, shipping: ShippingToPrice | None = None, country_code: str | None = None
) -> Applied:
    """What applies to the cart as it stands, and a word on each of its codes.

    Args:
        shipping: at its quoted price.
        country_code: where it ships to, once that is known better than by the cart.
    """
    if not cart.discounts.terms and not cart.discount_codes:
        return NOTHING_APPLIED
    taxation = taxes.taxation_of(cart)
    taxed = shipping and taxes.taxed_shipping(shipping, taxation)
    buyer = Buyer(email=cart.email, phone=cart.phone, profile_id=cart.profile_id)
    context = PromotionContext(
        market_id=cart.market.id,
        country_code=country_code or cart.country_code,
        ships=any(line.requires_shipping for line in cart.lines),
        shipping_minor=taxed.price_minor if taxed else None,
        shop_currency_code=cart.market.shop_currency_code,
        exchange=cart.market.from_shop_currency,
    )
    lines = [
        PromotionLine(to_price=to_price, product_id=line.product_id, variant_id=line.variant_id)
        for line, to_price in zip(cart.lines, lines_to_price(cart, taxation), strict=True)
    ]
    return apply(cart.discounts, cart.discount_codes, buyer, lines, cart.currency_code, context)


def lines_to_price(cart: CartSnapshot, taxation: Taxation) -> tuple[LineToPrice, ...]:
    wrap_rates = taxes.wrap_rates(taxation)
    wrap = cart.wrap_terms.in_currency(cart.currency_code) if cart.wrap_terms else None
    return tuple(
        LineToPrice(
            id=str(line.id),
            variant_key=str(line.variant_id),
            quantity=line.quantity,
            price_breaks=taxes.breaks_of(line, taxation),
            customization_minor=sum(one.price_minor for one in made_to_order(cart, line, taxation)),
            tax_rates=taxes.rates_of(line, taxation),
            gift_wrap_tax_rates=wrap_rates,
            ships=line.requires_shipping,
            fixed=line.product_kind is ProductKind.GIFT_CARD,
            gift_wrap_minor=taxes.charged_for_wrap(line, wrap[1], taxation) * line.quantity
            if wrap and GiftOptions.of(line.gift_options).wrap
            else 0,
        )
        for line in cart.lines
    )


def wrap_to_price(cart: CartSnapshot) -> GiftWrapToPrice | None:
    """The wrap of the cart as a whole; its lines' are priced with them."""
    price = cart.wrap_terms.in_currency(cart.currency_code) if cart.wrap_terms else None
    if cart.wrap_terms is None or price is None or not GiftOptions.of(cart.gift_options).wrap:
        return None
    return GiftWrapToPrice(label=cart.wrap_terms.label, price_minor=price[0])


def made_to_order(cart: CartSnapshot, line: CartLineSnapshot, taxation: Taxation | None = None) -> list[Chosen]:
    """What is made to order for each unit of a line, at what this buyer is charged for it in the cart's currency. Each
    price is rounded by itself, so that they add up to what the unit costs more.

    Args:
        taxation: of `taxes.taxation_of`, where the caller has it already.
    """
    if not line.customizations:
        return []
    taxation = taxation or taxes.taxation_of(cart)
    return [
        replace(one, price_minor=taxes.charged_for(line, cart.market.from_shop_currency(one.price_minor), taxation))
        for one in line.customized.chosen
    ]


def check_total(cart: CartSnapshot) -> None:
    """Raises DomainError(TOTAL_TOO_LARGE). Hardly any cart comes near, so that it is rarely priced for this alone."""
    dearest = sum(
        line.quantity
        * (
            max((tier.unit_price_minor for tier in line.price_breaks), default=line.unit_price_minor)
            + sum(one.price_minor for one in made_to_order(cart, line))
        )
        for line in cart.lines
    )
    if dearest > _NEVER_TOO_LARGE_MINOR:
        price_cart(cart)


def to_price(
    cart: CartSnapshot, shipping: ShippingToPrice | None = None, applied: Applied | None = None
) -> PricingInput:
    """The cart as pricing has it. Lines keep their ids as text, and discounts theirs.

    Args:
        shipping: at its quoted price; its taxes follow from the cart.
        applied: of `discounts_of`, where the caller has it already.
    """
    taxation = taxes.taxation_of(cart)
    taxed = shipping and taxes.taxed_shipping(shipping, taxation)
    wrap = wrap_to_price(cart)
    return PricingInput(
        currency=cart.currency_code,
        lines=lines_to_price(cart, taxation),
        discounts=(applied or discounts_of(cart, shipping)).discounts,
        gift_wrap=wrap and taxes.taxed_wrap(wrap, taxation),
        shipping=taxed,
        prices_include_tax=cart.market.prices_include_tax,
        rounding_minor=cart.market.rounding_minor,
        stored_value=usable(cart.stored_value, cart.currency_code, has_gift_card=cart.has_gift_card),
    )


def price_cart(
    cart: CartSnapshot, shipping: ShippingToPrice | None = None, applied: Applied | None = None
) -> PricingResult:
    """What it comes to; see `to_price`. Raises DomainError(TOTAL_TOO_LARGE)."""
    return price(to_price(cart, shipping, applied))

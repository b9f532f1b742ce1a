"""From what staff wrote to the order that it will be: by the one pricing function, with taxes, and frozen.

The order is kept with the draft, so that what is placed later is what was shown, whatever the catalogue says by then.
"""

import uuid
from dataclasses import dataclass, fields, replace

from app.addresses.postal import PostalAddress
from app.assisted.content import DraftContent, DraftLine, deposit_of
from app.assisted.goods import Goods, load
from app.assisted.models import DraftKind
from app.cart.errors import CartErrorCode
from app.cart.models import CartState
from app.cart.snapshots import CartLineSnapshot, CartSnapshot, VariantSnapshot
from app.cart.taxes import breaks_of, facts_for_engine, rates_of, taxation_of, taxed_shipping
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.checkout.drafting import draft_order
from app.checkout.requests import Details
from app.checkout.review import Review, destination_of
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.markets import current as markets
from app.markets.terms import MarketTerms
from app.orders.draft import DiscountDraft, OrderDraft
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
        DomainErrors: NOT_FOUND and PRODUCT_UNAVAILABLE for variants, TOTAL_TOO_LARGE, what the tax engine says, and
            OUT_OF_RANGE for a deposit of more than all of it.
    """
    goods = await load(
        [line.variant_id for line in content.lines if line.variant_id],
        market_id=market.id,
        customer_id=content.customer_id,
        company_id=content.company_id,
        tax_id=content.tax_id,
    )
    cart = _cart(draft_id, content, market, goods)
    taxation = taxation_of(cart)
    shipping = None
    if written_shipping := content.shipping:
        shipping = ShippingToPrice(label=written_shipping.title, price_minor=written_shipping.price_minor)
    order = PricingInput(
        currency=market.currency_code,
        lines=tuple(
            LineToPrice(
                id=str(line.id),
                variant_key=str(line.variant_id),
                quantity=line.quantity,
                price_breaks=breaks_of(line, taxation)
                if written.unit_price_minor is None
                else (PriceBreak(1, written.unit_price_minor),),
                tax_rates=rates_of(line, taxation),
                ships=line.requires_shipping,
                fixed=written.unit_price_minor is not None or line.product_kind is ProductKind.GIFT_CARD,
            )
            for line, written in zip(cart.lines, content.lines, strict=True)
        ),
        discounts=_discounts(draft_id, content),
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
            shipping_quote=_promise(content, market) if frozen.ships or content.shipping else None,
        ),
        market,
        content,
    )


def _cart(draft_id: uuid.UUID, content: DraftContent, market: MarketTerms, goods: Goods) -> CartSnapshot:
    address, errors, lines = content.postal_address, list[DomainError](), list[CartLineSnapshot]()
    classes = {None, *(one.id for one in goods.tax_facts.settings.classes)}
    for place, line in enumerate(content.lines):
        if line.tax_class_id not in classes:
            path: list[str | int] = ["input", "lines", place, "taxClassId"]
            errors.append(DomainError(CommonErrorCode.NOT_FOUND, "There is no such tax class.", path))
        variant = goods.variants.get(line.variant_id) if line.variant_id else _custom(line)
        at: list[str | int] = ["input", "lines", place, "variantId"]
        if variant is None:
            errors.append(DomainError(CommonErrorCode.NOT_FOUND, "There is no such variant.", at))
        elif variant.is_removed:
            message = f"{variant.product_name} is no longer sold."
            errors.append(DomainError(CartErrorCode.PRODUCT_UNAVAILABLE, message, at))
        else:
            lines.append(_snapshot(line, variant))
    if errors:
        raise DomainErrors(errors)
    return CartSnapshot(
        id=draft_id,
        secret="",
        state=CartState.OPEN,
        revision=0,
        market=market,
        versions=goods.versions,
        email=content.email,
        phone=content.phone,
        country_code=address.country_code if address else None,
        note=content.note,
        attributes=content.attributes,
        checkout_in_progress=False,
        created_at=goods.now,
        updated_at=goods.now,
        lines=lines,
        read_at=goods.now,
        customer_id=content.customer_id,
        market_id=market.id,
        company_id=content.company_id,
        tax_id=content.tax_id,
        tax_facts=goods.tax_facts,
        tax_destination=destination_of(address) if address else None,
    )


def _custom(line: DraftLine) -> VariantSnapshot:
    """What the catalogue does not have is named by the line alone: nothing else has its ids."""
    return VariantSnapshot(
        variant_id=line.id,
        product_id=line.id,
        is_removed=False,
        product_status=ProductStatus.ACTIVE,
        product_kind=ProductKind.PHYSICAL if line.requires_shipping else ProductKind.SERVICE,
        unit_price_minor=line.unit_price_minor or 0,
        requires_shipping=line.requires_shipping,
        weight_grams=0,
        taxable=line.taxable,
        track_inventory=False,
        inventory_policy=InventoryPolicy.CONTINUE,
        available_quantity=0,
        product_name=line.title or "",
        sku=line.sku,
        tax_class_id=line.tax_class_id,
    )


def _snapshot(line: DraftLine, variant: VariantSnapshot) -> CartLineSnapshot:
    known = {one.name: getattr(variant, one.name) for one in fields(VariantSnapshot)}
    return CartLineSnapshot(**known, id=line.id, quantity=line.quantity, attributes=line.attributes, attributes_key="")


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


def _promise(content: DraftContent, market: MarketTerms) -> dict[str, object] | None:
    """As a shipping quote is kept with an order: staff promise no days."""
    if content.shipping is None:
        return None
    return {
        "carrier": content.shipping.title,
        "service": "",
        "priceMinor": content.shipping.price_minor,
        "currencyCode": market.currency_code,
        "estimatedDelivery": None,
    }

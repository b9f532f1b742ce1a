"""What staff wrote, as a cart: so that it is priced, taxed and frozen as every cart is."""

import uuid
from dataclasses import fields
from typing import Any

from app.assisted.content import DraftContent, DraftLine
from app.assisted.goods import Goods
from app.cart.errors import CartErrorCode
from app.cart.gifts import unwrapped
from app.cart.models import CartState
from app.cart.snapshots import CartLineSnapshot, CartSnapshot, VariantSnapshot
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.checkout.review import destination_of
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.gifting import terms as gifting
from app.gifting.options import GiftOptions
from app.markets.terms import MarketTerms
from app.terms.customizations import Given, checked


async def cart_of(draft_id: uuid.UUID, content: DraftContent, market: MarketTerms, goods: Goods) -> CartSnapshot:
    """
    Raises:
        DomainErrors: NOT_FOUND and PRODUCT_UNAVAILABLE for variants, NOT_FOUND for tax classes, GIFT_WRAP_UNAVAILABLE,
            and the codes of `TermsErrorCode` that begin with CUSTOMIZATION.
    """
    address, errors, lines = content.postal_address, list[DomainError](), list[CartLineSnapshot]()
    classes = {None, *(one.id for one in goods.tax_facts.settings.classes)}
    for place, line in enumerate(content.lines):
        at: list[str | int] = ["input", "lines", place]
        if line.tax_class_id not in classes:
            errors.append(DomainError(CommonErrorCode.NOT_FOUND, "There is no such tax class.", [*at, "taxClassId"]))
        variant = goods.variants.get(line.variant_id) if line.variant_id else _custom(line)
        if variant is None:
            errors.append(DomainError(CommonErrorCode.NOT_FOUND, "There is no such variant.", [*at, "variantId"]))
            continue
        if variant.is_removed:
            message = f"{variant.product_name} is no longer sold."
            errors.append(DomainError(CartErrorCode.PRODUCT_UNAVAILABLE, message, [*at, "variantId"]))
            continue
        asked = [Given(one["key"], one["value"]) for one in line.customizations]
        made, wrong = checked(variant.terms.customizations, asked, [*at, "customizations"])
        errors += wrong
        lines.append(_snapshot(line, variant, made))
    if errors:
        raise DomainErrors(errors)
    wraps = any(GiftOptions.of(given).wrap for given in (content.gift_options, *(one.gift_options for one in lines)))
    cart = CartSnapshot(
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
        gift_options=content.gift_options,
        wrap_terms=await gifting.current() if wraps else None,
    )
    if not_offered := unwrapped(cart):
        raise DomainErrors([DomainError(one.code, one.message, ["input", "giftOptions"]) for one in not_offered])
    return cart


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


def _snapshot(line: DraftLine, variant: VariantSnapshot, made: list[dict[str, Any]]) -> CartLineSnapshot:
    known = {one.name: getattr(variant, one.name) for one in fields(VariantSnapshot)}
    return CartLineSnapshot(
        **known,
        id=line.id,
        quantity=line.quantity,
        attributes=line.attributes,
        attributes_key="",
        customizations=made,
        gift_options=line.gift_options,
    )

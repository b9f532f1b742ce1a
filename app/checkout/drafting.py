"""From a checkout without problems to the order that it will be."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from app.addresses.postal import PostalAddress
from app.cart.costs import made_to_order
from app.cart.snapshots import CartLineSnapshot
from app.catalogue.models import InventoryPolicy
from app.checkout.review import Review, wanted_units
from app.inventory.allocation import Demand
from app.kit.ids import new_id
from app.markets.terms import best_language
from app.orders.draft import DiscountDraft, OrderDraft, OrderLineDraft
from app.payments.models import PaymentMethod
from app.pricing.results import PricedLine
from app.terms.customizations import Chosen
from app.terms.dates import expected_at

AUTHORISED_FOR = timedelta(days=5)
"""Card networks let most authorisations lapse after seven days; two are for packing."""


def draft_order(
    review: Review, method: PaymentMethod | None, customer_id: UUID | None = None, languages: Sequence[str] = ()
) -> OrderDraft:
    """Freeze everything that was agreed on: lines with names, options and prices, addresses, the promised shipping.

    Args:
        languages: that whoever buys asks for, the best first; the order is in the first that its market has.
    """
    cart, details, priced = review.cart, review.details, review.priced
    store = review.quote.location if review.quote else None
    shipping_address = details.shipping_address if review.ships and store is None else None
    units = wanted_units(cart.lines)
    return OrderDraft(
        id=new_id(),
        cart_id=cart.id,
        email=details.email,
        phone=details.phone,
        payment_method=method.value if method else None,
        currency_code=priced.currency,
        subtotal_minor=priced.subtotal_minor,
        discount_minor=priced.discount_minor,
        shipping_minor=priced.shipping_minor,
        tax_minor=priced.tax_minor,
        tax_included=priced.tax_included,
        total_minor=priced.total_minor,
        shipping_address=_json(shipping_address),
        billing_address=_json(details.billing_address or shipping_address),
        shipping_quote=review.quote.to_json() if review.quote else None,
        note=cart.note,
        attributes=cart.attributes,
        lines=[
            _draft_line(
                position,
                line,
                amounts,
                expected_at(line, units[line.variant_id], review.now),
                made_to_order(cart, line),
            )
            for position, (line, amounts) in enumerate(zip(cart.lines, priced.lines, strict=True))
        ],
        discounts=_discounts(review),
        customer_id=customer_id,
        confirmed_age=review.confirmed_age,
        pickup_location_id=store.id if store else None,
        charged_at_once=any(_waits(line, units[line.variant_id], review.now) for line in cart.lines),
        gift_wrap_minor=priced.gift_wrap_minor,
        rounding_minor=priced.rounding_minor,
        gift_card_minor=priced.gift_card_minor,
        store_credit_minor=priced.store_credit_minor,
        amount_due_minor=priced.amount_due_minor,
        tax_lines=priced.taxes,
        shipping_tax_lines=priced.shipping.taxes if priced.shipping else (),
        gift_wrap_tax_lines=priced.gift_wrap.taxes if priced.gift_wrap else (),
        stored_value=priced.stored_value,
        gift_options=cart.gift_options,
        shop_rate=cart.market.shop_rate,
        market_id=cart.market.id,
        company_id=cart.company_id,
        language=best_language(languages, cart.market.languages),
        tax_id=cart.tax_id,
        tax_estimated=review.tax_estimated,
        reverse_charge=any(tax.reverse_charge for tax in priced.taxes),
    )


def _draft_line(
    position: int,
    line: CartLineSnapshot,
    amounts: PricedLine,
    expected: datetime | None,
    made: Sequence[Chosen],
) -> OrderLineDraft:
    return OrderLineDraft(
        id=new_id(),
        position=position,
        product_id=line.product_id,
        variant_id=line.variant_id,
        product_name=line.product_name,
        variant_name=line.variant_name,
        sku=line.sku,
        image_url=line.image_url,
        selected_options=line.selected_options,
        attributes=line.attributes,
        quantity=line.quantity,
        unit_price_minor=amounts.unit_price_minor,
        subtotal_minor=amounts.subtotal_minor,
        discount_minor=amounts.discount_minor,
        tax_minor=amounts.tax_minor,
        total_minor=amounts.total_minor,
        weight_grams=line.weight_grams,
        requires_shipping=line.requires_shipping,
        track_inventory=line.track_inventory,
        gift_wrap_minor=amounts.gift_wrap_minor,
        tax_lines=amounts.taxes,
        discounts=amounts.discounts,
        customizations=[asdict(chosen) for chosen in made],
        expected_at=expected,
        gift_options=line.gift_options,
        product_kind=line.product_kind.value,
        tax_class_id=line.tax_class_id,
    )


def _discounts(review: Review) -> list[DiscountDraft]:
    """Those that take something off, in the order of applying; what takes nothing is not used either."""
    terms = {str(one.discount_id): one for one in review.applied.terms}
    return [
        DiscountDraft(
            id=terms[taken.discount_id].discount_id,
            code_id=terms[taken.discount_id].code_id,
            name=taken.label,
            code=taken.code,
            amount_minor=taken.amount_minor,
            target=taken.target.value,
        )
        for taken in review.priced.discounts
    ]


def _waits(line: CartLineSnapshot, units: int, now: datetime) -> bool:
    """Whether it is known to be sent later than money that is only set aside can be relied on."""
    expected = expected_at(line, units, now)
    return expected is not None and expected > now + AUTHORISED_FOR


def stock_demands(review: Review) -> list[Demand]:
    """Units to hold, by variant; what is not counted needs none."""
    store = review.quote.location if review.quote else None
    fetched = {line.variant_id for line in review.cart.lines if line.requires_shipping} if store else set()
    policies = {line.variant_id: line.inventory_policy for line in review.cart.lines if line.track_inventory}
    return [
        Demand(
            variant_id,
            quantity,
            policies[variant_id] is InventoryPolicy.CONTINUE and variant_id not in fetched,
            store.id if store and variant_id in fetched else None,
        )
        for variant_id, quantity in wanted_units(review.cart.lines).items()
        if variant_id in policies
    ]


def _json(address: PostalAddress | None) -> dict[str, str] | None:
    return None if address is None else address.to_json()

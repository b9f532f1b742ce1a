"""Which taxes a cart bears: where it goes, who buys, what is in it."""

from uuid import UUID

from app.addresses.postal import Destination
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.catalogue.models import ProductKind
from app.pricing.amounts import GiftWrapToPrice, PriceBreak, ShippingToPrice, TaxRate
from app.tax.engines.applying import ItemFacts
from app.tax.rules import Taxation
from app.tax.terms import ShippingTax

_SERVICES = frozenset({ProductKind.DIGITAL, ProductKind.SERVICE})


def taxation_of(cart: CartSnapshot) -> Taxation:
    """By the first of these that is known: where the checkout sends it or bills it to, where the buyer is, and for
    prices that include tax, where these have it from. Without any of them nobody knows, and there is no tax."""
    facts, home = cart.tax_facts, home_of(cart)
    destination = cart.tax_destination
    if destination is None and cart.checkout is not None:
        destination = cart.checkout.destination
    if destination is None and cart.country_code is not None:
        destination = Destination(cart.country_code)
    if destination is None and cart.market.prices_include_tax:
        destination = home
    return Taxation(
        settings=facts.settings,
        destination=destination,
        buyer=facts.buyer(cart.tax_id),
        home=home,
        prices_include_tax=cart.market.prices_include_tax,
        estimated=is_estimated(cart),
    )


def is_estimated(cart: CartSnapshot) -> bool:
    """Whether its taxes may still change, as nobody has said where it goes."""
    known = cart.tax_destination is not None or (cart.checkout is not None and cart.checkout.destination is not None)
    return not known and bool(cart.tax_facts.settings.zones)


def home_of(cart: CartSnapshot) -> Destination | None:
    """Where inclusive prices have their tax from: the seller's own country, or the only one of a market elsewhere. A
    market of several countries without the seller's has no home, and its prices stay as they are."""
    own, countries = cart.tax_facts.settings.home_country_code, cart.market.country_codes
    if own is not None and (not countries or own in countries):
        return Destination(own)
    return Destination(countries[0]) if len(countries) == 1 else None


def is_taxable(line: CartLineSnapshot) -> bool:
    """A gift card pays for what is taxed when it is bought with it (Directive 2006/112/EC, Art. 30b: multi-purpose
    vouchers); its sale is not."""
    return line.taxable and line.product_kind is not ProductKind.GIFT_CARD


def is_service(line: CartLineSnapshot) -> bool:
    return line.product_kind in _SERVICES


def rates_of(line: CartLineSnapshot, taxation: Taxation) -> tuple[TaxRate, ...]:
    return taxation.rates(line.tax_class_id, services=is_service(line), taxable=is_taxable(line))


def charged_for(line: CartLineSnapshot, price_minor: int, taxation: Taxation) -> int:
    """What a price of the catalogue comes to for this buyer; see `Taxation.charged`."""
    return taxation.charged(price_minor, line.tax_class_id, services=is_service(line), taxable=is_taxable(line))


def breaks_of(line: CartLineSnapshot, taxation: Taxation) -> tuple[PriceBreak, ...]:
    breaks = line.price_breaks or (PriceBreak(1, line.unit_price_minor),)
    if not taxation.prices_include_tax:
        return breaks
    return tuple(PriceBreak(tier.min_quantity, charged_for(line, tier.unit_price_minor, taxation)) for tier in breaks)


def taxed_shipping(shipping: ShippingToPrice, taxation: Taxation) -> ShippingToPrice:
    """The shipping with its taxes, at what it costs this buyer."""
    if not taxation.settings.zones:
        return shipping
    match taxation.shipping:
        case ShippingTax.NOT_TAXED:
            return shipping
        case ShippingTax.SHIPPING_CLASS:
            class_id, as_goods = taxation.settings.shipping_class_id, False
        case ShippingTax.AS_GOODS:
            class_id, as_goods = None, True
    return ShippingToPrice(
        label=shipping.label,
        price_minor=taxation.charged(shipping.price_minor, class_id),
        tax_rates=() if as_goods else taxation.rates(class_id),
        as_goods=as_goods,
    )


def taxed_wrap(wrap: GiftWrapToPrice, taxation: Taxation) -> GiftWrapToPrice:
    """The wrap of the whole order likewise."""
    if not taxation.settings.zones:
        return wrap
    class_id = taxation.settings.gift_wrap_class_id
    return GiftWrapToPrice(
        label=wrap.label,
        price_minor=taxation.charged(wrap.price_minor, class_id),
        tax_rates=() if class_id is None else taxation.rates(class_id),
        as_goods=class_id is None,
    )


def wrap_rates(taxation: Taxation) -> tuple[TaxRate, ...] | None:
    """Of the lines' own wraps; None for the lines' rates."""
    class_id = taxation.settings.gift_wrap_class_id
    return None if class_id is None else taxation.rates(class_id)


def charged_for_wrap(line: CartLineSnapshot, price_minor: int, taxation: Taxation) -> int:
    """What wrapping one unit comes to for this buyer."""
    class_id = taxation.settings.gift_wrap_class_id
    if class_id is None:
        return charged_for(line, price_minor, taxation)
    return taxation.charged(price_minor, class_id)


def facts_for_engine(cart: CartSnapshot) -> dict[str, ItemFacts]:
    """By the lines' ids, as pricing has them."""
    settings = cart.tax_facts.settings
    codes: dict[UUID | None, str] = {one.id: one.code for one in settings.classes}
    return {
        str(line.id): ItemFacts(
            tax_class=codes.get(line.tax_class_id or settings.default_class_id),
            taxable=is_taxable(line),
            services=is_service(line),
            sku=line.sku,
        )
        for line in cart.lines
    }

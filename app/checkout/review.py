"""What a checkout comes to, and what still keeps it from becoming an order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.addresses.postal import Destination, PostalAddress
from app.cart import queries as carts
from app.cart.costs import discounts_of, to_price
from app.cart.errors import CartErrorCode
from app.cart.gifts import unwrapped
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.cart.taxes import facts_for_engine, taxation_of
from app.catalogue.models import ProductKind
from app.checkout.errors import CheckoutErrorCode
from app.checkout.requests import Details
from app.checkout.restrictions import refused
from app.errors import CommonErrorCode, DomainError
from app.gift_cards.rules import refusals as spent_elsewhere
from app.gift_cards.selling import problems_of as recipient_problems
from app.inventory.errors import InsufficientStock
from app.pricing.amounts import ShippingToPrice
from app.pricing.results import PricingResult
from app.pricing.rules import price
from app.promotions.rules import refusals
from app.promotions.terms import Applied
from app.shipping import service as shipping
from app.shipping.quotes import Quote, QuoteKind, read_quote
from app.tax.engines.applying import Outside, outside_rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A cart with who buys and where to, as they stood at one moment.

    Attributes:
        quote: the chosen way to ship, once it is sure that it holds for this order.
        applied: the discounts, decided for who buys now, whoever was in the cart before.
        confirmed_age: years that the buyer has at least, where something in the cart asks for it.
        now: business time at which it was reviewed.
        problems: everything that is missing or wrong but stock and payment.
        tax_estimated: where it goes is not known for sure, or the tax engine did not answer.
        is_repriced: whether it ships into another market than the cart's, so that prices are others than its own.
    """

    cart: CartSnapshot
    details: Details
    ships: bool
    quote: Quote | None
    priced: PricingResult
    applied: Applied
    problems: list[DomainError]
    now: datetime
    confirmed_age: int | None = None
    tax_estimated: bool = False
    is_repriced: bool = False


async def review(
    cart: CartSnapshot, details: Details, now: datetime, at: Sequence[str] = (), *, source: str = "cart"
) -> Review:
    """Price the cart with its shipping, and collect what is wrong. What ships is bought in the market it ships to, and
    what is fetched in the market of its store.

    Args:
        now: business time, for the quote.
        at: path of the details in the request, for the problems' fields.
        source: the field that an empty cart is reported under.

    Raises:
        DomainError: TOTAL_TOO_LARGE for the lines alone.
    """
    problems: list[DomainError] = []
    if not cart.lines:
        problems.append(DomainError(CheckoutErrorCode.CART_EMPTY, "There is nothing in the cart.", [*at, source]))
    ships = shipping.needs_shipping(cart.lines)
    own_market_id = cart.market.id
    promised = _promised(details) if ships else None
    fetched = promised if promised and promised.kind is QuoteKind.PICKUP else None
    quote, not_there = None, []
    if fetched is not None:
        try:
            cart, quote = await _at_store(cart, fetched, now, [*at, "shippingQuoteId"])
        except DomainError as problem:
            not_there = [problem]
    elif ships and details.shipping_address:
        cart = await carts.priced_for(cart, details.shipping_address.country_code)
    problems += _unavailable(cart.lines)
    if not (details.email or details.phone):
        message = "Enter an email address or a phone number."
        problems.append(DomainError(CommonErrorCode.REQUIRED, message, [*at, "email"]))
    if fetched is not None:
        problems += not_there
    elif ships:
        try:
            quote = await _shipped_by(cart, details, promised, now, at)
        except DomainError as problem:
            problems.append(problem)
    cart = replace(cart, tax_destination=_taxed_at(details, quote, ships=ships))
    shipped = ShippingToPrice(label=quote.name, price_minor=quote.price_minor) if quote else None
    store = quote.location if quote else None
    received_at = (store.address if store else details.shipping_address) if ships else None
    country_code = received_at.country_code if received_at else None
    applied = discounts_of(await _with_buyer(cart, details), shipped, country_code)
    problems += refusals(applied)
    problems += _recipients(cart.lines, now)
    problems += unwrapped(cart)
    problems += spent_elsewhere(cart.stored_value, cart.currency_code, has_gift_card=cart.has_gift_card)
    try:
        priced, tax = await _priced(cart, shipped, applied)
    except DomainError as too_large:
        if quote is None:
            raise
        problems.append(too_large.under(*at, "shippingQuoteId"))
        quote, (priced, tax) = None, await _priced(cart, None, applied)
    problems += [problem.under(*at, source) for problem in tax.problems]
    address = received_at or details.billing_address
    region = (address.country_code, address.province_code) if address else (cart.country_code, None)
    by_terms, confirmed_age = refused(cart, priced, region, details, now=now, at=at)
    return Review(
        cart=cart,
        details=details,
        ships=ships,
        quote=quote,
        priced=priced,
        applied=applied,
        problems=[*problems, *by_terms],
        now=now,
        confirmed_age=confirmed_age,
        tax_estimated=tax.estimated,
        is_repriced=cart.market.id != own_market_id,
    )


async def _shipped_by(
    cart: CartSnapshot, details: Details, promised: Quote | None, now: datetime, at: Sequence[str]
) -> Quote:
    """The quote that was chosen. Raises DomainError: REQUIRED, and what `read_quote` and `verify_quote` raise."""
    if details.shipping_address is None:
        message = "Enter the address to ship to."
        raise DomainError(CommonErrorCode.REQUIRED, message, [*at, "shippingAddress"])
    if details.shipping_quote_id is None:
        message = "Choose a way to ship: one of the shipping quotes."
        raise DomainError(CommonErrorCode.REQUIRED, message, [*at, "shippingQuoteId"])
    field = [*at, "shippingQuoteId"]
    promised = promised or read_quote(details.shipping_quote_id, field)
    destination = destination_of(details.shipping_address)
    return await shipping.verify_quote(promised, cart.lines, destination, cart.currency_code, now, field=field)


def _recipients(lines: Sequence[CartLineSnapshot], now: datetime) -> list[DomainError]:
    """What is wrong with those whom gift cards are for."""
    return [
        problem
        for place, line in enumerate(lines)
        if line.product_kind is ProductKind.GIFT_CARD
        for problem in recipient_problems(line.attributes, now, ["cart", "lines", place, "attributes"])
    ]


def _promised(details: Details) -> Quote | None:
    """The promise to ship it or to have it ready in a store that was chosen, if it is one; whether it holds is another
    question."""
    if details.shipping_quote_id is None:
        return None
    try:
        return read_quote(details.shipping_quote_id)
    except DomainError:
        return None


async def _at_store(
    cart: CartSnapshot, promised: Quote, now: datetime, field: Sequence[str | int]
) -> tuple[CartSnapshot, Quote]:
    """The cart at the prices of the market that the store is in: nobody fetches here what they put into it elsewhere.

    Raises DomainError as `verify_pickup` does.
    """
    keeper = cart.checkout.id if cart.checkout else None
    # The promise is in the currency of its store's market, whichever the cart was in before.
    quote = await shipping.verify_pickup(promised, cart.lines, promised.currency, now, field=field, checkout_id=keeper)
    if quote.location is None:
        raise RuntimeError("a verified promise has its store")
    there = await carts.priced_for(cart, quote.location.address.country_code)
    return there, shipping.in_currency(quote, there.currency_code, field)


async def _priced(
    cart: CartSnapshot, shipping_to_price: ShippingToPrice | None, applied: Applied
) -> tuple[PricingResult, Outside]:
    order = to_price(cart, shipping_to_price, applied)
    tax = await outside_rates(order, taxation_of(cart), facts_for_engine(cart))
    return price(tax.order), tax


def _taxed_at(details: Details, quote: Quote | None, *, ships: bool) -> Destination | None:
    """Goods where they are delivered or fetched, all else where the buyer is."""
    store = quote.location if quote else None
    address = store.address if store else details.shipping_address if ships else details.billing_address
    return destination_of(address) if address else None


async def _with_buyer(cart: CartSnapshot, details: Details) -> CartSnapshot:
    """The cart as its discounts have to see it: bought by whom the order will be for."""
    if (details.email, details.phone) == (cart.email, cart.phone):
        return cart
    return await carts.with_customer_uses(replace(cart, email=details.email, phone=details.phone))


def destination_of(address: PostalAddress) -> Destination:
    return Destination(address.country_code, address.province_code, address.postal_code, address.city)


def _unavailable(lines: Sequence[CartLineSnapshot]) -> list[DomainError]:
    return [
        DomainError(
            CartErrorCode.PRODUCT_UNAVAILABLE,
            f"{line.product_name} is {'not sold in this country' if line.is_hidden else 'no longer sold'}; "
            "remove it from the cart.",
            ["cart", "lines", place],
        )
        for place, line in enumerate(lines)
        if not line.for_sale
    ]


def shortages(lines: Sequence[CartLineSnapshot], available: dict[UUID, int] | None = None) -> list[DomainError]:
    """One error for each line whose variant there is too little of, for all of its lines together.

    Args:
        available: units of the variants that there are too few of, where somebody has tried to hold them; without it,
            what the cart was read with decides.
    """
    if available is None:
        wanted = wanted_units(lines)
        limits = {line.variant_id: line.stock_limit for line in lines}
        available = {
            variant_id: limit
            for variant_id, limit in limits.items()
            if limit is not None and limit < wanted[variant_id]
        }
    return [
        InsufficientStock(
            available[line.variant_id],
            _too_few(line, available[line.variant_id]),
            ["cart", "lines", place, "quantity"],
        )
        for place, line in enumerate(lines)
        if line.variant_id in available
    ]


def wanted_units(lines: Sequence[CartLineSnapshot]) -> Counter[UUID]:
    """Units by variant: lines that draw on the same stock are added up."""
    units: Counter[UUID] = Counter()
    for line in lines:
        units[line.variant_id] += line.quantity
    return units


def _too_few(line: CartLineSnapshot, available: int) -> str:
    if available == 0:
        return f"{line.product_name} is sold out."
    return f"Only {available} of {line.product_name} are left."

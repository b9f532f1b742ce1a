"""Quotes: made from a cart or from bare variants, and judged again when an order is placed with one."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace

from app.addresses.locations import zone_of
from app.addresses.postal import Destination
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.settings import get_settings
from app.shipping import pickup, queries
from app.shipping.errors import ShippingErrorCode
from app.shipping.queries import Terms
from app.shipping.quotes import Quote, QuoteKind, promise, promise_pickup
from app.shipping.rules import (
    Shippable,
    ShippableLine,
    Zone,
    consignment_of,
    fingerprint_of_destination,
    fingerprint_of_lines,
    known_fields,
    offers,
    sent_from,
)

MAX_LINES = 250
MAX_QUANTITY = 10_000
"""As in a cart: what cannot be put into one need not be quoted."""


def needs_shipping(lines: Sequence[Shippable]) -> bool:
    """Whether an order of these lines needs a shipping quote at all."""
    return consignment_of(lines) is not None


async def lines_to_ship(
    variants: Sequence[tuple[uuid.UUID, int]],
    country_code: str,
    field: Sequence[str | int] = ("lines",),
    *,
    customer_id: uuid.UUID | None = None,
) -> list[ShippableLine]:
    """Lines for bare variants with their quantities, at the prices of the country; the same variant twice adds up.

    Raises:
        DomainErrors: TOO_MANY lines, OUT_OF_RANGE quantities, NOT_FOUND for variants that are not for sale.
    """
    if len(variants) > MAX_LINES:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_LINES} lines.", field)
    quantities: dict[uuid.UUID, int] = {}
    errors: list[DomainError] = []
    for place, (variant_id, quantity) in enumerate(variants):
        quantities[variant_id] = quantities.get(variant_id, 0) + quantity
        if not 1 <= quantity <= MAX_QUANTITY:
            message = f"A quantity lies between 1 and {MAX_QUANTITY}."
            errors.append(DomainError(CommonErrorCode.OUT_OF_RANGE, message, [*field, place, "quantity"]))
    if errors:
        raise DomainErrors(errors)
    found = await queries.lines_of_variants(quantities, country_code, customer_id) if quantities else {}
    for place, (variant_id, _) in enumerate(variants):
        if variant_id not in found:
            errors.append(not_found("product variant", [*field, place, "variantId"]))
    if errors:
        raise DomainErrors(errors)
    return list(found.values())


async def quote_shipping(
    lines: Sequence[Shippable],
    destination: Destination,
    at: Sequence[str | int] = (),
    *,
    checkout_id: uuid.UUID | None = None,
    terms: Terms | None = None,
) -> list[Quote]:
    """Every way to ship the lines, the cheapest first, then the stores of the country that have all of them; none when
    nothing needs shipping. Writes nothing.

    Args:
        checkout_id: whose units, kept for its shopper, count as there.
        terms: for the destination's country, where they were read with the lines.

    Lines have to be priced in the market of the destination's country: that is what the quotes are in.

    Raises:
        DomainError: DESTINATION_NOT_SERVED, or NO_SHIPPING_METHOD where no method takes the lines.
    """
    consignment = consignment_of(lines)
    if consignment is None:
        return []
    terms = terms or await queries.terms_for(destination.country_code)
    expires_at = terms.now + dt.timedelta(minutes=get_settings().shipping_quote_minutes)
    fetched: list[Quote] = []
    if terms.has_pickup and terms.sells_there:
        ready = sent_from(lines, terms.now) or terms.now
        fetched = [
            promise_pickup(
                store, lines, currency=terms.market.currency_code, ready_at=store.ready_at(ready), expires_at=expires_at
            )
            for store in await pickup.having(lines, country_code=destination.country_code, checkout_id=checkout_id)
        ]
    zone = _zone_of(destination, terms)
    if zone is None and not fetched:
        raise DomainError(
            ShippingErrorCode.DESTINATION_NOT_SERVED, "The shop does not ship to this destination.", [*at, "address"]
        )
    found = offers(zone, consignment, sent_from(lines, terms.now), terms.time_zone) if zone else []
    if not found and not fetched:
        message = "The shop ships to this destination, but by no method that takes these items."
        raise DomainError(ShippingErrorCode.NO_SHIPPING_METHOD, message, [*at, "address"])
    shipped = [
        promise(offer, zone.id, lines, destination, currency=terms.market.currency_code, expires_at=expires_at)
        for offer in found
        if zone
    ]
    return [*shipped, *fetched]


def _zone_of(destination: Destination, terms: Terms) -> Zone | None:
    return zone_of(destination, terms.zones) if terms.sells_there else None


async def verify_pickup(
    quote: Quote,
    lines: Sequence[Shippable],
    currency: str,
    now: dt.datetime,
    *,
    field: Sequence[str | int] = ("shippingQuoteId",),
    checkout_id: uuid.UUID | None = None,
) -> Quote:
    """A promise to have it ready in a store, with the store, once it is sure that it was made for this order.

    Raises:
        DomainError: QUOTE_EXPIRED or QUOTE_NOT_APPLICABLE, also where the store has not all of it any more.
    """
    _check(quote, lines, currency, now, field)
    stores = await pickup.having(lines, location_id=quote.zone_id, checkout_id=checkout_id)
    if not stores:
        raise _not_applicable("a store that does not have all of these items any more", field)
    return replace(quote, location=stores[0])


def _check(
    quote: Quote, lines: Sequence[Shippable], currency: str, now: dt.datetime, field: Sequence[str | int]
) -> None:
    if now >= quote.expires_at:
        message = "The shipping quote has expired; ask for new ones."
        raise DomainError(ShippingErrorCode.QUOTE_EXPIRED, message, field)
    in_currency(quote, currency, field)
    if quote.lines != fingerprint_of_lines(lines):
        raise _not_applicable("other items", field)


def in_currency(quote: Quote, currency: str, field: Sequence[str | int]) -> Quote:
    """The quote itself. Raises DomainError(QUOTE_NOT_APPLICABLE) for one in another currency."""
    if quote.currency != currency:
        raise _not_applicable("another currency", field)
    return quote


def _not_applicable(why: str, field: Sequence[str | int]) -> DomainError:
    return DomainError(ShippingErrorCode.QUOTE_NOT_APPLICABLE, f"The shipping quote was made for {why}.", field)


async def verify_quote(
    quote: Quote,
    lines: Sequence[Shippable],
    destination: Destination,
    currency: str,
    now: dt.datetime,
    *,
    field: Sequence[str | int] = ("shippingQuoteId",),
) -> Quote:
    """The promise that `read_quote` found, once it is sure that it was made for this order.

    A quote is bound to what was known of the destination when it was made. Where the order's address says more (the
    quote was made for a country alone), the address must fall into the quote's zone, or into one that ships by the
    same carrier and service for the same price: nobody ships to an island at the mainland's price. The price is
    the promised one in either case, also when staff have changed the rate meanwhile.

    Args:
        lines: all lines of the order; those that need no shipping do not count.
        destination: of the order's address, in full.
        now: business time.

    Raises:
        DomainError: QUOTE_EXPIRED or QUOTE_NOT_APPLICABLE, which says what does not fit.
    """
    if quote.kind is QuoteKind.PICKUP:
        return await verify_pickup(quote, lines, currency, now, field=field)
    _check(quote, lines, currency, now, field)
    if quote.destination != fingerprint_of_destination(destination, quote.destination_fields):
        raise _not_applicable("another destination", field)
    told_more = set(known_fields(destination)) - set(quote.destination_fields)
    if told_more and not await _holds_for(quote, lines, destination):
        raise _not_applicable("a wider area, and shipping to this address differs", field)
    return quote


async def _holds_for(quote: Quote, lines: Sequence[Shippable], destination: Destination) -> bool:
    terms = await queries.terms_for(destination.country_code)
    zone = _zone_of(destination, terms)
    consignment = consignment_of(lines)
    if zone is None or consignment is None:
        return False
    if zone.id == quote.zone_id:
        return True
    return any(
        (offer.method.carrier, offer.method.service, offer.price_minor)
        == (quote.carrier, quote.service, quote.price_minor)
        for offer in offers(zone, consignment, terms.now, terms.time_zone)
    )

"""How a draft order reaches its buyer: shipped by the word of staff or by a quote, whose price is kept as long as the
draft is, or fetched from a store."""

from dataclasses import replace
from datetime import datetime, timedelta

from app.addresses.lines import address_lines
from app.addresses.postal import PostalAddress
from app.assisted.content import DraftContent, Pickup, ShippingLine
from app.cart.snapshots import CartSnapshot
from app.checkout.review import destination_of
from app.errors import CommonErrorCode, DomainError, not_found
from app.markets.terms import MarketTerms
from app.orders.draft import OrderDraft
from app.shipping import pickup, service
from app.shipping.errors import ShippingErrorCode
from app.shipping.quotes import QuoteKind, read_quote

_QUOTE = ["input", "shippingQuoteId"]


async def with_quote(content: DraftContent, cart: CartSnapshot) -> DraftContent:
    """With the shipping that the quote promises, once it is sure that it was made for these lines and this address.

    Raises:
        DomainError: REQUIRED without an address; QUOTE_INVALID, QUOTE_EXPIRED or QUOTE_NOT_APPLICABLE, also for one to
            fetch it from a store, which is chosen by its id.
    """
    if content.shipping_quote_id is None:
        return content
    address = content.postal_address
    if content.shipping_address is None or address is None:
        raise DomainError(CommonErrorCode.REQUIRED, "Say where it goes.", ["input", "shippingAddress"])
    quote = await service.verify_quote(
        read_quote(content.shipping_quote_id, _QUOTE),
        cart.lines,
        destination_of(address),
        cart.market.currency_code,
        cart.read_at,
        field=_QUOTE,
    )
    if quote.kind is QuoteKind.PICKUP:
        message = "This is a quote to fetch it from a store: give the store as pickupLocationId."
        raise DomainError(ShippingErrorCode.QUOTE_NOT_APPLICABLE, message, _QUOTE)
    # Its days were counted from today, and the buyer may take weeks to accept.
    promise = {**quote.to_json(), "estimatedDelivery": None}
    shipping = ShippingLine(title=quote.name, price_minor=quote.price_minor, promise=promise)
    return replace(content, shipping_quote_id=None, shipping=shipping)


async def with_store(content: DraftContent) -> DraftContent:
    """With the store as it is now, which the order keeps. Raises DomainError(NOT_FOUND)."""
    if content.pickup is None:
        return content
    store = await pickup.find(content.pickup.location_id)
    if store is None:
        raise not_found("store to fetch orders from", ["input", "pickupLocationId"])
    return replace(
        content, pickup=Pickup(location_id=store.id, location=store.to_json(), ready_hours=store.ready_hours)
    )


def check_fetched(content: DraftContent, *, ships: bool) -> None:
    """Raises DomainError(INVALID) where there is nothing to fetch."""
    if content.pickup is not None and not ships:
        message = "Nothing in it is fetched from a store."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "pickupLocationId"])


def placed_at(order: OrderDraft, content: DraftContent, now: datetime) -> OrderDraft:
    """With the time from when on the store has it, which is counted from the order on; what is on hold has none."""
    fetched = content.pickup
    if fetched is None or fetched.ready_hours is None or order.shipping_quote is None or order.holds:
        return order
    ready_at = (now + timedelta(hours=fetched.ready_hours)).isoformat()
    return replace(order, shipping_quote={**order.shipping_quote, "readyAt": ready_at})


def store_lines(content: DraftContent) -> list[str]:
    """The store that it is fetched from, for people to read: its name, and where it is; none where it is shipped."""
    store = content.pickup.location if content.pickup else None
    return [store["name"], *address_lines(PostalAddress.from_json(store["address"]))] if store else []


def promise_of(content: DraftContent, market: MarketTerms) -> dict[str, object] | None:
    """As a shipping quote is kept with an order: staff promise no days, and a store's are counted from the order on."""
    if (fetched := content.pickup) is not None and fetched.location is not None:
        return {
            "kind": QuoteKind.PICKUP.value,
            "carrier": pickup.CARRIER,
            "service": fetched.location["name"],
            "priceMinor": 0,
            "currencyCode": market.currency_code,
            "estimatedDelivery": None,
            "readyAt": None,
            "locationId": fetched.location_id.hex,
            "location": fetched.location,
        }
    shipping = content.shipping
    if shipping is None:
        return None
    return shipping.promise or {
        "carrier": shipping.title,
        "service": "",
        "priceMinor": shipping.price_minor,
        "currencyCode": market.currency_code,
        "estimatedDelivery": None,
    }

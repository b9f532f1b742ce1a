"""How a draft order is shipped: by the word of staff, or by a quote, whose price is kept as long as the draft is."""

from dataclasses import replace

from app.assisted.content import DraftContent, ShippingLine
from app.cart.snapshots import CartSnapshot
from app.checkout.review import destination_of
from app.errors import CommonErrorCode, DomainError
from app.markets.terms import MarketTerms
from app.shipping import service
from app.shipping.errors import ShippingErrorCode
from app.shipping.quotes import QuoteKind, read_quote

_QUOTE = ["input", "shippingQuoteId"]


async def with_quote(content: DraftContent, cart: CartSnapshot) -> DraftContent:
    """With the shipping that the quote promises, once it is sure that it was made for these lines and this address.

    Raises:
        DomainError: REQUIRED without an address; QUOTE_INVALID, QUOTE_EXPIRED or QUOTE_NOT_APPLICABLE, also for one to
            fetch it from a store.
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
        message = "A draft order is shipped; what is fetched from a store goes through a checkout."
        raise DomainError(ShippingErrorCode.QUOTE_NOT_APPLICABLE, message, _QUOTE)
    # Its days were counted from today, and the buyer may take weeks to accept.
    promise = {**quote.to_json(), "estimatedDelivery": None}
    shipping = ShippingLine(title=quote.name, price_minor=quote.price_minor, promise=promise)
    return replace(content, shipping_quote_id=None, shipping=shipping)


def promise_of(content: DraftContent, market: MarketTerms) -> dict[str, object] | None:
    """As a shipping quote is kept with an order: staff promise no days."""
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

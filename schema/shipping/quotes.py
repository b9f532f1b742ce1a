"""Shipping quotes for a cart or for bare variants."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.addresses.postal import Destination, normalise_destination
from app.cart.queries import load_to_ship
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit import ids
from app.shipping import service
from app.shipping.queries import Terms
from app.shipping.quotes import Quote, QuoteKind
from app.shipping.rules import Shippable
from schema.access import PUBLIC, query
from schema.context import Info
from schema.dates import DateRange
from schema.enums import describe_enum
from schema.errors import UserError, to_user_errors
from schema.lines import CartLineInput
from schema.money import Money
from schema.scalars import CountryCode
from schema.shipping.pickup import PickupLocation

describe_enum(
    QuoteKind,
    "How an order comes to whoever bought it.",
    DELIVERY="It is shipped.",
    PICKUP="It is fetched from a store. No shipping address is needed, and taxes go by the store's.",
)


@strawberry.type(
    description="A way to ship, at a price that is promised: its id works once per order, for these lines, this "
    "destination and this currency, until it expires."
)
class ShippingQuote:
    id: strawberry.ID = strawberry.field(description="The signed promise; hand it to the checkout.")
    kind: QuoteKind = strawberry.field(description="Whether it is brought or fetched.")
    pickup_location: PickupLocation | None = strawberry.field(description="For PICKUP: the store.")
    ready_at: dt.datetime | None = strawberry.field(description="For PICKUP: by when it is ready, ordered now.")
    carrier: str = strawberry.field(description="Who carries it.")
    service: str = strawberry.field(description="The carrier's service.")
    price: Money = strawberry.field(description="What it costs, before discounts.")
    estimated_delivery: DateRange | None = strawberry.field(
        description="Between which dates it arrives when ordered now; null where the shop promises none."
    )
    expires_at: dt.datetime = strawberry.field(description="From when on it is no longer good.")

    @classmethod
    def of(cls, quote: Quote) -> "ShippingQuote":
        delivery = quote.delivery
        return cls(
            id=strawberry.ID(quote.id),
            kind=quote.kind,
            pickup_location=PickupLocation.of(quote.location) if quote.location else None,
            ready_at=quote.ready_at,
            carrier=quote.carrier,
            service=quote.service,
            price=Money.of(quote.price_minor, quote.currency),
            estimated_delivery=DateRange.of(delivery.first, delivery.last) if delivery else None,
            expires_at=quote.expires_at,
        )


@strawberry.input(
    description="Where to, as far as it is known. A quote is bound to what it was told; a full address that says more "
    "can make another price, and then needs new quotes."
)
class ShippingDestinationInput:
    country_code: CountryCode = strawberry.field(description="The country.")
    province_code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="State, province or prefecture: `CA`, `US-CA` or `California`.",
    )
    postal_code: str | None = strawberry.field(default=strawberry.UNSET, description="Postal code or ZIP.")
    city: str | None = strawberry.field(default=strawberry.UNSET, description="Town or city.")

    def parsed(self, at: Sequence[str]) -> Destination:
        """Raises DomainErrors."""
        return normalise_destination(
            self.country_code, self.province_code or None, self.postal_code or None, self.city or None, at
        )


@strawberry.input(description="What to ship, and where to. Either a cart or lines.")
class ShippingQuotesInput:
    cart_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The cart.")
    lines: list[CartLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Bare variants; attributes do not count."
    )
    address: ShippingDestinationInput = strawberry.field(description="Where to.")


@strawberry.type(description="Answer to `shippingQuotes`.")
class ShippingQuotesPayload:
    quotes: list[ShippingQuote] = strawberry.field(
        default_factory=list,
        description="The cheapest first, then stores of that country which have all of it; empty when nothing ships.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _lines_of(
    info: Info, input: ShippingQuotesInput, country_code: str
) -> tuple[Sequence[Shippable], Terms | None]:
    """What is to be shipped, and the shop's terms for it where they came with it."""
    if input.lines and input.cart_id:
        raise DomainError(CommonErrorCode.INVALID, "Give a cart or lines, not both.", ["input", "lines"])
    if input.cart_id:
        field: list[str | int] = ["input", "cartId"]
        loaded = await load_to_ship(*ids.decode_with_secret("cart", input.cart_id, field), country_code)
        if loaded is None:
            raise not_found("cart", field)
        return loaded
    if input.lines is None or input.lines is strawberry.UNSET:
        raise DomainError(CommonErrorCode.REQUIRED, "Give a cart or lines.", ["input", "lines"])
    at = ["input", "lines"]
    variants = [(line.variant_uuid([*at, place]), line.quantity) for place, line in enumerate(input.lines)]
    customer = info.context.customer
    lines = await service.lines_to_ship(variants, country_code, at, customer_id=customer.id if customer else None)
    return lines, None


@strawberry.type
class QuoteQueries:
    @query(
        access=PUBLIC,
        description="Ways to ship a cart or bare variants, before any address is saved, with prices and delivery "
        "dates. Prices are in the currency of the destination's market: the shop's rates at the exchange rate of its "
        "price list. Empty when nothing needs shipping.",
    )
    async def shipping_quotes(
        self,
        info: Info,
        input: Annotated[ShippingQuotesInput, strawberry.argument(description="What to ship, and where to.")],
    ) -> ShippingQuotesPayload:
        try:
            destination = input.address.parsed(["input", "address"])
            lines, terms = await _lines_of(info, input, destination.country_code)
            quotes = await service.quote_shipping(lines, destination, ["input"], terms=terms)
        except (DomainError, DomainErrors) as problem:
            return ShippingQuotesPayload(user_errors=to_user_errors(problem.errors))
        return ShippingQuotesPayload(quotes=[ShippingQuote.of(quote) for quote in quotes])

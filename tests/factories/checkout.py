"""Everything that buying takes: a shop that ships, and the requests of a storefront."""

import itertools
import uuid
from collections.abc import Mapping
from typing import Any

from app import db
from app.orders import placing
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, shipping
from tests.factories import shop as shops
from tests.factories.catalogue import MadeProduct

ADDRESS: dict[str, Any] = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "address1": "1 Market Street",
    "city": "San Francisco",
    "provinceCode": "CA",
    "postalCode": "94103",
    "countryCode": "US",
}
DESTINATION = {name: ADDRESS[name] for name in ("countryCode", "provinceCode", "postalCode", "city")}
EMAIL = "ada@example.com"
CARD = {"method": "CARD", "gateway": "test", "token": "tok_success"}
CASH = {"method": "CASH_ON_DELIVERY"}

QUOTES = """query ($input: ShippingQuotesInput!) {
    shippingQuotes(input: $input) { quotes { id price { amount } } userErrors { code message } }
}"""
COMPLETE = """mutation ($input: CheckoutCompleteInput!) {
    checkoutComplete(input: $input) {
        order { id number status paymentStatus fulfillmentStatus cost { total { amount } } }
        orderToken
        paymentAction { type url expiresAt }
        userErrors {
            code message field
            ... on InsufficientStockError { availableQuantity }
            ... on TotalChangedError { total { amount currencyCode } }
        }
    }
}"""

_keys = itertools.count(1)


def new_key() -> str:
    return f"key-{next(_keys)}"


async def shop_that_ships() -> None:
    """A shop in the United States with one method at 5.99."""
    await shops.shop()
    await shipping.zone("US")


async def quote_for(api: Api, cart_gid: str, destination: Mapping[str, Any] = DESTINATION) -> str:
    """The id of the cheapest quote."""
    found = await api.ok(QUOTES, {"input": {"cartId": cart_gid, "address": dict(destination)}})
    quote_id: str = found["shippingQuotes"]["quotes"][0]["id"]
    return quote_id


async def ready_input(api: Api, *lines: tuple[MadeProduct, int], **changed: Any) -> dict[str, Any]:
    """The input of a checkoutComplete that places an order by card; `changed` replaces parts, None leaves them out."""
    cart = await carts.cart(*((product.variant_id, quantity) for product, quantity in lines))
    if "shippingQuoteId" not in changed:
        changed["shippingQuoteId"] = await quote_for(api, cart.gid)
    given = {
        "cartId": cart.gid,
        "idempotencyKey": new_key(),
        "email": EMAIL,
        "shippingAddress": ADDRESS,
        "payment": CARD,
        **changed,
    }
    return {name: value for name, value in given.items() if value is not None}


async def complete(
    api: Api, given: Mapping[str, Any], document: str = COMPLETE, *, token: str | None = None
) -> dict[str, Any]:
    """The payload; no fault is expected. `token` is of who is signed in."""
    result = await api.query(document, {"input": dict(given)}, token=token)
    assert not result.errors, result.errors
    assert result.data is not None
    payload: dict[str, Any] = result.data["checkoutComplete"]
    return payload


async def placed(api: Api, *lines: tuple[MadeProduct, int], token: str | None = None, **changed: Any) -> dict[str, Any]:
    """An order, bought by card unless told otherwise; the payload with `order` and `orderToken`."""
    bought = lines or ((await catalogue.product(), 1),)
    payload = await complete(api, await ready_input(api, *bought, **changed), token=token)
    assert payload["order"], payload["userErrors"]
    return payload


async def expire_lease(attempt_id: uuid.UUID | None = None) -> None:
    """As if the process that held an attempt had died long enough ago; its watch is due."""
    await db.execute(
        """
        UPDATE checkout_attempts SET leased_until = clock_timestamp() - interval '1 second'
        WHERE leased_until IS NOT NULL AND ($1::uuid IS NULL OR id = $1)
        """,
        attempt_id,
    )
    await watches_due()


async def watches_due() -> None:
    """Delayed events are due now; also those that are due anyway, as the machine took so long."""
    await db.execute(
        """
        UPDATE events SET visible_at = clock_timestamp(), leased_until = NULL
        WHERE acknowledged_at IS NULL AND leased_until IS NOT NULL
        """
    )


async def footprint() -> dict[str, Any]:
    """Everything that buying leaves behind, as counts; a refusal leaves it as it was, but for its own attempt."""
    row = await db.fetchrow(
        """
        SELECT (SELECT count(*) FROM orders) AS orders,
               (SELECT count(*) FROM order_lines) AS lines,
               (SELECT count(*) FROM payments) AS payments,
               (SELECT count(*) FROM test_gateway_payments) AS asked,
               (SELECT count(*) FROM stock_reservations) AS reservations,
               (SELECT count(*) FROM events) AS events,
               (SELECT count(*) FROM timers) AS timers,
               (SELECT count(*) FROM carts WHERE state = 'COMPLETED') AS completed_carts,
               (SELECT sum(available) FROM stock_levels) AS available,
               (SELECT sum(reserved) FROM stock_levels) AS reserved
        """
    )
    return dict(row or {})


async def order_token(order_gid: str) -> str:
    """What the receipt carries."""
    order_id = uuid.UUID(hex=order_gid.removeprefix("ord_"))
    token = placing.token_of(order_id, await db.fetchval("SELECT token_hash FROM orders WHERE id = $1", order_id))
    assert token
    return token

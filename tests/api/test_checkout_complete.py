"""Placing orders: three requests for a guest, and what comes of them."""

from app import db
from tests.client import Api
from tests.factories import catalogue, checkout


async def test_a_guest_buys_in_three_requests(api: Api) -> None:
    await checkout.shop_that_ships()
    product = await catalogue.product(price_minor=1999, stock=10)

    made = await api.ok(
        """mutation ($lines: [CartLineInput!]!) {
            cartCreate(input: { lines: $lines }) { cart { id } userErrors { code message } }
        }""",
        {"lines": [{"variantId": product.variant_gid, "quantity": 2}]},
    )
    cart_id = made["cartCreate"]["cart"]["id"]
    quote_id = await checkout.quote_for(api, cart_id)
    payload = await checkout.complete(
        api,
        {
            "cartId": cart_id,
            "idempotencyKey": "first",
            "email": checkout.EMAIL,
            "shippingAddress": checkout.ADDRESS,
            "shippingQuoteId": quote_id,
            "payment": checkout.CARD,
        },
    )
    assert payload["userErrors"] == []
    order = payload["order"]
    assert order["number"] == "1001"
    assert order["cost"]["total"]["amount"] == "45.97"
    assert (order["status"], order["paymentStatus"]) == ("OPEN", "AUTHORIZED")
    assert await db.fetchval("SELECT available FROM stock_levels") == 8

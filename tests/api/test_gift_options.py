"""Gifts: wrapped at the shop's price, with a greeting, and a slip without prices."""

from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.factories.cart import MadeCart
from tests.factories.fulfillments import fulfill

OPTIONS = "giftOptions { wrap message hidePrices }"
CART = f"""id {OPTIONS} lines {{ nodes {{ id {OPTIONS} }} }}
    cost {{ subtotal {{ amount }} giftWrap {{ amount }} total {{ amount }} }}"""
UPDATE = f"""mutation ($cartId: ID!, $giftOptions: GiftOptionsInput!, $lineId: ID) {{
    cartGiftOptionsUpdate(cartId: $cartId, giftOptions: $giftOptions, lineId: $lineId) {{
        cart {{ {CART} }} userErrors {{ code field }}
    }}
}}"""
READ = f"query ($id: ID!) {{ cart(id: $id) {{ {CART} }} }}"
SETTINGS = """mutation ($input: GiftSettingsInput!) {
    giftSettingsUpdate(input: $input) {
        settings { wrappingEnabled label prices { order { amount currencyCode } unit { amount } } }
        userErrors { code field }
    }
}"""
SLIP = """query ($id: ID!) {
    packingSlip(fulfillmentId: $id) {
        hidesPrices recipient giftOptions { wrap message } lines { quantity unitPrice { amount } giftOptions { wrap } }
    }
}"""


def dollars(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "USD"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def cart(api: Api) -> MadeCart:
    first, second = await catalogue.product(price_minor=1000), await catalogue.product(price_minor=500)
    return await carts.cart((first.variant_id, 2), (second.variant_id, 1))


async def wraps(api: Api, token: str, **more: Any) -> dict[str, Any]:
    prices = [{"order": dollars("5"), "unit": dollars("1.50")}]
    given = {"wrappingEnabled": True, "label": "Gift wrap", "prices": prices, **more}
    result = await api.query(SETTINGS, {"input": given}, token=token)
    assert not result.errors, result.errors
    payload: dict[str, Any] = (result.data or {})["giftSettingsUpdate"]
    return payload


async def update(api: Api, cart: MadeCart, line: int | None = None, **options: Any) -> dict[str, Any]:
    line_id = None if line is None else cart.line_gids[line]
    result = await api.query(UPDATE, {"cartId": cart.gid, "giftOptions": options, "lineId": line_id})
    assert not result.errors, result.errors
    payload: dict[str, Any] = (result.data or {})["cartGiftOptionsUpdate"]
    return payload


async def test_staff_set_what_wrapping_costs(api: Api, staff_token: str) -> None:
    made = await wraps(api, staff_token)
    assert made["settings"] == {
        "wrappingEnabled": True, "label": "Gift wrap",
        "prices": [{"order": dollars("5.00"), "unit": {"amount": "1.50"}}],
    }  # fmt: skip
    euros = {"amount": "4", "currencyCode": "EUR"}
    for prices, code in (
        ([], "REQUIRED"),
        ([{"order": euros, "unit": euros}], "REQUIRED"),
        ([{"order": euros, "unit": dollars("1")}], "INVALID"),
    ):
        refused = await wraps(api, staff_token, prices=prices)
        assert [error["code"] for error in refused["userErrors"]] == [code]
    assert await db.fetchval("SELECT count(*) FROM gift_wrap_prices") == 1


async def test_a_cart_and_its_lines_are_wrapped_at_the_shops_price(api: Api, cart: MadeCart, staff_token: str) -> None:
    await wraps(api, staff_token)
    shown = (await update(api, cart, wrap=True, message=" With love ", hidePrices=True))["cart"]
    assert shown["giftOptions"] == {"wrap": True, "message": "With love", "hidePrices": True}
    assert shown["cost"] == {
        "subtotal": {"amount": "25.00"}, "giftWrap": {"amount": "5.00"}, "total": {"amount": "30.00"}
    }  # fmt: skip
    shown = (await update(api, cart, 0, wrap=True))["cart"]
    assert shown["cost"]["giftWrap"]["amount"] == "8.00"
    assert [line["giftOptions"] and line["giftOptions"]["wrap"] for line in shown["lines"]["nodes"]] == [True, None]
    assert (await api.ok(READ, {"id": cart.gid}))["cart"] == shown
    shown = (await update(api, cart, wrap=None))["cart"]
    assert shown["giftOptions"] == {"wrap": False, "message": "With love", "hidePrices": True}
    assert shown["cost"]["giftWrap"]["amount"] == "3.00"


async def test_a_shop_that_does_not_wrap_says_so(api: Api, cart: MadeCart, staff_token: str) -> None:
    error = {"code": "GIFT_WRAP_UNAVAILABLE", "field": ["giftOptions", "wrap"]}
    assert (await update(api, cart, wrap=True))["userErrors"] == [error]
    assert (await update(api, cart, message="Hello"))["cart"]["giftOptions"]["message"] == "Hello"
    await wraps(api, staff_token)
    digital = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None)
    nothing_ships = await carts.cart((digital.variant_id, 1))
    assert (await update(api, nothing_ships, wrap=True))["userErrors"] == [error]
    assert (await update(api, nothing_ships, 0, wrap=True))["userErrors"] == [error]


async def test_what_cannot_be_written_is_refused(api: Api, cart: MadeCart) -> None:
    long = await update(api, cart, message="x" * 501)
    assert long["userErrors"] == [{"code": "TOO_LONG", "field": ["giftOptions", "message"]}]
    control = await update(api, cart, message="a\u0001b")
    assert control["userErrors"] == [{"code": "INVALID", "field": ["giftOptions", "message"]}]
    other = await carts.cart(((await catalogue.product()).variant_id, 1))
    foreign = await api.query(UPDATE, {"cartId": cart.gid, "giftOptions": {}, "lineId": other.line_gids[0]})
    assert (foreign.data or {})["cartGiftOptionsUpdate"]["userErrors"] == [{"code": "NOT_FOUND", "field": ["lineId"]}]
    assert (await api.ok(READ, {"id": cart.gid}))["cart"]["giftOptions"] is None


async def test_the_order_keeps_it_and_its_slip_hides_prices(api: Api, cart: MadeCart, staff_token: str) -> None:
    await wraps(api, staff_token)
    await update(api, cart, wrap=True, message="With love", hidePrices=True)
    await update(api, cart, 1, wrap=True)
    given = {
        "cartId": cart.gid, "idempotencyKey": "one", "email": checkout.EMAIL, "payment": checkout.CARD,
        "shippingAddress": checkout.ADDRESS, "shippingQuoteId": await checkout.quote_for(api, cart.gid),
    }  # fmt: skip
    placed = await checkout.complete(api, given)
    assert placed["order"], placed["userErrors"]
    assert placed["order"]["cost"]["total"]["amount"] == "37.49"  # 25.00 + 5.00 + 1.50 + 5.99
    assert await db.fetchval("SELECT gift_wrap_minor FROM orders") == 650
    shown = "query ($id: ID!) { order(id: $id) { giftOptions { message } lines { nodes { giftOptions { wrap } } } } }"
    order = (await api.ok(shown, {"id": placed["order"]["id"]}, token=staff_token))["order"]
    assert order["giftOptions"] == {"message": "With love"}
    assert [line["giftOptions"] for line in order["lines"]["nodes"]] == [None, {"wrap": True}]
    await wraps(api, staff_token, wrappingEnabled=False, prices=[])
    fulfillment = await fulfill(api, staff_token, placed["order"]["id"])
    slip = (await api.ok(SLIP, {"id": fulfillment["id"]}, token=staff_token))["packingSlip"]
    assert slip["hidesPrices"]
    assert slip["giftOptions"] == {"wrap": True, "message": "With love"}
    assert [(line["quantity"], line["unitPrice"], line["giftOptions"]["wrap"]) for line in slip["lines"]] == [
        (2, None, False),
        (1, None, True),
    ]
    assert any("San Francisco" in line for line in slip["recipient"])
    assert await invariants.check() == []


async def test_the_slip_of_what_is_no_gift_has_prices(api: Api, staff_token: str) -> None:
    placed = await checkout.placed(api, (await catalogue.product(price_minor=1000), 1))
    fulfillment = await fulfill(api, staff_token, placed["order"]["id"])
    slip = (await api.ok(SLIP, {"id": fulfillment["id"]}, token=staff_token))["packingSlip"]
    assert (slip["hidesPrices"], slip["lines"][0]["unitPrice"]) == (False, {"amount": "10.00"})


async def test_nobody_orders_a_wrap_that_the_shop_has_stopped_to_offer(
    api: Api, cart: MadeCart, staff_token: str
) -> None:
    await wraps(api, staff_token)
    await update(api, cart, 0, wrap=True)
    await wraps(api, staff_token, wrappingEnabled=False, prices=[])
    given = {"cartId": cart.gid, "idempotencyKey": "one", "email": checkout.EMAIL, "payment": checkout.CARD}
    refused = await checkout.complete(api, given)
    assert "GIFT_WRAP_UNAVAILABLE" in [error["code"] for error in refused["userErrors"]]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0

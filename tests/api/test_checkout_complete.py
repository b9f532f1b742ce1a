"""Placing orders: what comes of a checkout in which nothing is wrong."""

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants, keys
from app.kit.crypto import KeyRing
from tests.client import Api
from tests.environment import SECRET_KEY
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, inventory, shipping

Drain = Callable[[], Awaitable[None]]

WHOLE_ORDER = """
    id number placedAt updatedAt email phone status paymentStatus fulfillmentStatus paymentMethod
    lines { totalCount nodes {
        id productId variantId variant { id name } productName variantName sku imageUrl
        selectedOptions { name value } attributes { key value } quantity fulfilledQuantity requiresShipping
        cost { unitPrice { amount } subtotal { amount } discount { amount } tax { amount }
               total { amount currencyCode } }
    } }
    cost { subtotal { amount } discount { amount } shipping { amount } tax { amount } taxIncluded
           total { amount currencyCode } }
    shippingAddress { firstName lastName address1 city provinceCode province postalCode countryCode formatted }
    billingAddress { lastName city countryCode }
    shipping { carrier service price { amount } estimatedDelivery { from to } }
    note attributes { key value } cancelledAt cancelReason fulfillments { id } payments { id }
"""
COMPLETE_WHOLE = f"""mutation ($input: CheckoutCompleteInput!) {{
    checkoutComplete(input: $input) {{ order {{ {WHOLE_ORDER} }} orderToken userErrors {{ code message field }} }}
}}"""
ORDER = f"query ($id: ID!, $token: String) {{ order(id: $id, token: $token) {{ {WHOLE_ORDER} }} }}"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def test_a_guest_buys_in_three_requests(api: Api, drain: Drain) -> None:
    product = await catalogue.product(
        name="Harbor Sweater",
        price_minor=1999,
        stock=10,
        options={"Size": ["M", "L"], "Color": ["Navy"]},
        images=["/media/sweater.webp"],
        sku="SWEATER",
    )
    made = await api.ok(
        """mutation ($lines: [CartLineInput!]!) {
            cartCreate(input: { lines: $lines, note: "Ring twice", attributes: [{ key: "gift", value: "yes" }] }) {
                cart { id } userErrors { code message }
            }
        }""",
        {
            "lines": [
                {
                    "variantId": product.variant_gid,
                    "quantity": 2,
                    "attributes": [{"key": "Engraving", "value": "For Ada"}],
                }
            ]
        },
    )
    cart_id = made["cartCreate"]["cart"]["id"]
    quote_id = await checkout.quote_for(api, cart_id)
    payload = await checkout.complete(
        api,
        {
            "cartId": cart_id,
            "idempotencyKey": "first",
            "expectedTotal": {"amount": "45.97", "currencyCode": "USD"},
            "email": checkout.EMAIL,
            "phone": "(415) 555-0123",
            "shippingAddress": {**checkout.ADDRESS, "provinceCode": "California"},
            "shippingQuoteId": quote_id,
            "payment": checkout.CARD,
        },
        COMPLETE_WHOLE,
    )
    assert payload["userErrors"] == []
    order = payload["order"]
    assert order["number"] == "1001"
    assert (order["email"], order["phone"]) == (checkout.EMAIL, "+14155550123")
    assert (order["status"], order["paymentStatus"], order["fulfillmentStatus"], order["paymentMethod"]) == (
        "OPEN",
        "AUTHORIZED",
        "UNFULFILLED",
        "CARD",
    )
    assert order["cost"] == {
        "subtotal": {"amount": "39.98"},
        "discount": {"amount": "0.00"},
        "shipping": {"amount": "5.99"},
        "tax": {"amount": "0.00"},
        "taxIncluded": False,
        "total": {"amount": "45.97", "currencyCode": "USD"},
    }
    (line,) = order["lines"]["nodes"]
    assert (line["productName"], line["variantName"], line["sku"]) == ("Harbor Sweater", "M / Navy", "SWEATER")
    assert line["selectedOptions"] == [{"name": "Size", "value": "M"}, {"name": "Color", "value": "Navy"}]
    assert line["attributes"] == [{"key": "Engraving", "value": "For Ada"}]
    assert line["imageUrl"] == "http://testserver/media/sweater.webp"
    assert line["variant"]["id"] == line["variantId"] == product.variant_gid
    assert line["cost"]["total"] == {"amount": "39.98", "currencyCode": "USD"}
    assert order["shippingAddress"]["provinceCode"] == "CA"
    assert order["billingAddress"] == {"lastName": "Lovelace", "city": "San Francisco", "countryCode": "US"}
    assert (order["shipping"]["carrier"], order["shipping"]["price"]["amount"]) == ("UPS", "5.99")
    assert order["shipping"]["estimatedDelivery"]["from"] <= order["shipping"]["estimatedDelivery"]["to"]
    assert (order["note"], order["attributes"]) == ("Ring twice", [{"key": "gift", "value": "yes"}])

    # The token opens the same order, to the last field, and nothing less does.
    opened = await api.ok(ORDER, {"id": order["id"], "token": payload["orderToken"]})
    assert opened["order"] == order
    for token in (None, "", "x" * 22, payload["orderToken"][:-1] + "_"):
        assert (await api.ok(ORDER, {"id": order["id"], "token": token}))["order"] is None

    assert await inventory.available(product.variant_id) == 8
    (event,) = await db.fetch("SELECT payload FROM events WHERE type = 'order.placed'")
    told = json.loads(event["payload"])
    assert told["orderId"] == str(uuid.UUID(order["id"].removeprefix("ord_")))
    assert told.keys() == {"orderId", "cartId", "profileId", "totalMinor", "currencyCode"}, "ids and facts alone"
    state = await api.ok("query ($id: ID!) { cart(id: $id) { state } }", {"id": cart_id})
    assert state["cart"]["state"] == "COMPLETED"
    await drain()
    assert await invariants.check() == []


async def test_cash_on_delivery_asks_nobody(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=5)
    given = await checkout.ready_input(api, (product, 2), payment=checkout.CASH)
    payload = await checkout.complete(api, given)
    assert payload["order"]["paymentStatus"] == "PENDING"
    assert (await checkout.footprint())["asked"] == 0
    assert await inventory.available(product.variant_id) == 3
    await drain()
    assert await invariants.check() == []


async def test_a_download_needs_no_address_and_is_charged_at_once(api: Api, drain: Drain) -> None:
    product = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None, price_minor=900)
    cart = await carts.cart((product.variant_id, 1))
    given = {
        "cartId": cart.gid,
        "idempotencyKey": checkout.new_key(),
        "email": checkout.EMAIL,
        "payment": checkout.CARD,
    }
    payload = await checkout.complete(api, given, COMPLETE_WHOLE)
    order = payload["order"]
    assert (order["fulfillmentStatus"], order["shippingAddress"], order["shipping"]) == ("NOT_REQUIRED", None, None)
    assert (order["status"], order["paymentStatus"]) == ("COMPLETED", "PAID")
    await drain()
    after = (await api.ok(ORDER, {"id": order["id"], "token": payload["orderToken"]}))["order"]
    assert (after["status"], after["paymentStatus"]) == ("COMPLETED", "PAID")
    assert await invariants.check() == []


async def test_nothing_due_needs_no_payment(api: Api, drain: Drain) -> None:
    product = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None, price_minor=0)
    cart = await carts.cart((product.variant_id, 1))
    given = {"cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL}
    order = (await checkout.complete(api, given))["order"]
    assert (order["status"], order["paymentStatus"]) == ("COMPLETED", "PAID")
    assert (await checkout.footprint())["payments"] == 0
    await drain()
    assert await invariants.check() == []


async def test_free_shipping_of_what_costs_nothing(api: Api) -> None:
    await shipping.zone("CA", methods=[{"rate": {"kind": "FLAT", "price_minor": 0}}])
    product = await catalogue.product(price_minor=0, stock=1)
    address = {
        **checkout.ADDRESS,
        "countryCode": "CA",
        "provinceCode": "ON",
        "city": "Toronto",
        "postalCode": "M5V 2T6",
    }
    cart = await carts.cart((product.variant_id, 1))
    destination = {name: address[name] for name in checkout.DESTINATION}
    given = {
        "cartId": cart.gid,
        "idempotencyKey": checkout.new_key(),
        "email": checkout.EMAIL,
        "shippingAddress": address,
        "shippingQuoteId": await checkout.quote_for(api, cart.gid, destination),
        "payment": checkout.CARD,  # more than is needed does no harm
    }
    order = (await checkout.complete(api, given))["order"]
    assert (order["status"], order["paymentStatus"], order["fulfillmentStatus"]) == ("OPEN", "PAID", "UNFULFILLED")
    assert (await checkout.footprint())["asked"] == 0


async def test_the_same_key_and_input_give_the_same_answer(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=5, price_minor=1991)
    expected = {"amount": "25.90", "currencyCode": "USD"}
    given = await checkout.ready_input(api, (product, 1), expectedTotal=expected, phone=None)
    first = await checkout.complete(api, given)
    assert await checkout.complete(api, given) == first
    await drain()
    before = await checkout.footprint()
    # What was left out and null are the same, and so are two spellings of one number.
    same = {**given, "phone": None, "expectedTotal": {"amount": "25.9", "currencyCode": "USD"}}
    assert await checkout.complete(api, same) == first
    assert await checkout.complete(api, given) == first
    await drain()
    assert await checkout.footprint() == before


async def test_the_token_is_told_again_after_the_keys_were_rotated(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    given = await checkout.ready_input(api, (await catalogue.product(), 1))
    first = await checkout.complete(api, given)
    rotated = KeyRing(["a-newer-key-of-the-tests-that-is-long-enough-98765", SECRET_KEY])
    monkeypatch.setattr(keys, "keyring", lambda: rotated)
    monkeypatch.setattr("app.orders.placing.keyring", lambda: rotated)
    assert (await checkout.complete(api, given))["orderToken"] == first["orderToken"]


async def test_another_input_under_a_used_key_writes_nothing(api: Api) -> None:
    product = await catalogue.product(stock=5)
    given = await checkout.ready_input(api, (product, 1))
    first = await checkout.complete(api, given)
    before = await checkout.footprint()
    for change in (
        {"email": "grace@example.com"},
        {"shippingAddress": {**checkout.ADDRESS, "city": "Oakland"}},
        {"payment": checkout.CASH},
        {"payment": {**checkout.CARD, "token": "tok_declined"}},
        {"expectedTotal": {"amount": "25.98", "currencyCode": "USD"}},
    ):
        payload = await checkout.complete(api, {**given, **change})
        assert payload["order"] is None
        (error,) = payload["userErrors"]
        assert (error["code"], error["field"]) == ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])
    assert await checkout.footprint() == before
    assert await checkout.complete(api, given) == first


async def test_a_cart_becomes_one_order_whatever_the_key(api: Api) -> None:
    given = await checkout.ready_input(api, (await catalogue.product(stock=5), 1))
    await checkout.complete(api, given)
    before = await checkout.footprint()
    payload = await checkout.complete(api, {**given, "idempotencyKey": checkout.new_key()})
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("CART_COMPLETED", ["input", "cartId"])
    assert await checkout.footprint() == before


async def test_the_same_key_belongs_to_each_cart_by_itself(api: Api) -> None:
    product = await catalogue.product(stock=5)
    numbers = [(await checkout.placed(api, (product, 1), idempotencyKey="mine"))["order"]["number"] for _ in range(2)]
    assert numbers == ["1001", "1002"]


async def test_a_card_checkout_is_six_statements_and_the_gateways_own(api: Api) -> None:
    products = [await catalogue.product(stock=10) for _ in range(5)]
    for lines in ([(products[0], 1)], [(product, 1) for product in products]):
        await checkout.placed(api, *lines)
        given = await checkout.ready_input(api, *lines)
        statements = await _statements(api, given)
        gateway = [statement for statement in statements if "test_gateway_payments" in statement]
        assert (len(statements) - len(gateway), len(gateway)) == (6, 1)


async def test_the_watch_over_an_attempt_is_withdrawn_with_it(api: Api) -> None:
    await checkout.placed(api)
    left = await db.fetch("SELECT type FROM events WHERE acknowledged_at IS NULL")
    assert {event["type"] for event in left} == {"profile.created", "order.placed"}


async def test_a_checkout_for_cash_is_one_transaction_of_seven_statements(api: Api) -> None:
    product = await catalogue.product(stock=10)
    await checkout.placed(api, (product, 1), payment=checkout.CASH)
    given = await checkout.ready_input(api, (product, 1), payment=checkout.CASH)
    statements = await _statements(api, given)
    assert len(statements) == 7
    assert [statement.strip() for statement in statements].count("BEGIN;") == 1


async def _statements(api: Api, given: dict[str, Any]) -> list[str]:
    with db.counted_statements() as counted:
        assert (await checkout.complete(api, given))["order"]
    # A new connection asks once what the types are that it meets.
    return [one for one in counted if "typeinfo_tree" not in one and "'jit'" not in one]

"""Checkouts: who buys and where to, noted step by step beside a cart."""

from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.factories.catalogue import MadeProduct

CHECKOUT = """{
    id email phone cart { id totalQuantity lines { nodes { quantity variant { id } } } }
    shippingAddress { lastName city province countryCode } billingAddress { lastName }
    cost { subtotal { amount } shipping { amount } total { amount } }
    shippingQuote { id carrier price { amount } } shippingQuotes { id carrier service price { amount } }
    paymentMethods { method gateway }
    problems { __typename code field ... on InsufficientStockError { availableQuantity } }
}"""
PAYLOAD = f"{{ checkout {CHECKOUT} warnings {{ code field }} userErrors {{ code field }} }}"
CREATE = f"mutation ($input: CheckoutCreateInput!) {{ checkoutCreate(input: $input) {PAYLOAD} }}"
UPDATE = (
    f"mutation ($id: ID!, $input: CheckoutUpdateInput!) {{ checkoutUpdate(checkoutId: $id, input: $input) {PAYLOAD} }}"
)
READ = f"query ($id: ID!) {{ checkout(id: $id) {CHECKOUT} }}"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(price_minor=1999, stock=5)


async def create(api: Api, cart_gid: str, **given: Any) -> dict[str, Any]:
    made = await api.ok(CREATE, {"input": {"cartId": cart_gid, **given}})
    created: dict[str, Any] = made["checkoutCreate"]["checkout"]
    return created


async def update(api: Api, checkout_id: str, **given: Any) -> dict[str, Any]:
    changed = await api.ok(UPDATE, {"id": checkout_id, "input": given})
    updated: dict[str, Any] = changed["checkoutUpdate"]["checkout"]
    return updated


def missing(shown: dict[str, Any]) -> list[list[str]]:
    return [problem["field"] for problem in shown["problems"]]


async def test_a_checkout_step_by_step(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 2))
    shown = await create(api, cart.gid)
    assert shown["id"].endswith(cart.secret)
    assert missing(shown) == [["email"], ["shippingAddress"]]
    assert (shown["shippingQuotes"], shown["cost"]["total"]["amount"]) == ([], "39.98")
    assert shown["cart"] == {
        "id": cart.gid,
        "totalQuantity": 2,
        "lines": {"nodes": [{"quantity": 2, "variant": {"id": product.variant_gid}}]},
    }
    assert shown["paymentMethods"] == [
        {"method": "CARD", "gateway": "test"},
        {"method": "WALLET", "gateway": "test"},
        {"method": "PAYPAL", "gateway": "test"},
        {"method": "CASH_ON_DELIVERY", "gateway": None},
    ]

    shown = await update(api, shown["id"], email="ada@EXAMPLE.com", shippingAddress=checkout.ADDRESS)
    assert (shown["email"], shown["shippingAddress"]["province"]) == ("ada@example.com", "California")
    assert missing(shown) == [["shippingQuoteId"]]
    (quote,) = shown["shippingQuotes"]
    assert (quote["carrier"], quote["price"]["amount"]) == ("UPS", "5.99")

    shown = await update(api, shown["id"], shippingQuoteId=quote["id"])
    assert missing(shown) == []
    assert shown["cost"] == {
        "subtotal": {"amount": "39.98"},
        "shipping": {"amount": "5.99"},
        "total": {"amount": "45.97"},
    }
    assert shown["shippingQuote"] == {"id": quote["id"], "carrier": "UPS", "price": {"amount": "5.99"}}
    before = await checkout.footprint()
    read = (await api.ok(READ, {"id": shown["id"]}))["checkout"]
    # Each asking makes its own promises; all else is the same.
    assert {**read, "shippingQuotes": None} == {**shown, "shippingQuotes": None}
    assert await checkout.footprint() == before

    given = {
        "checkoutId": shown["id"],
        "idempotencyKey": "k",
        "payment": checkout.CARD,
        "expectedTotal": {"amount": "45.97", "currencyCode": "USD"},
    }
    payload = await checkout.complete(api, given)
    assert payload["order"]["cost"]["total"]["amount"] == "45.97"
    assert await checkout.complete(api, given) == payload
    assert await invariants.check() == []

    done = (await api.ok(READ, {"id": shown["id"]}))["checkout"]
    assert [problem["code"] for problem in done["problems"]] == ["CART_COMPLETED"]
    (error,) = await api.refused(UPDATE, {"id": shown["id"], "input": {"email": "x@example.com"}})
    assert (error["code"], error["field"]) == ("CART_COMPLETED", ["checkoutId"])


async def test_a_cart_has_one_checkout(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    first = await create(api, cart.gid, email="ada@example.com", phone="+14155550123")
    second = await create(api, cart.gid, email="grace@example.com")
    assert (second["id"], second["email"], second["phone"]) == (first["id"], "grace@example.com", "+14155550123")
    assert await db.fetchval("SELECT count(*) FROM checkouts") == 1
    # What is null is taken out; what the cart knows shows through.
    await api.ok(
        """mutation ($id: ID!) {
            cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: { email: "cart@example.com" }) { userErrors { code } }
        }""",
        {"id": cart.gid},
    )
    third = await update(api, first["id"], email=None)
    assert (third["email"], third["phone"]) == ("cart@example.com", "+14155550123")


async def test_a_bare_cart_uses_what_its_checkout_knows(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    shown = await create(api, cart.gid, email="ada@example.com", shippingAddress=checkout.ADDRESS)
    given = {
        "cartId": cart.gid,
        "idempotencyKey": "k",
        "shippingQuoteId": shown["shippingQuotes"][0]["id"],
        "payment": checkout.CASH,
    }
    assert (await checkout.complete(api, given))["order"]


async def test_problems_say_what_is_wrong_with_the_cart(api: Api, product: MadeProduct) -> None:
    await db.execute("UPDATE shop SET reservation_minutes = 0")
    gone = await catalogue.product(stock=5)
    cart = await carts.cart((product.variant_id, 4), (gone.variant_id, 1))
    shown = await create(api, cart.gid, email="ada@example.com", shippingAddress=checkout.ADDRESS)
    shown = await update(api, shown["id"], shippingQuoteId=shown["shippingQuotes"][0]["id"])
    assert shown["problems"] == []
    await db.execute("UPDATE products SET status = 'DRAFT' WHERE id = $1", gone.id)
    await db.execute("UPDATE stock_levels SET available = 3 WHERE variant_id = $1", product.variant_id)
    read = (await api.ok(READ, {"id": shown["id"]}))["checkout"]
    assert [(problem["code"], problem["field"]) for problem in read["problems"]] == [
        ("PRODUCT_UNAVAILABLE", ["cart", "lines", "1"]),
        ("INSUFFICIENT_STOCK", ["cart", "lines", "0", "quantity"]),
    ]
    assert read["problems"][1]["availableQuantity"] == 3


async def test_a_quote_that_no_longer_fits_is_a_problem_and_costs_nothing(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    shown = await create(api, cart.gid, email="ada@example.com", shippingAddress=checkout.ADDRESS)
    shown = await update(api, shown["id"], shippingQuoteId=shown["shippingQuotes"][0]["id"])
    await api.ok(
        """mutation ($id: ID!, $lines: [CartLineInput!]!) {
            cartLinesAdd(cartId: $id, lines: $lines) { userErrors { code } }
        }""",
        {"id": cart.gid, "lines": [{"variantId": product.variant_gid, "quantity": 1}]},
    )
    read = (await api.ok(READ, {"id": shown["id"]}))["checkout"]
    assert [(one["code"], one["field"]) for one in read["problems"]] == [("QUOTE_NOT_APPLICABLE", ["shippingQuoteId"])]
    assert (read["shippingQuote"], read["cost"]["shipping"]["amount"]) == (None, "0.00")
    (error,) = await api.refused(
        UPDATE, {"id": shown["id"], "input": {"shippingQuoteId": shown["shippingQuote"]["id"]}}
    )
    assert (error["code"], error["field"]) == ("QUOTE_NOT_APPLICABLE", ["input", "shippingQuoteId"])


async def test_where_the_shop_does_not_ship(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    address = {"lastName": "Lovelace", "address1": "1 Rue", "city": "Bern", "postalCode": "3000", "countryCode": "CH"}
    made = await api.ok(CREATE, {"input": {"cartId": cart.gid, "email": "ada@example.com", "shippingAddress": address}})
    payload = made["checkoutCreate"]
    assert payload["warnings"] == [{"code": "COUNTRY_NOT_SERVED", "field": ["input", "shippingAddress", "countryCode"]}]
    shown = payload["checkout"]
    assert [(one["code"], one["field"]) for one in shown["problems"]] == [
        ("DESTINATION_NOT_SERVED", ["shippingAddress"])
    ]
    assert shown["shippingQuotes"] == []


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"email": "ada"}, "INVALID_EMAIL", ["input", "email"]),
        ({"phone": "1"}, "INVALID_PHONE", ["input", "phone"]),
        (
            {"shippingAddress": {**checkout.ADDRESS, "postalCode": "9410"}},
            "INVALID_POSTAL_CODE",
            ["input", "shippingAddress", "postalCode"],
        ),
        (
            {"billingAddress": {**checkout.ADDRESS, "provinceCode": "XX"}},
            "INVALID_PROVINCE",
            ["input", "billingAddress", "provinceCode"],
        ),
        ({"shippingQuoteId": "quote_x"}, "QUOTE_INVALID", ["input", "shippingQuoteId"]),
    ],
)
async def test_a_wrong_detail_changes_nothing(
    api: Api, product: MadeProduct, given: dict[str, Any], code: str, field: list[str]
) -> None:
    cart = await carts.cart((product.variant_id, 1))
    shown = await create(api, cart.gid, email="ada@example.com")
    stored = await db.fetch("SELECT * FROM checkouts")
    refused = await api.refused(UPDATE, {"id": shown["id"], "input": {"phone": "+14155550123", **given}})
    assert [(error["code"], error["field"]) for error in refused] == [(code, field)]
    assert await db.fetch("SELECT * FROM checkouts") == stored


async def test_a_checkout_opens_with_its_secret_alone(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    shown = await create(api, cart.gid, email="ada@example.com")
    stranger = shown["id"].rpartition("_")[0] + "_" + "s" * 22
    assert (await api.ok(READ, {"id": stranger}))["checkout"] is None
    assert (await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": stranger}))["node"] is None
    assert (await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": shown["id"]}))["node"] == {
        "id": shown["id"]
    }
    for document, variables in (
        (UPDATE, {"id": stranger, "input": {"email": "x@example.com"}}),
        (CREATE, {"input": {"cartId": cart.gid.rpartition("_")[0] + "_" + "s" * 22, "email": "x@example.com"}}),
    ):
        (error,) = await api.refused(document, variables)
        assert error["code"] == "NOT_FOUND"
    assert (await api.query(READ, {"id": "chk_1"})).codes == ["INVALID_ID"]
    assert await db.fetchval("SELECT email FROM checkouts") == "ada@example.com"


async def test_nothing_changes_while_it_is_being_paid(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    shown = await create(api, cart.gid, email="ada@example.com")
    await carts.begin_payment(cart.id)
    (error,) = await api.refused(UPDATE, {"id": shown["id"], "input": {"email": "x@example.com"}})
    assert (error["code"], error["field"]) == ("CHECKOUT_IN_PROGRESS", ["checkoutId"])
    assert await db.fetchval("SELECT email FROM checkouts") == "ada@example.com"


async def test_a_checkout_is_read_in_as_many_statements_however_long_the_cart(api: Api) -> None:
    products = [await catalogue.product(stock=5) for _ in range(20)]
    counts = []
    for lines in (products[:1], products):
        cart = await carts.cart(*((one.variant_id, 1) for one in lines))
        shown = await create(api, cart.gid, email="ada@example.com", shippingAddress=checkout.ADDRESS)
        await api.ok(READ, {"id": shown["id"]})
        with db.counted_statements() as statements:
            await api.ok(READ, {"id": shown["id"]})
        counts.append(len(statements))
    # The checkout with its cart's state, the cart with its lines' variants, ways to ship.
    assert counts == [3, 3]

"""Every way in which no order comes about: said clearly, with nothing changed, and said again for the same key."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, shipping
from tests.factories.catalogue import MadeProduct

Advance = Callable[[str], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(name="Storm lantern", price_minor=1999, stock=5)


async def refusal(api: Api, given: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    """Codes and fields; asserts that nothing but the answer was written, and that the answer stays the same."""
    before = await checkout.footprint()
    payload = await checkout.complete(api, given)
    assert (payload["order"], payload["orderToken"], payload["paymentAction"]) == (None, None, None)
    assert payload["userErrors"], "nothing was refused"
    assert await checkout.footprint() == before
    assert await checkout.complete(api, given) == payload
    assert await checkout.footprint() == before
    assert await invariants.check() == []
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def kept_answers() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM checkout_attempts")
    return count


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"email": None}, [("REQUIRED", ["input", "email"])]),
        ({"shippingAddress": None}, [("REQUIRED", ["input", "shippingAddress"])]),
        ({"shippingQuoteId": None}, [("REQUIRED", ["input", "shippingQuoteId"])]),
        ({"payment": None}, [("REQUIRED", ["input", "payment"])]),
        ({"payment": {"method": "CARD", "gateway": "test"}}, [("REQUIRED", ["input", "payment", "token"])]),
        (
            {"payment": {"method": "CARD", "gateway": "stripe", "token": "tok"}},
            [("PAYMENT_METHOD_UNAVAILABLE", ["input", "payment", "gateway"])],
        ),
        ({"shippingQuoteId": "quote_made-up"}, [("QUOTE_INVALID", ["input", "shippingQuoteId"])]),
        (
            {"email": None, "shippingAddress": None, "shippingQuoteId": None, "payment": None},
            [
                ("REQUIRED", ["input", "email"]),
                ("REQUIRED", ["input", "shippingAddress"]),
                ("REQUIRED", ["input", "payment"]),
            ],
        ),
    ],
)
async def test_what_is_missing_or_wrong_is_said_all_at_once(
    api: Api, product: MadeProduct, changed: dict[str, Any], expected: list[tuple[str, list[str]]]
) -> None:
    given = await checkout.ready_input(api, (product, 1), **changed)
    assert await refusal(api, given) == expected
    assert await kept_answers() == 1


async def test_a_refused_checkout_can_be_put_right_under_a_new_key(api: Api, product: MadeProduct) -> None:
    given = await checkout.ready_input(api, (product, 1), email=None)
    await refusal(api, given)
    fixed = {**given, "email": checkout.EMAIL}
    assert (await checkout.complete(api, fixed))["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (await checkout.complete(api, {**fixed, "idempotencyKey": checkout.new_key()}))["order"]


async def test_an_empty_cart(api: Api) -> None:
    cart = await carts.cart(email=checkout.EMAIL)
    given = {"cartId": cart.gid, "idempotencyKey": "k"}
    assert await refusal(api, given) == [("CART_EMPTY", ["input", "cartId"])]


async def test_what_was_taken_off_sale(api: Api, product: MadeProduct) -> None:
    other = await catalogue.product(stock=5)
    given = await checkout.ready_input(api, (other, 1), (product, 1))
    await db.execute("UPDATE products SET status = 'ARCHIVED' WHERE id = $1", product.id)
    assert await refusal(api, given) == [("PRODUCT_UNAVAILABLE", ["cart", "lines", "1"])]


async def test_more_than_is_left(api: Api, product: MadeProduct) -> None:
    """Also when two lines together want more, of which each alone could be had."""
    cart = await carts.cart((product.variant_id, 2))
    engraved = {"key": "Engraving", "value": "Ada"}
    await api.ok(
        """mutation ($id: ID!, $lines: [CartLineInput!]!) {
            cartLinesAdd(cartId: $id, lines: $lines) { userErrors { code } }
        }""",
        {"id": cart.gid, "lines": [{"variantId": product.variant_gid, "quantity": 3, "attributes": [engraved]}]},
    )
    given = await checkout.ready_input(api, (product, 1), cartId=cart.gid)
    given["shippingQuoteId"] = await checkout.quote_for(api, cart.gid)
    await db.execute("UPDATE stock_levels SET available = 4")
    await db.execute("UPDATE stock_movements SET available_delta = 4")
    assert await refusal(api, given) == [
        ("INSUFFICIENT_STOCK", ["cart", "lines", "0", "quantity"]),
        ("INSUFFICIENT_STOCK", ["cart", "lines", "1", "quantity"]),
    ]
    errors = (await checkout.complete(api, given))["userErrors"]
    assert [error["availableQuantity"] for error in errors] == [4, 4]
    assert errors[0]["message"] == "Only 4 of Storm lantern are left."


async def test_a_total_that_the_shopper_did_not_see(api: Api, product: MadeProduct) -> None:
    seen = {"amount": "25.98", "currencyCode": "USD"}
    given = await checkout.ready_input(api, (product, 1), expectedTotal=seen)
    await catalogue.reprice(product, 2999)
    assert await refusal(api, given) == [("TOTAL_CHANGED", ["input", "expectedTotal"])]
    (error,) = (await checkout.complete(api, given))["userErrors"]
    assert error["total"] == {"amount": "35.98", "currencyCode": "USD"}
    # Another currency is another total; and with the total that was told, the order is placed.
    for currency, codes in (("CAD", ["TOTAL_CHANGED"]), ("USD", [])):
        total = {"amount": "35.98", "currencyCode": currency}
        payload = await checkout.complete(api, {**given, "idempotencyKey": checkout.new_key(), "expectedTotal": total})
        assert [error["code"] for error in payload["userErrors"]] == codes
        assert (payload["order"] is None) == bool(codes)


async def test_a_quote_is_good_for_what_it_was_made_for(api: Api, product: MadeProduct, advance: Advance) -> None:
    other = await catalogue.product(stock=5)
    await shipping.zone("CA")
    toronto = {
        **checkout.ADDRESS,
        "city": "Toronto",
        "countryCode": "CA",
        "provinceCode": "ON",
        "postalCode": "M5V 2T6",
    }
    given = await checkout.ready_input(api, (product, 1))
    quote = ["input", "shippingQuoteId"]
    for changed in (
        {"cartId": (await carts.cart((product.variant_id, 2))).gid},
        {"cartId": (await carts.cart((other.variant_id, 1))).gid},
        {"cartId": (await carts.cart((product.variant_id, 1), (other.variant_id, 1))).gid},
        {"shippingAddress": toronto},
        {"shippingAddress": {**checkout.ADDRESS, "postalCode": "94110"}},
    ):
        wrong = {**given, **changed, "idempotencyKey": checkout.new_key()}
        assert await refusal(api, wrong) == [("QUOTE_NOT_APPLICABLE", quote)]
    signed = given["shippingQuoteId"]
    other_letter = "A" if signed[20] != "A" else "B"
    tampered = {
        **given,
        "shippingQuoteId": signed[:20] + other_letter + signed[21:],
        "idempotencyKey": checkout.new_key(),
    }
    assert [code for code, _ in await refusal(api, tampered)] == ["QUOTE_INVALID"]
    await advance("P2D")
    assert await refusal(api, given) == [("QUOTE_EXPIRED", quote)]


async def test_a_quote_for_what_does_not_ship(api: Api, product: MadeProduct) -> None:
    """Nobody is charged, or not charged, for a promise that does not fit."""
    given = await checkout.ready_input(api, (product, 1))
    download = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None)
    given["cartId"] = (await carts.cart((download.variant_id, 1))).gid
    assert await refusal(api, given) == [("QUOTE_NOT_APPLICABLE", ["input", "shippingQuoteId"])]


async def test_shipping_that_makes_more_than_can_be_charged(api: Api, product: MadeProduct) -> None:
    """Saved with a checkout it is a problem of the checkout's, which shows all the same."""
    await db.execute("DELETE FROM shipping_zones")
    await shipping.zone("US", methods=[{"rate": {"kind": "PER_ITEM", "per_item_minor": 10**15}}])
    heavy = await catalogue.product(stock=None)
    given = await checkout.ready_input(api, (heavy, 10_000))
    assert await refusal(api, given) == [("TOTAL_TOO_LARGE", ["input", "shippingQuoteId"])]
    made = await api.ok(
        "mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } } }",
        {"input": {name: given[name] for name in ("cartId", "email", "shippingAddress")}},
    )
    saved = await api.ok(
        """mutation ($id: ID!, $input: CheckoutUpdateInput!) { checkoutUpdate(checkoutId: $id, input: $input) {
            checkout { shippingQuote { id } cost { shipping { amount } } problems { code field } } userErrors { code }
        } }""",
        {"id": made["checkoutCreate"]["checkout"]["id"], "input": {"shippingQuoteId": given["shippingQuoteId"]}},
    )
    assert saved["checkoutUpdate"]["checkout"] == {
        "shippingQuote": None,
        "cost": {"shipping": {"amount": "0.00"}},
        "problems": [{"code": "TOTAL_TOO_LARGE", "field": ["shippingQuoteId"]}],
    }


async def test_cash_needs_a_delivery(api: Api) -> None:
    download = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None)
    cart = await carts.cart((download.variant_id, 1), email=checkout.EMAIL)
    given = {"cartId": cart.gid, "idempotencyKey": "k", "payment": checkout.CASH}
    assert await refusal(api, given) == [("PAYMENT_METHOD_UNAVAILABLE", ["input", "payment", "method"])]


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"idempotencyKey": ""}, "REQUIRED", ["input", "idempotencyKey"]),
        ({"idempotencyKey": "k" * 256}, "TOO_LONG", ["input", "idempotencyKey"]),
        ({"idempotencyKey": "two words"}, "INVALID", ["input", "idempotencyKey"]),
        ({"cartId": None}, "INVALID", ["input"]),
        ({"checkoutId": "chk_" + "0" * 32 + "_" + "s" * 22}, "INVALID", ["input"]),
        ({"cartId": "cart_1"}, "INVALID_ID", ["input", "cartId"]),
        ({"cartId": "cart_" + "0" * 32 + "_" + "s" * 22}, "NOT_FOUND", ["input", "cartId"]),
        ({"email": "ada"}, "INVALID_EMAIL", ["input", "email"]),
        ({"phone": "12"}, "INVALID_PHONE", ["input", "phone"]),
        (
            {"shippingAddress": {**checkout.ADDRESS, "postalCode": "1"}},
            "INVALID_POSTAL_CODE",
            ["input", "shippingAddress", "postalCode"],
        ),
        (
            {"expectedTotal": {"amount": "1.999", "currencyCode": "USD"}},
            "INVALID",
            ["input", "expectedTotal", "amount"],
        ),
        (
            {"payment": {**checkout.CARD, "returnUrl": "javascript:alert(1)"}},
            "INVALID",
            ["input", "payment", "returnUrl"],
        ),
    ],
)
async def test_malformed_requests_use_up_no_key(
    api: Api, product: MadeProduct, changed: dict[str, Any], code: str, field: list[str]
) -> None:
    given = await checkout.ready_input(api, (product, 1))
    wrong = {name: value for name, value in {**given, **changed}.items() if value is not None}
    assert await refusal(api, wrong) == [(code, field)]
    assert await kept_answers() == 0
    assert (await checkout.complete(api, given))["order"]


async def test_somebody_elses_cart_looks_like_none(api: Api, product: MadeProduct) -> None:
    given = await checkout.ready_input(api, (product, 1))
    stranger = given["cartId"].rpartition("_")[0] + "_" + "s" * 22
    assert await refusal(api, {**given, "cartId": stranger}) == [("NOT_FOUND", ["input", "cartId"])]
    # Nor does the key of an order's answer tell anything without the secret.
    await checkout.complete(api, given)
    payload = await checkout.complete(api, {**given, "cartId": stranger})
    assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]


async def test_prices_cannot_be_sent(api: Api, product: MadeProduct) -> None:
    given = await checkout.ready_input(api, (product, 1))
    for name in ("price", "total", "discount", "shippingPrice", "amount"):
        result = await api.query(checkout.COMPLETE, {"input": {**given, name: "0.01"}})
        assert result.errors
    assert (await checkout.footprint())["orders"] == 0

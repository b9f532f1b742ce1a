"""Discounts in carts, checkouts and orders: what a shopper sees, pays, and hears when a code does not count."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest

from app import clock, db, invariants
from app.promotions import entering
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, customers, discounts
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

CART = """{ cart { id buyerIdentity { email } discountCodes { code applicable reason }
    discounts { name code amount { amount } }
    cost { subtotal { amount } discount { amount } total { amount } }
    lines { nodes { cost { discount { amount } total { amount } } } } }
    userErrors { code field message } }"""
CODES = f"mutation ($id: ID!, $codes: [String!]!) {{ cartDiscountCodesUpdate(cartId: $id, codes: $codes) {CART} }}"
CREATE = f"mutation ($input: CartInput!) {{ cartCreate(input: $input) {CART} }}"
BUYER = f"""mutation ($id: ID!, $email: String) {{
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: {{email: $email}}) {CART} }}"""
ORDER = """query ($id: ID!) { order(id: $id) { cost { discount { amount } total { amount } }
    discounts { name code amount { amount } } lines { nodes { cost { discount { amount } } } } } }"""
CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { order { status } userErrors { code } } }"
CHECKOUT = """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
    checkout { cost { total { amount } } problems { code field } } userErrors { code } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def lantern(_shop: None) -> MadeProduct:
    return await catalogue.product(price_minor=2000, stock=500)


async def enter(api: Api, cart_gid: str, *codes: str) -> dict[str, Any]:
    (payload,) = (await api.ok(CODES, {"id": cart_gid, "codes": list(codes)})).values()
    return payload["cart"]  # type: ignore[no-any-return]


def said(cart: dict[str, Any]) -> list[tuple[str, str | None]]:
    for entered in cart["discountCodes"]:
        assert entered["applicable"] is (entered["reason"] is None)
    return [(entered["code"], entered["reason"]) for entered in cart["discountCodes"]]


def total(shown: dict[str, Any]) -> str:
    return shown["cost"]["total"]["amount"]  # type: ignore[no-any-return]


async def buy(api: Api, lantern: MadeProduct, *codes: str, units: int = 1, **changed: Any) -> dict[str, Any]:
    """The payload of checkoutComplete for a cart with these codes."""
    given = await checkout.ready_input(api, (lantern, units), **changed)
    if codes:
        await enter(api, given["cartId"], *codes)
    return await checkout.complete(api, given)


async def test_a_code_takes_its_part_off_every_line_in_any_case(api: Api, lantern: MadeProduct) -> None:
    await discounts.discount("SPRING", percentage=Decimal("12.5"))
    pen = await catalogue.product(price_minor=333)
    cart = await carts.cart((lantern.variant_id, 1), (pen.variant_id, 1))
    shown = await enter(api, cart.gid, " spring ")
    assert said(shown) == [("spring", None)]
    assert shown["cost"] == {
        "subtotal": {"amount": "23.33"},
        "discount": {"amount": "2.92"},
        "total": {"amount": "20.41"},
    }
    assert shown["discounts"] == [{"name": "SPRING", "code": "SPRING", "amount": {"amount": "2.92"}}]
    assert [line["cost"]["discount"]["amount"] for line in shown["lines"]["nodes"]] == ["2.50", "0.42"]
    out = await enter(api, cart.gid)
    assert (said(out), total(out)) == ([], "23.33")


async def test_a_cart_can_be_made_with_codes(api: Api, lantern: MadeProduct) -> None:
    await discounts.discount("SPRING")
    given = {"lines": [{"variantId": lantern.variant_gid}], "discountCodes": ["SPRING", "NOPE"]}
    made = (await api.ok(CREATE, {"input": given}))["cartCreate"]["cart"]
    assert (said(made), total(made)) == ([("SPRING", None), ("NOPE", "NOT_FOUND")], "18.00")


async def test_why_a_code_does_not_count(api: Api, lantern: MadeProduct) -> None:
    now = await clock.now()
    await discounts.discount("LATER", starts_at=now + timedelta(days=1))
    await discounts.discount("OVER", ends_at=now - timedelta(seconds=1))
    off = await discounts.discount("OFF")
    await db.execute("UPDATE discounts SET status = 'DISABLED' WHERE id = $1", off)
    spent = await discounts.discount("SPENT", usage_limit=1)
    await db.execute("UPDATE discounts SET used_count = 1 WHERE id = $1", spent)
    await discounts.discount("BIG", minimum_subtotal=discounts.dollars("20.01"))
    cart = await carts.cart((lantern.variant_id, 1))
    shown = await enter(api, cart.gid, "LATER", "OVER", "OFF", "SPENT", "BIG", "NOPE")
    assert said(shown) == [
        ("LATER", "NOT_STARTED"),
        ("OVER", "EXPIRED"),
        ("OFF", "DISABLED"),
        ("SPENT", "USED_UP"),
        ("BIG", "MINIMUM_NOT_REACHED"),
        ("NOPE", "NOT_FOUND"),
    ]
    assert total(shown) == "20.00"


async def test_the_best_code_comes_on_top_of_the_best_that_applies_by_itself(api: Api, lantern: MadeProduct) -> None:
    await discounts.discount(name="Small", percentage=Decimal(5))
    await discounts.discount(name="Large", percentage=Decimal(10))
    await discounts.discount("TWO", amount="2")
    await discounts.discount("FIVE", amount="5")
    cart = await carts.cart((lantern.variant_id, 1))
    shown = await enter(api, cart.gid, "TWO", "FIVE")
    assert said(shown) == [("TWO", "NOT_COMBINABLE"), ("FIVE", None)]
    assert [(one["name"], one["amount"]["amount"]) for one in shown["discounts"]] == [
        ("Large", "2.00"),
        ("FIVE", "5.00"),
    ]
    assert total(shown) == "13.00"


async def test_nothing_costs_less_than_nothing(api: Api, lantern: MadeProduct) -> None:
    await discounts.discount("ALL", amount="500")
    cart = await carts.cart((lantern.variant_id, 1))
    assert total(await enter(api, cart.gid, "ALL")) == "0.00"


@pytest.mark.parametrize(
    ("codes", "code", "field"),
    [
        (["X"] * 11, "TOO_MANY", ["codes"]),
        (["GOOD", " "], "REQUIRED", ["codes", "1"]),
        (["X" * 65], "TOO_LONG", ["codes", "0"]),
        (["A\x00B"], "INVALID", ["codes", "0"]),
    ],
)
async def test_malformed_codes_are_refused_and_the_cart_keeps_its_own(
    api: Api, lantern: MadeProduct, codes: list[str], code: str, field: list[str]
) -> None:
    cart = await carts.cart((lantern.variant_id, 1))
    await enter(api, cart.gid, "KEPT")
    before = await db.fetch("SELECT * FROM carts")
    (error,) = await api.refused(CODES, {"id": cart.gid, "codes": codes})
    assert (error["code"], error["field"]) == (code, field)
    assert await db.fetch("SELECT * FROM carts") == before


async def test_guessing_is_limited_and_right_codes_are_no_guesses(api: Api, lantern: MadeProduct) -> None:
    await discounts.discount("SPRING")
    cart = await carts.cart((lantern.variant_id, 1))
    with patch.object(entering, "WRONG_CODES", 5):
        for _ in range(8):
            await enter(api, cart.gid, "SPRING")
        for number in range(5):
            await enter(api, cart.gid, f"GUESS{number}")
        for codes in (["GUESS5"], ["SPRING"]):
            (error,) = await api.refused(CODES, {"id": cart.gid, "codes": codes})
            assert error["code"] == "RATE_LIMITED"
        made = await api.refused(CREATE, {"input": {"discountCodes": ["GUESS6"]}})
        assert made[0]["code"] == "RATE_LIMITED"
    assert await db.fetchval("SELECT count(*) FROM carts") == 1


async def test_a_personal_code_counts_for_its_person_alone(api: Api, lantern: MadeProduct) -> None:
    coupon = await discounts.coupon(await customers.profile(email="ada@example.com"))
    cart = await carts.cart((lantern.variant_id, 1))
    assert said(await enter(api, cart.gid, coupon.code)) == [(coupon.code, "BUYER_UNKNOWN")]
    for email, reason, costs in (("eve@example.com", "NOT_YOURS", "20.00"), ("Ada@Example.com", None, "16.00")):
        shown = (await api.ok(BUYER, {"id": cart.gid, "email": email}))["cartBuyerIdentityUpdate"]["cart"]
        assert (said(shown), total(shown)) == ([(coupon.code, reason)], costs)


async def test_a_personal_code_is_decided_again_with_the_orders_email(
    api: Api, lantern: MadeProduct, drain: Drain
) -> None:
    coupon = await discounts.coupon(await customers.profile(email="ada@example.com"))
    cart = await carts.cart((lantern.variant_id, 1), email="ada@example.com")
    assert said(await enter(api, cart.gid, coupon.code)) == [(coupon.code, None)]
    elsewhere = {"cartId": cart.gid, "email": "eve@example.com"}
    problems = (await api.ok(CHECKOUT, {"input": elsewhere}))["checkoutCreate"]["checkout"]["problems"]
    assert {"code": "DISCOUNT_NOT_YOURS", "field": ["cart", "discountCodes", "0"]} in problems
    given = await checkout.ready_input(api, (lantern, 1), email="eve@example.com")
    before = await checkout.footprint()
    answer = await checkout.complete(api, {**given, "cartId": cart.gid})
    assert [(e["code"], e["field"]) for e in answer["userErrors"]] == [
        ("DISCOUNT_NOT_YOURS", ["cart", "discountCodes", "0"])
    ]
    assert await checkout.footprint() == before
    assert await db.fetchval("SELECT used_count FROM discount_codes") == 0
    own = {**given, "cartId": cart.gid, "email": "ada@example.com", "idempotencyKey": checkout.new_key()}
    assert (await checkout.complete(api, own))["order"]["cost"]["total"]["amount"] == "21.99"
    await drain()
    assert await invariants.check() == []


async def test_the_order_keeps_what_was_taken_off_and_the_timeline_says_so(
    api: Api, lantern: MadeProduct, staff_token: str, drain: Drain
) -> None:
    ada = await customers.profile(email=checkout.EMAIL)
    coupon = await discounts.coupon(ada)
    for payment in (checkout.CARD, checkout.CASH):
        await discounts.discount(name="Sale", percentage=Decimal(10))
        code = coupon.code if payment is checkout.CARD else (await discounts.coupon(ada)).code
        answer = await buy(api, lantern, code, units=2, payment=payment)
        order = (await api.ok(ORDER, {"id": answer["order"]["id"]}, token=staff_token))["order"]
        assert order["discounts"] == [
            {"name": "Sale", "code": None, "amount": {"amount": "4.00"}},
            {"name": "For you", "code": code, "amount": {"amount": "7.20"}},
        ]
        assert order["cost"] == {"discount": {"amount": "11.20"}, "total": {"amount": "34.79"}}
        assert [line["cost"]["discount"]["amount"] for line in order["lines"]["nodes"]] == ["11.20"]
    redeemed = await db.fetch(
        "SELECT profile_id, data->>'code' AS code FROM profile_events WHERE type = 'coupon.redeemed'"
    )
    assert [row["profile_id"] for row in redeemed] == [ada, ada]
    again = await buy(api, lantern, coupon.code)
    assert [error["code"] for error in again["userErrors"]] == ["DISCOUNT_USED_UP"]
    await drain()
    assert await invariants.check() == []


async def test_a_single_use_comes_back_with_a_declined_card_and_a_cancelled_order(
    api: Api, lantern: MadeProduct, staff_token: str, drain: Drain
) -> None:
    await discounts.discount("ONCE", usage_limit=1)
    declined = await buy(api, lantern, "ONCE", payment={**checkout.CARD, "token": "tok_declined"})
    assert [error["code"] for error in declined["userErrors"]] == ["PAYMENT_DECLINED"]
    placed = await buy(api, lantern, "ONCE")
    assert [e["code"] for e in (await buy(api, lantern, "ONCE"))["userErrors"]] == ["DISCOUNT_USED_UP"]
    await api.ok(CANCEL, {"id": placed["order"]["id"]}, token=staff_token)
    assert (await buy(api, lantern, "ONCE"))["order"]
    await drain()
    assert await invariants.check() == []


async def test_a_use_is_held_while_the_shopper_confirms_the_payment(
    api: Api, lantern: MadeProduct, advance: Advance
) -> None:
    await discounts.discount("ONCE", usage_limit=1)
    waiting = await buy(api, lantern, "ONCE", payment={**checkout.CARD, "token": "tok_requires_action"})
    assert waiting["paymentAction"]
    cart = await carts.cart((lantern.variant_id, 1))
    assert said(await enter(api, cart.gid, "ONCE")) == [("ONCE", "USED_UP")]
    await advance("PT16M")
    assert said(await enter(api, cart.gid, "ONCE", "OTHER")) == [("ONCE", None), ("OTHER", "NOT_FOUND")]
    assert await invariants.check() == []


async def test_a_customer_uses_it_as_often_as_one_may(api: Api, lantern: MadeProduct) -> None:
    await discounts.discount("EACH", usage_limit_per_customer=1)
    assert (await buy(api, lantern, "EACH"))["order"]
    again = await buy(api, lantern, "EACH", email=checkout.EMAIL.upper())
    assert [error["code"] for error in again["userErrors"]] == ["DISCOUNT_ALREADY_USED"]
    assert (await buy(api, lantern, "EACH", email="grace@example.com"))["order"]
    cart = await carts.cart((lantern.variant_id, 1), email="grace@example.com")
    assert said(await enter(api, cart.gid, "EACH")) == [("EACH", "ALREADY_USED")]
    shown = (await api.ok(BUYER, {"id": cart.gid, "email": "hedy@example.com"}))["cartBuyerIdentityUpdate"]["cart"]
    assert said(shown) == [("EACH", None)]
    assert await invariants.check() == []


async def test_nobody_pays_without_a_discount_that_was_shown(api: Api, lantern: MadeProduct) -> None:
    used = await discounts.discount("ONCE", usage_limit=1)
    sale = await discounts.discount()
    given = await checkout.ready_input(api, (lantern, 1), expectedTotal={"amount": "22.19", "currencyCode": "USD"})
    await enter(api, given["cartId"], "ONCE")
    await db.execute("UPDATE discounts SET status = 'DISABLED' WHERE id = $1", sale)
    changed = await checkout.complete(api, given)
    assert [(e["code"], e["total"]["amount"]) for e in changed["userErrors"]] == [("TOTAL_CHANGED", "23.99")]
    await db.execute("UPDATE discounts SET used_count = 1 WHERE id = $1", used)
    gone = await checkout.complete(api, {**given, "idempotencyKey": checkout.new_key()})
    assert [error["code"] for error in gone["userErrors"]] == ["DISCOUNT_USED_UP"]


async def test_a_misspelt_code_keeps_nobody_from_buying(api: Api, lantern: MadeProduct) -> None:
    assert (await buy(api, lantern, "SPRNG"))["order"]["cost"]["total"]["amount"] == "25.99"

"""A checkout that was begun goes along when its cart is merged into another."""

from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout

MERGE = """mutation ($from: ID!, $into: ID!) { cartMerge(cartId: $from, intoCartId: $into) {
    cart { id } warnings { code } userErrors { code }
} }"""
CREATE = """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
    checkout { id shippingAddress { city } reservedUntil } userErrors { code }
} }"""
CHOOSE = """mutation ($id: ID!, $quote: ID!) {
    checkoutUpdate(checkoutId: $id, input: { shippingQuoteId: $quote }) { userErrors { code } }
}"""


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await checkout.shop_that_ships()


async def begun(api: Api, cart: str, **given: Any) -> str:
    known = {"cartId": cart, "email": checkout.EMAIL, "shippingAddress": checkout.ADDRESS, **given}
    made = (await api.ok(CREATE, {"input": known}))["checkoutCreate"]["checkout"]
    await api.ok(CHOOSE, {"id": made["id"], "quote": await checkout.quote_for(api, cart)})
    checkout_id: str = made["id"]
    return checkout_id


async def test_address_quote_and_units_go_with_the_lines(api: Api) -> None:
    lantern = await catalogue.product(stock=3)
    source, target = await carts.cart((lantern.variant_id, 2)), await carts.cart()
    await begun(api, source.gid)
    merged = (await api.ok(MERGE, {"from": source.gid, "into": target.gid}))["cartMerge"]
    assert merged["warnings"] == []
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels")
    assert row is not None
    assert tuple(row) == (1, 2)
    assert await invariants.check() == []
    given = {"cartId": target.gid, "idempotencyKey": checkout.new_key(), "payment": checkout.CARD}
    payload = await checkout.complete(api, given)
    assert payload["order"], payload["userErrors"]
    assert await invariants.check() == []


async def test_a_quote_for_other_items_stays_behind_and_says_so(api: Api) -> None:
    lantern, stove = await catalogue.product(stock=5), await catalogue.product(stock=5)
    source, target = await carts.cart((lantern.variant_id, 2)), await carts.cart((stove.variant_id, 1))
    await begun(api, source.gid)
    merged = (await api.ok(MERGE, {"from": source.gid, "into": target.gid}))["cartMerge"]
    assert [warning["code"] for warning in merged["warnings"]] == ["CHECKOUT_NOT_MERGED"]
    row = await db.fetchrow("SELECT * FROM checkouts WHERE cart_id = $1", target.id)
    assert row is not None
    assert (row["shipping_quote_id"], "San Francisco" in row["shipping_address"]) == (None, True)
    assert await db.fetchval("SELECT sum(reserved) FROM stock_levels") == 3
    assert await invariants.check() == []


async def test_nobody_gets_a_strangers_address(api: Api) -> None:
    lantern = await catalogue.product(stock=5)
    source = await carts.cart((lantern.variant_id, 2))
    target = await carts.cart(email="grace@example.com")
    await begun(api, source.gid)
    await api.ok(MERGE, {"from": source.gid, "into": target.gid})
    assert await db.fetchval("SELECT count(*) FROM checkouts WHERE cart_id = $1", target.id) == 0
    assert await db.fetchval("SELECT sum(reserved) FROM stock_levels") == 0
    assert await invariants.check() == []

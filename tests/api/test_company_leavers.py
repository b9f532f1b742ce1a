"""A company's prices are for its members: who has left it, and kept a cart of it, sees what everybody pays."""

from typing import Any

import pytest

from app import db
from app.kit import ids
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies
from tests.factories import cart as carts

CHOOSE = """mutation ($cart: ID!, $company: ID) { cartCompanyUpdate(cartId: $cart, companyId: $company) {
    cart { cost { total { amount } } warnings { code } } userErrors { code field }
} }"""
READ = "query ($id: ID!) { cart(id: $id) { cost { total { amount } } warnings { code } } }"
ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) { cartLinesAdd(cartId: $id, lines: $lines) {
    cart { cost { total { amount } } warnings { code } } userErrors { code }
} }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


def shown(cart: dict[str, Any]) -> tuple[str, list[str]]:
    return cart["cost"]["total"]["amount"], [warning["code"] for warning in cart["warnings"]]


async def test_who_left_a_company_reads_everybodys_prices_in_its_cart(api: Api) -> None:
    product = await catalogue.product(price_minor=2000)
    company_id = await companies.company(price_list_id=await companies.prices(product.variant_id, "15.00"))
    company = ids.encode("comp", company_id)
    buyer = await accounts.signed_in("buyer@acme.example")
    member_id = await companies.member(company_id, buyer.id)
    cart = (await carts.cart((product.variant_id, 2))).gid
    await api.ok(CHOOSE, {"cart": cart, "company": company}, token=buyer.token)
    assert shown((await api.ok(READ, {"id": cart}))["cart"]) == ("30.00", [])

    await db.execute("DELETE FROM company_members WHERE id = $1", member_id)
    # By its id alone and signed in, read and changed.
    for token in (None, buyer.token):
        assert shown((await api.ok(READ, {"id": cart}, token=token))["cart"]) == ("40.00", ["COMPANY_LEFT"])
    lines = [{"variantId": product.variant_gid, "quantity": 1}]
    added = (await api.ok(ADD, {"id": cart, "lines": lines}))["cartLinesAdd"]["cart"]
    assert shown(added) == ("60.00", ["COMPANY_LEFT"])
    # Bought for oneself, there is nothing to warn of; and back in the company, it has the company's prices again.
    alone = await api.ok(CHOOSE, {"cart": cart, "company": None}, token=buyer.token)
    assert shown(alone["cartCompanyUpdate"]["cart"]) == ("60.00", [])
    await companies.member(company_id, buyer.id)
    again = await api.ok(CHOOSE, {"cart": cart, "company": company}, token=buyer.token)
    assert shown(again["cartCompanyUpdate"]["cart"]) == ("45.00", [])


async def test_a_member_gives_no_company_to_a_strangers_cart(api: Api) -> None:
    """Its prices would be the stranger's to keep."""
    product = await catalogue.product(price_minor=2000)
    company_id = await companies.company(price_list_id=await companies.prices(product.variant_id, "15.00"))
    buyer, stranger = await accounts.signed_in("buyer@acme.example"), await accounts.signed_in("else@example.com")
    await companies.member(company_id, buyer.id)
    cart = await carts.cart((product.variant_id, 2))
    await db.execute("UPDATE carts SET customer_id = $2 WHERE id = $1", cart.id, stranger.id)
    given = {"cart": cart.gid, "company": ids.encode("comp", company_id)}
    answer = (await api.query(CHOOSE, given, token=buyer.token)).data
    assert answer is not None
    assert answer["cartCompanyUpdate"]["userErrors"] == [{"code": "NOT_A_MEMBER", "field": ["companyId"]}]
    assert await db.fetchval("SELECT company_id FROM carts WHERE id = $1", cart.id) is None


async def test_a_leavers_cart_is_ordered_by_no_other_member_either(api: Api) -> None:
    """It shows everybody's prices and the exemptions of its account: nothing that the company would buy at."""
    product = await catalogue.product(price_minor=2000, stock=10, requires_shipping=False)
    company_id = await companies.company(price_list_id=await companies.prices(product.variant_id, "15.00"))
    leaver, member = await accounts.signed_in("buyer@acme.example"), await accounts.signed_in("else@acme.example")
    left_id = await companies.member(company_id, leaver.id)
    await companies.member(company_id, member.id)
    given = await checkout.ready_input(
        api, (product, 1), shippingQuoteId=None, shippingAddress=None, billingAddress=checkout.ADDRESS
    )
    await api.ok(CHOOSE, {"cart": given["cartId"], "company": ids.encode("comp", company_id)}, token=leaver.token)
    await db.execute("DELETE FROM company_members WHERE id = $1", left_id)
    refused = await checkout.complete(api, given, token=member.token)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [("NOT_A_MEMBER", ["input", "cartId"])]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    # In the company again, their cart is the company's for every member.
    await companies.member(company_id, leaver.id)
    placed = await checkout.complete(api, {**given, "idempotencyKey": "another"}, token=member.token)
    assert placed["userErrors"] == []
    assert await db.fetchval("SELECT total_minor FROM orders") == 15_00

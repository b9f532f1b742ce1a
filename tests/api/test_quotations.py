"""Quotations: a buyer asks about a cart, staff price it, and the buyer accepts exactly that price, or does not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, drafts
from tests.factories import cart as carts

Drain = Callable[[], Awaitable[None]]
REQUEST = """mutation ($input: QuotationRequestInput!) {
    quotationRequest(input: $input) { quotationId userErrors { code field } }
}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def test_an_accepted_quotation_costs_what_staff_wrote(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(name="Bench", price_minor=30_000, stock=20, requires_shipping=False)
    cart = await carts.cart((product.variant_id, 10))
    buyer = await accounts.signed_in("buyer@acme.example")
    given = {"cartId": cart.gid, "message": "Ten for our garden?", "email": "garden@acme.example"}
    asked = await api.ok(REQUEST, {"input": given}, token=buyer.token)
    quotation = asked["quotationRequest"]["quotationId"]
    await drain()
    listed = await api.ok(
        f"{{ draftOrders(kind: QUOTATION, state: REQUESTED) {{ nodes {{ {drafts.FIELDS} }} }} }}", token=staff_token
    )
    (waiting,) = listed["draftOrders"]["nodes"]
    assert (waiting["id"], waiting["message"]) == (quotation, "Ten for our garden?")
    assert waiting["cost"]["total"]["amount"] == "3000.00"
    lines = [{"variantId": product.variant_gid, "quantity": 10, "unitPrice": drafts.usd("250")}]
    await drafts.updated(api, staff_token, quotation, lines=lines, email="garden@acme.example")
    link = await drafts.sent(api, staff_token, quotation, message="With our compliments")
    await db.execute("UPDATE product_variants SET price_minor = 99900")
    await db.execute("UPDATE products SET min_price_minor = 99900, max_price_minor = 99900")
    placed = await drafts.complete(api, link, payment=checkout.CARD)
    assert placed["order"]["cost"]["total"]["amount"] == "2500.00"
    assert await db.fetchval("SELECT source FROM orders") == "QUOTATION"
    assert await db.fetchval("SELECT state FROM carts WHERE id = $1", cart.id) == "OPEN"
    await drain()
    assert await invariants.check() == []


async def test_two_who_accept_at_once_get_one_order(api: Api, staff_token: str) -> None:
    link = await drafts.sent(api, staff_token, (await drafts.created(api, staff_token))["id"])

    async def accept(_: int) -> str:
        while True:
            payload = await drafts.complete(api, link, payment=checkout.CARD)
            outcome = payload["userErrors"][0]["code"] if payload["userErrors"] else "ORDER"
            if outcome not in ("IN_PROGRESS", "CONFLICT"):
                return str(outcome)
            await asyncio.sleep(0.01)

    outcomes = await asyncio.gather(*(accept(number) for number in range(5)))
    assert sorted(outcomes) == ["DRAFT_ORDER_NOT_OPEN"] * 4 + ["ORDER"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 1
    assert await db.fetchval("SELECT count(*) FROM payments") == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"email": None}, "REQUIRED"), ({"message": "x" * 2001}, "TOO_LONG"), ({"email": "nobody"}, "INVALID_EMAIL")],
)
async def test_what_cannot_be_asked_is_refused(api: Api, changed: dict[str, Any], code: str) -> None:
    product = await catalogue.product()
    cart = await carts.cart((product.variant_id, 1))
    given = {"cartId": cart.gid, "email": "garden@acme.example", **changed}
    answer = await drafts.ok(api, REQUEST, {"input": given})
    assert [error["code"] for error in answer["quotationRequest"]["userErrors"]] == [code]
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0


async def test_an_empty_cart_is_not_quoted(api: Api) -> None:
    made = await api.ok("mutation { cartCreate(input: {}) { cart { id } userErrors { code } } }")
    given = {"cartId": made["cartCreate"]["cart"]["id"], "email": "garden@acme.example"}
    answer = await drafts.ok(api, REQUEST, {"input": given})
    assert [error["code"] for error in answer["quotationRequest"]["userErrors"]] == ["CART_EMPTY"]

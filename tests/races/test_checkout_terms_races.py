"""What a checkout keeps, and what it is charged, while its cart changes at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.factories.terms import ENGRAVING, terms

ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { userErrors { code } }
}"""
BEGIN = """mutation ($id: ID!) {
    checkoutCreate(input: { cartId: $id, email: "ada@example.com" }) { userErrors { code } }
}"""
ROUNDS = 12


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await checkout.shop_that_ships()


async def test_a_line_added_while_the_checkout_completes(api: Api, drain: Callable[[], Awaitable[None]]) -> None:
    """Whoever is quicker: the order's total, what was charged and the sum of its lines are one amount."""
    lantern = await catalogue.product(stock=100, price_minor=10_00)
    course = await catalogue.product(kind="DIGITAL", requires_shipping=False, track_inventory=False, price_minor=7_00)
    await terms(course.id, ENGRAVING)
    made = [{"key": "engraving", "value": "Ada"}]

    async def one_round() -> str | None:
        given = await checkout.ready_input(api, (lantern, 1))
        cart = given["cartId"]
        await api.ok(BEGIN, {"id": cart})
        line = {"variantId": course.variant_gid, "quantity": 2, "customizations": made}
        payload, added = await asyncio.gather(
            checkout.complete(api, given), api.query(ADD, {"id": cart, "lines": [line]})
        )
        codes = {error["code"] for error in (added.data or {})["cartLinesAdd"]["userErrors"]}
        assert codes <= {"CHECKOUT_IN_PROGRESS", "CART_COMPLETED"}
        assert payload["order"], payload["userErrors"]
        total: str = payload["order"]["cost"]["total"]["amount"]
        # 10.00 + 5.99, and 2 x (7.00 + 9.00) where the line came first.
        assert total == ("15.99" if codes else "47.99")
        return total

    await asyncio.gather(*(one_round() for _ in range(ROUNDS)))
    wrong = await db.fetch(
        """
        SELECT o.id FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE o.total_minor <> p.amount_minor OR o.total_minor <> o.shipping_minor + (
            SELECT sum(l.total_minor) FROM order_lines l WHERE l.order_id = o.id
        )
        """
    )
    assert wrong == []
    await drain()
    assert await invariants.check() == []


async def test_the_last_unit_across_two_lines_of_one_cart(api: Api) -> None:
    lantern = await catalogue.product(stock=2)
    cart = await carts.cart((lantern.variant_id, 1))
    other = {"variantId": lantern.variant_gid, "attributes": [{"key": "gift", "value": "yes"}]}
    await api.ok(ADD, {"id": cart.gid, "lines": [other]})
    quote = await checkout.quote_for(api, cart.gid)
    await db.execute("UPDATE stock_levels SET available = 1")
    await db.execute("UPDATE stock_movements SET available_delta = 1")
    given: dict[str, Any] = {
        "cartId": cart.gid,
        "idempotencyKey": checkout.new_key(),
        "email": checkout.EMAIL,
        "shippingAddress": checkout.ADDRESS,
        "shippingQuoteId": quote,
        "payment": checkout.CARD,
    }
    before = await checkout.footprint()
    refused = await checkout.complete(api, given)
    assert [(one["code"], one["availableQuantity"]) for one in refused["userErrors"]] == [
        ("INSUFFICIENT_STOCK", 1),
        ("INSUFFICIENT_STOCK", 1),
    ]
    assert await checkout.footprint() == before
    await api.ok(BEGIN, {"id": cart.gid})
    refused = await checkout.complete(api, {**given, "idempotencyKey": checkout.new_key()})
    assert [one["code"] for one in refused["userErrors"]] == ["INSUFFICIENT_STOCK"] * 2
    assert await invariants.check() == []


async def test_a_reservation_that_changes_from_many_sides_adds_up(
    api: Api, drain: Callable[[], Awaitable[None]]
) -> None:
    """Carts that want the same two things in different orders, each changed by several tabs, and let go of at once."""
    lantern, stove = await catalogue.product(stock=9), await catalogue.product(stock=9)
    made = [await carts.cart((lantern.variant_id, 1), (stove.variant_id, 1)) for _ in range(4)]
    await asyncio.gather(*(api.ok(BEGIN, {"id": cart.gid}) for cart in made))

    async def tab(place: int, cart: str) -> None:
        pair = [lantern, stove] if place % 2 else [stove, lantern]
        for product in pair:
            await api.query(ADD, {"id": cart, "lines": [{"variantId": product.variant_gid, "quantity": 1}]})
        await api.ok(BEGIN, {"id": cart})

    await asyncio.gather(*(tab(place, cart.gid) for place, cart in enumerate(made) for _ in range(3)))
    row = await db.fetchrow("SELECT sum(available) AS available, sum(reserved) AS reserved FROM stock_levels")
    assert row is not None
    assert row["available"] + row["reserved"] == 18
    assert await invariants.check() == []
    await db.execute("UPDATE stock_reservations SET expires_at = business_now()")
    await db.execute("UPDATE timers SET due_at = business_now() WHERE kind = 'inventory.reservation_ended'")
    await drain()
    assert await db.fetchval("SELECT sum(reserved) FROM stock_levels") == 0
    assert await invariants.check() == []

"""One gift card and many who spend it: never more than was on it, and nothing of it lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.cart import entering as cart_entering
from app.cart.service import CartKey
from app.gift_cards import codes
from app.kit import ids
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, gift_cards, refunds

Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def inputs(count: int, *codes: str, price_minor: int = 1000, **more: Any) -> list[dict[str, Any]]:
    """Of as many guests with carts of their own, each with these cards; nothing ships."""
    product = await catalogue.product(price_minor=price_minor, kind="DIGITAL", requires_shipping=False, stock=None)
    made = []
    for number in range(count):
        cart = await carts.cart((product.variant_id, 1))
        await cart_entering.change_gift_cards(CartKey(cart.id, cart.secret), codes, f"client-{number}")
        email = f"guest{number}@example.com"
        made.append({"cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": email, **more})
    return made


async def answers(api: Api, given: list[dict[str, Any]]) -> Counter[str]:
    async def answer(one: dict[str, Any]) -> str:
        while True:
            payload = await checkout.complete(api, one)
            outcome = payload["userErrors"][0]["code"] if payload["userErrors"] else "ORDER"
            if outcome != "IN_PROGRESS":
                return str(outcome)
            await asyncio.sleep(0.01)

    return Counter(await asyncio.gather(*(answer(one) for one in given)))


async def test_a_card_of_fifty_spent_ten_times_by_ten_is_five_orders(api: Api, drain: Drain) -> None:
    card = await gift_cards.gift_card(5000)
    found = await answers(api, await inputs(10, card.code))
    assert found["ORDER"] == 5
    assert set(found) <= {"ORDER", "GIFT_CARD_EMPTY", "AMOUNT_DUE_CHANGED", "REQUIRED"}
    assert await gift_cards.balance(card.id) == 0
    assert await db.fetchval("SELECT count(*) FROM orders WHERE gift_card_minor = 1000 AND amount_due_minor = 0") == 5
    await drain()
    assert await invariants.check() == []


async def test_declined_payments_give_their_part_to_others(api: Api, drain: Drain) -> None:
    card = await gift_cards.gift_card(5000)
    given = await inputs(20, card.code, price_minor=6000)
    for place, one in enumerate(given):
        one["payment"] = {**checkout.CARD, "token": ("tok_declined", "tok_success")[place % 2]}
    found = await answers(api, given)
    spent = await db.fetchval("SELECT coalesce(sum(gift_card_minor), 0)::bigint FROM orders")
    assert spent + await gift_cards.balance(card.id) == 5000
    assert found["ORDER"] <= 1
    await drain()
    assert await invariants.check() == []


async def test_two_cards_in_any_order_lock_nobody_out(api: Api, drain: Drain) -> None:
    first, second = await gift_cards.gift_card(6000), await gift_cards.gift_card(6000)
    given = [*await inputs(8, first.code, second.code), *await inputs(8, second.code, first.code)]
    assert (await answers(api, given))["ORDER"] >= 12
    await drain()
    left = await gift_cards.balance(first.id) + await gift_cards.balance(second.id)
    assert left + await db.fetchval("SELECT sum(gift_card_minor)::bigint FROM orders") == 12000
    assert await invariants.check() == []


async def test_a_sold_card_is_spent_or_refunded_never_both(api: Api, staff_token: str, drain: Drain) -> None:
    """Six cards; each is spent by somebody and its price asked back by somebody else, all at once."""
    sold = await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)
    bare = {"shippingQuoteId": None, "shippingAddress": None}
    orders = [(await checkout.placed(api, (sold, 1), **bare))["order"]["id"] for _ in range(6)]
    await drain()
    cards = await db.fetch("SELECT id, code_hash FROM gift_cards ORDER BY id")
    lines = await db.fetch("SELECT id FROM order_lines ORDER BY id")
    spending = [
        (await inputs(1, codes.code_of(card["id"], card["code_hash"]) or "", price_minor=2500))[0] for card in cards
    ]
    asked = [[{"orderLineId": ids.encode("oline", line["id"]), "quantity": 1}] for line in lines]
    spent, given_back = await asyncio.gather(
        asyncio.gather(*(answers(api, [one]) for one in spending)),
        asyncio.gather(
            *(refunds.create(api, staff_token, order, lines=line) for order, line in zip(orders, asked, strict=True))
        ),
    )
    for found, refund in zip(spent, given_back, strict=True):
        if found["ORDER"]:
            assert [error["code"] for error in refund["userErrors"]] == ["REFUND_TOO_LARGE"]
        else:
            assert refund["userErrors"] == []
    await drain()
    assert (
        await db.fetchval("SELECT sum(gift_card_minor) FROM orders")
        + await db.fetchval("SELECT sum(refunded_minor) FROM payments")
        == 6 * 2500
    )
    assert await invariants.check() == []

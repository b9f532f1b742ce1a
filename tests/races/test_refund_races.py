"""One order and many who give its money back: never more than was taken, whatever it was paid with."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from app import db, invariants
from app.cart import entering as cart_entering
from app.cart.service import CartKey
from app.gift_cards.issuing import Issued
from app.kit import ids
from tests.client import Api
from tests.factories import catalogue, checkout, fulfillments, gift_cards, refunds
from tests.factories.refunds import usd

Drain = Callable[[], Awaitable[None]]

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id, refund: true) { userErrors { code } } }"


async def paid_with_both(api: Api, **how: Any) -> tuple[str, Issued]:
    """An order of 105.99: 50.00 of a gift card and 55.99 by card, unless told otherwise."""
    await checkout.shop_that_ships()
    card = await gift_cards.gift_card(5000)
    given = await checkout.ready_input(api, (await catalogue.product(price_minor=10000), 1), **how)
    await cart_entering.change_gift_cards(
        CartKey(*ids.decode_with_secret("cart", given["cartId"])), [card.code], "client"
    )
    payload = await checkout.complete(api, given)
    assert payload["order"], payload["userErrors"]
    return payload["order"]["id"], card


async def given_back(card: Issued) -> tuple[int, int]:
    """The way that the payment came, and to the gift card."""
    row = await db.fetchrow("SELECT captured_minor, refunded_minor FROM payments")
    assert row is not None
    assert row["captured_minor"] == 5599
    at_gateway = await db.fetch("SELECT refunded_minor FROM test_gateway_payments")
    assert [one["refunded_minor"] for one in at_gateway] in ([], [row["refunded_minor"]])
    return row["refunded_minor"], await gift_cards.balance(card.id)


def outcome(payload: dict[str, Any]) -> str:
    return payload["userErrors"][0]["code"] if payload["userErrors"] else "REFUND"


async def test_twelve_refunds_of_twenty_give_back_five(api: Api, staff_token: str, drain: Drain) -> None:
    order, card = await paid_with_both(api)
    await fulfillments.fulfill(api, staff_token, order)
    await drain()
    asked = [refunds.create(api, staff_token, order, amount=usd("20.00")) for _ in range(12)]
    found = Counter(map(outcome, await asyncio.gather(*asked)))
    assert found == {"REFUND": 5, "REFUND_TOO_LARGE": 7}
    await drain()
    assert await given_back(card) == (5599, 4401)
    assert outcome(await refunds.create(api, staff_token, order, amount=usd("5.99"))) == "REFUND"
    await drain()
    assert await given_back(card) == (5599, 5000)
    assert await invariants.check() == []


async def test_one_key_ten_times_is_one_refund(api: Api, staff_token: str, drain: Drain) -> None:
    order, card = await paid_with_both(api)
    await fulfillments.fulfill(api, staff_token, order)
    await drain()
    same: dict[str, Any] = {"amount": usd("60.00"), "idempotencyKey": "once"}
    found = await asyncio.gather(*(refunds.create(api, staff_token, order, **same) for _ in range(10)))
    assert len({payload["refund"]["id"] for payload in found}) == 1
    await drain()
    assert await given_back(card) == (5599, 401)
    assert await invariants.check() == []


async def test_a_cancellation_beside_refunds_gives_back_all_of_it_once(
    api: Api, staff_token: str, drain: Drain
) -> None:
    order, card = await paid_with_both(api, payment=checkout.CASH)
    paid = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"
    await api.ok(paid, {"id": order}, token=staff_token)
    await asyncio.gather(
        *(refunds.create(api, staff_token, order, amount=usd("30.00")) for _ in range(3)),
        *(api.query(CANCEL, {"id": order}, token=staff_token) for _ in range(3)),
    )
    await drain()
    assert await given_back(card) == (5599, 5000)
    assert await db.fetchval("SELECT status FROM orders") == "CANCELLED"
    assert await invariants.check() == []

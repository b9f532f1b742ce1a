"""Sold gift cards and their price: whoever asks for the money back has no card to spend, from that moment on."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.gift_cards import codes, selling
from app.kit import ids
from app.payments.gateway import GatewayRefusedError
from app.payments.test_gateway import TestGateway
from schema.gift_cards.types import GIFT_CARD_PREFIX
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, refunds
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]

CARDS = """
    SELECT g.id, g.code_hash, s.status, s.balance_minor FROM gift_cards g JOIN stored_values s ON s.id = g.id
    ORDER BY g.unit_number
"""
ENTER = """mutation ($id: ID!, $codes: [String!]!) { cartGiftCardCodesUpdate(cartId: $id, codes: $codes) {
    userErrors { code } } }"""
CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id, refund: %s) { userErrors { code } } }"
SWITCH = "mutation ($id: ID!) { giftCard%s(id: $id) { userErrors { code } } }"


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    await checkout.shop_that_ships()
    return await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)


async def buy(api: Api, product: MadeProduct, quantity: int) -> str:
    """The order's id; paid by card."""
    cart = await carts.cart((product.variant_id, quantity))
    given = {"cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL}
    placed = await checkout.complete(api, {**given, "payment": checkout.CARD})
    order_id: str = placed["order"]["id"]
    return order_id


async def statuses() -> list[str]:
    return [row["status"] for row in await db.fetch(CARDS)]


async def spend(api: Api, card: Any) -> list[str]:
    """What entering the card's code into a cart is answered with."""
    code = codes.code_of(card["id"], card["code_hash"])
    answer = (await api.query(ENTER, {"id": (await carts.cart()).gid, "codes": [code]})).data
    assert answer is not None
    return [error["code"] for error in answer["cartGiftCardCodesUpdate"]["userErrors"]]


async def line_of(order_gid: str) -> str:
    line: uuid.UUID = await db.fetchval("SELECT id FROM order_lines WHERE order_id = $1", ids.decode("ord", order_gid))
    return ids.encode("oline", line)


async def refund_units(api: Api, token: str, order: str, quantity: int) -> dict[str, Any]:
    lines = [{"orderLineId": await line_of(order), "quantity": quantity}]
    return await refunds.create(api, token, order, lines=lines)


def refusing(patch: pytest.MonkeyPatch) -> None:
    async def refuses(*args: Any) -> Any:
        raise GatewayRefusedError("expired_or_canceled_card")

    patch.setattr(TestGateway, "refund", refuses)


async def test_a_unit_that_is_being_refunded_cannot_be_spent(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    order = await buy(api, product, 2)
    await drain()
    assert (await refund_units(api, staff_token, order, 1))["userErrors"] == []
    assert await db.fetchval("SELECT state FROM refunds") == "PENDING", "nobody has asked the gateway yet"
    good, frozen = await db.fetch(CARDS)
    assert (good["status"], frozen["status"]) == ("ACTIVE", "DISABLED")
    assert await spend(api, frozen) == ["GIFT_CARD_DISABLED"]
    assert await spend(api, good) == []
    card = ids.encode(GIFT_CARD_PREFIX, frozen["id"])
    (refused,) = await api.refused(SWITCH % "Enable", {"id": card}, token=staff_token)
    assert refused["code"] == "GIFT_CARD_DISABLED"
    await drain()
    assert await statuses() == ["ACTIVE", "DISABLED"], "one refunded, one switched off"
    assert await invariants.check() == []


async def test_a_refund_that_fails_gives_the_card_back(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await buy(api, product, 2)
    await drain()
    refusing(monkeypatch)
    await refund_units(api, staff_token, order, 2)
    off = await db.fetch(CARDS)
    assert [card["status"] for card in off] == ["DISABLED", "DISABLED"]
    # What staff switch off meanwhile stays off.
    await api.ok(SWITCH % "Disable", {"id": ids.encode(GIFT_CARD_PREFIX, off[0]["id"])}, token=staff_token)
    await drain()
    assert await db.fetchval("SELECT state FROM refunds") == "FAILED"
    assert await statuses() == ["DISABLED", "ACTIVE"]
    assert await spend(api, off[1]) == []


async def test_goodwill_freezes_nothing_and_the_whole_price_everything(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await buy(api, product, 2)
    await drain()
    await refunds.create(api, staff_token, order, amount=refunds.usd("20.00"))
    await drain()
    assert await statuses() == ["ACTIVE", "ACTIVE"], "a part of the price is goodwill"
    with monkeypatch.context() as patch:
        refusing(patch)
        await refunds.create(api, staff_token, order, amount=refunds.usd("30.00"))
        assert await statuses() == ["DISABLED", "DISABLED"]
        await drain()
    assert await statuses() == ["ACTIVE", "ACTIVE"], "the gateway has refused"
    await refunds.create(api, staff_token, order, amount=refunds.usd("30.00"))
    await drain()
    assert await statuses() == ["DISABLED", "DISABLED"]
    assert await invariants.check() == []


@pytest.mark.parametrize("refund", ["true", "false"])
async def test_a_cancelled_order_switches_its_cards_off_at_once(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain, refund: str
) -> None:
    stove = await catalogue.product(price_minor=1000)
    order = (await checkout.placed(api, (product, 1), (stove, 1), payment=checkout.CASH))["order"]["id"]
    await api.ok("mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }", {"id": order},
                 token=staff_token)  # fmt: skip
    await drain()
    assert await statuses() == ["ACTIVE"]
    await api.ok(CANCEL % refund, {"id": order}, token=staff_token)
    assert await statuses() == ["DISABLED"], "before anybody has handled an event"


async def test_units_that_are_not_issued_yet_will_not_be(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    order = await buy(api, product, 3)
    order_id = ids.decode("ord", order)
    # The gateway has taken the money and the shop has not come to the cards yet.
    await refund_units(api, staff_token, order, 1)
    for _ in range(2):
        async with db.unit_of_work():
            await selling.issue_sold(order_id)
    assert await statuses() == ["ACTIVE", "ACTIVE"]
    await drain()
    assert await statuses() == ["ACTIVE", "ACTIVE"], "the refund has gone through, and the other two are whole"
    assert await db.fetchval("SELECT payment_status FROM orders") == "PARTIALLY_REFUNDED"


async def test_units_whose_refund_failed_are_issued_after_all(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await buy(api, product, 2)
    refusing(monkeypatch)
    await refund_units(api, staff_token, order, 2)
    await drain()
    assert await db.fetchval("SELECT state FROM refunds") == "FAILED"
    assert await statuses() == ["ACTIVE", "ACTIVE"]


async def test_what_is_given_back_at_the_provider_switches_cards_off_when_it_is_heard_of(
    api: Api, product: MadeProduct, drain: Drain
) -> None:
    """`switch_off_refunded` by itself: nothing was frozen with a request."""
    order = await buy(api, product, 3)
    await drain()
    order_id, line = ids.decode("ord", order), ids.decode("oline", await line_of(order))
    refund_id = await refunds.row(order_id)
    lines = f'[{{"order_line_id": "{line}", "quantity": 1, "restock": false, "amount_minor": 2500}}]'
    await db.execute("UPDATE refunds SET lines = $2::jsonb WHERE id = $1", refund_id, lines)
    async with db.unit_of_work():
        await selling.switch_off_refunded(order_id, refund_id)
    assert await statuses() == ["ACTIVE", "ACTIVE", "DISABLED"]
    await db.execute("UPDATE refunds SET lines = '[]' WHERE id = $1", refund_id)
    async with db.unit_of_work():
        await selling.switch_off_refunded(order_id, refund_id)
    assert await statuses() == ["ACTIVE", "ACTIVE", "DISABLED"], "goodwill: the order is still paid"
    await db.execute("UPDATE orders SET payment_status = 'REFUNDED' WHERE id = $1", order_id)
    async with db.unit_of_work():
        await selling.switch_off_refunded(order_id, refund_id)
    assert await statuses() == ["DISABLED", "DISABLED", "DISABLED"]

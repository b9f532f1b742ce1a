"""Gift cards as goods: paid for with money, issued once for each unit, mailed to whom they are for."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db, invariants
from app.cart import entering as cart_entering
from app.cart import service as cart_service
from app.cart.attributes import Attribute
from app.cart.rules import LineToAdd
from app.cart.service import CartKey
from app.events.delivery import deliver
from app.gift_cards import codes, selling
from app.kit import ids
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, gift_cards, refunds
from tests.factories.catalogue import MadeProduct

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]

CARDS = """
    SELECT g.*, s.balance_minor, s.status FROM gift_cards g JOIN stored_values s ON s.id = g.id ORDER BY g.id
"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)


async def buy(
    api: Api, product: MadeProduct, quantity: int = 1, *, other: MadeProduct | None = None, **attributes: str
) -> dict[str, Any]:
    """The payload; paid by card."""
    cart = await carts.cart()
    told = [Attribute(key, value) for key, value in attributes.items()]
    lines = [LineToAdd(new_id(), product.variant_id, quantity, told)]
    if other:
        lines.append(LineToAdd(new_id(), other.variant_id, 1, []))
    await cart_service.add_lines(CartKey(cart.id, cart.secret), lines)
    given: dict[str, Any] = {
        "cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL, "payment": checkout.CARD,
    }  # fmt: skip
    if other:
        given |= {"shippingAddress": checkout.ADDRESS, "shippingQuoteId": await checkout.quote_for(api, cart.gid)}
    return await checkout.complete(api, given)


async def mails(api: Api, token: str, subject: str = "A gift card") -> list[dict[str, Any]]:
    found = await api.ok("{ devInbox(first: 50) { to subject text } }", token=token)
    return [mail for mail in found["devInbox"] if mail["subject"].startswith(subject)]


async def test_every_unit_of_a_paid_order_is_a_card_of_its_price(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    bought = await buy(api, product, 3)
    await drain()
    cards = await db.fetch(CARDS)
    assert [(card["initial_minor"], card["balance_minor"], card["unit_number"]) for card in cards] == [
        (2500, 2500, 1), (2500, 2500, 2), (2500, 2500, 3)
    ]  # fmt: skip
    assert {ids.encode("ord", card["order_id"]) for card in cards} == {bought["order"]["id"]}
    assert [mail["to"] for mail in await mails(api, staff_token)] == [checkout.EMAIL] * 3
    assert await invariants.check() == []


async def test_a_repeated_event_issues_nothing_twice(api: Api, product: MadeProduct, drain: Drain) -> None:
    await buy(api, product, 2)
    await drain()
    event = await db.fetchval("SELECT id FROM events WHERE type = 'order.paid'")
    await db.execute("DELETE FROM event_receipts")
    await db.execute("UPDATE events SET acknowledged_at = NULL, attempts = 0, leased_until = NULL WHERE id = $1", event)
    await deliver(event)
    assert await db.fetchval("SELECT count(*) FROM gift_cards") == 2


async def test_many_units_are_issued_in_parts(
    api: Api, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selling, "BATCH", 2)
    await buy(api, product, 5)
    await drain()
    assert [card["unit_number"] for card in await db.fetch(CARDS)] == [1, 2, 3, 4, 5]


async def test_a_card_goes_to_whom_it_is_for_when_it_is_time(
    api: Api, product: MadeProduct, staff_token: str, advance: Advance
) -> None:
    later = (await clock.now() + timedelta(days=5)).isoformat()
    await buy(
        api, product, recipientEmail="grace@example.com", recipientName="Grace", message="For you", sendAt=later
    )  # fmt: skip
    await advance("P4D")
    assert await mails(api, staff_token) == []
    await advance("P2D")
    (mail,) = await mails(api, staff_token)
    assert mail["to"] == "grace@example.com"
    assert "Grace, here is your gift card" in mail["text"]
    assert "For you" in mail["text"]


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"recipientEmail": "nobody"}, "INVALID_EMAIL"),
        ({"sendAt": "tomorrow"}, "INVALID"),
        ({"sendAt": "2099-01-01T00:00:00Z"}, "OUT_OF_RANGE"),
        ({"recipientName": "x" * 121}, "TOO_LONG"),
    ],
)
async def test_nobody_pays_for_a_card_that_cannot_be_sent(
    api: Api, product: MadeProduct, attributes: dict[str, str], code: str
) -> None:
    refused = await buy(api, product, 1, other=None, **attributes)
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [
        (code, ["cart", "lines", "0", "attributes"])
    ]
    assert await db.fetchval("SELECT count(*) FROM payments") == 0


async def test_nothing_is_issued_before_the_money_is_in_and_a_cancelled_order_has_no_cards(
    api: Api, product: MadeProduct, drain: Drain
) -> None:
    bought = await buy(api, product, other=await catalogue.product(price_minor=1000))
    await drain()
    assert await db.fetchval("SELECT count(*) FROM gift_cards") == 0, "what ships is only set aside before it does"
    order_id = ids.decode("ord", bought["order"]["id"])
    await db.execute("UPDATE orders SET payment_status = 'PAID' WHERE id = $1", order_id)
    async with db.unit_of_work():
        await selling.issue_sold(order_id)
    async with db.unit_of_work():
        await selling.switch_off_all(order_id)
    assert [(card["status"], card["balance_minor"]) for card in await db.fetch(CARDS)] == [("DISABLED", 2500)]


async def test_a_gift_card_does_not_buy_another(api: Api, product: MadeProduct) -> None:
    card = await gift_cards.gift_card(5000)
    cart = await carts.cart((product.variant_id, 1))
    await cart_entering.change_gift_cards(CartKey(cart.id, cart.secret), [card.code], "client")
    given: dict[str, Any] = {"cartId": cart.gid, "idempotencyKey": "one", "email": checkout.EMAIL}
    refused = await checkout.complete(api, given)
    assert [error["code"] for error in refused["userErrors"]] == ["REQUIRED"]
    placed = await checkout.complete(api, {**given, "idempotencyKey": "two", "payment": checkout.CARD})
    assert placed["order"]
    assert await gift_cards.balance(card.id) == 5000


async def test_what_was_spent_is_not_refunded_with_its_card(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    """Otherwise the shop would have paid for it twice: in goods and in money."""
    order = (await buy(api, product, 2))["order"]["id"]
    await drain()
    card = await db.fetchrow("SELECT id, code_hash FROM gift_cards ORDER BY unit_number LIMIT 1")
    assert card is not None
    stove = await catalogue.product(price_minor=1000, kind="DIGITAL", requires_shipping=False, stock=None)
    cart = await carts.cart((stove.variant_id, 1))
    code = codes.code_of(card["id"], card["code_hash"])
    await cart_entering.change_gift_cards(CartKey(cart.id, cart.secret), [code or ""], "client")
    spent = {"cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL}
    assert (await checkout.complete(api, spent))["order"]
    line = ids.encode("oline", await db.fetchval("SELECT id FROM order_lines WHERE product_kind = 'GIFT_CARD'"))
    both = await refunds.create(api, staff_token, order, lines=[{"orderLineId": line, "quantity": 2}])
    assert [error["code"] for error in both["userErrors"]] == ["REFUND_TOO_LARGE"]
    assert await db.fetchval("SELECT count(*) FROM refunds") == 0
    one = await refunds.create(api, staff_token, order, lines=[{"orderLineId": line, "quantity": 1}])
    assert one["refund"]["amount"]["amount"] == "25.00"
    await drain()
    left = {row["id"]: (row["status"], row["balance_minor"]) for row in await db.fetch(CARDS)}
    assert left.pop(card["id"]) == ("ACTIVE", 1500)
    assert list(left.values()) == [("DISABLED", 2500)]
    assert await invariants.check() == []

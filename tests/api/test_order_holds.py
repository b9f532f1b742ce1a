"""Conditions of release: whatever way goods leave by, they wait until staff or the money say that they may."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import catalogue, checkout, deposits, drafts

RELEASE = """mutation ($orderId: ID!, $hold: OrderHold!, $reason: String!) {
    orderHoldRelease(orderId: $orderId, hold: $hold, reason: $reason) { orderId userErrors { code field } }
}"""
Drain = Callable[[], Awaitable[None]]
VAN = {"title": "Van", "price": drafts.usd("0")}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def release(api: Api, token: str, order_id: str, hold: str, reason: str = "As agreed") -> list[str]:
    variables = {"orderId": order_id, "hold": hold, "reason": reason}
    answer = await drafts.ok(api, RELEASE, variables, token=token)
    return [error["code"] for error in answer["orderHoldRelease"]["userErrors"]]


async def held(api: Api, token: str, **terms: Any) -> tuple[str, str]:
    """An order of three sweaters at 100.00 altogether that is paid, and the id of its line."""
    sweater = await catalogue.product(stock=3)
    line = {"variantId": sweater.variant_gid, "quantity": 3, "unitPrice": drafts.usd("50")}
    draft = await drafts.created(api, token, lines=[line], shipping=VAN, **terms)
    done = await drafts.marked_complete(api, token, draft["id"], daysToPay=30)
    line_id = await db.fetchval("SELECT id FROM order_lines")
    return done["draftOrder"]["orderId"], f"oline_{line_id.hex}"


@pytest.mark.parametrize(
    ("terms", "hold"), [({"needsGuarantee": True}, "GUARANTEE"), ({"deposit": drafts.usd("30")}, "DEPOSIT")]
)
async def test_no_part_leaves_before_the_condition_is_met(
    api: Api, staff_token: str, terms: dict[str, Any], hold: str
) -> None:
    order_id, line_id = await held(api, staff_token, **terms)
    part = "mutation ($input: FulfillmentCreateInput!) { fulfillmentCreate(input: $input) { userErrors { code } } }"
    given = {"orderId": order_id, "lines": [{"orderLineId": line_id, "quantity": 1}]}
    refused = await drafts.ok(api, part, {"input": given}, token=staff_token)
    assert refused["fulfillmentCreate"]["userErrors"] == [{"code": "ORDER_ON_HOLD"}]
    assert await db.fetchval("SELECT count(*) FROM fulfillments") == 0
    assert await db.fetchval("SELECT fulfilled_quantity FROM order_lines") == 0
    other = "DEPOSIT" if hold == "GUARANTEE" else "GUARANTEE"
    assert await release(api, staff_token, order_id, other) == ["NOT_FOUND"]
    assert await release(api, staff_token, order_id, hold, " ") == ["REQUIRED"]
    assert await release(api, staff_token, order_id, hold, "x" * 501) == ["TOO_LONG"]
    assert await drafts.holds(api, staff_token, order_id) == [hold]
    assert await release(api, staff_token, order_id, hold) == []
    assert await release(api, staff_token, order_id, hold) == ["NOT_FOUND"]
    sent = await drafts.ok(api, part, {"input": given}, token=staff_token)
    assert sent["fulfillmentCreate"]["userErrors"] == []
    told = (await deposits.order(api, staff_token, order_id))["timeline"]
    assert [event["reason"] for event in told if event["type"] == "NOTE_ADDED"] == ["As agreed"]
    assert "HOLDS_CHANGED" in [event["type"] for event in told]


async def test_a_guarantee_is_not_released_by_money(api: Api, staff_token: str) -> None:
    order_id, _ = await held(api, staff_token, needsGuarantee=True, deposit=drafts.usd("30"))
    assert (await deposits.note(api, staff_token, order_id))["order"]["holds"] == ["GUARANTEE"]
    assert [error["code"] for error in await drafts.ship(api, staff_token, order_id)] == ["ORDER_ON_HOLD"]


async def test_gift_cards_are_mailed_once_nothing_holds_them(api: Api, staff_token: str, drain: Drain) -> None:
    card = await catalogue.product(price_minor=2500, requires_shipping=False, kind="GIFT_CARD")
    lines = [{"variantId": card.variant_gid, "quantity": 2}]
    draft = await drafts.created(api, staff_token, lines=lines, needsGuarantee=True)
    done = await drafts.marked_complete(api, staff_token, draft["id"], paidBy="BANK_TRANSFER")
    await drain()
    assert await db.fetchval("SELECT count(*) FROM gift_cards") == 0
    assert await db.fetchval("SELECT status FROM orders") == "OPEN"
    assert await release(api, staff_token, done["draftOrder"]["orderId"], "GUARANTEE") == []
    await drain()
    assert await db.fetchval("SELECT count(*) FROM gift_cards") == 2
    assert await db.fetchval("SELECT status FROM orders") == "COMPLETED"
    assert await invariants.check() == []


async def test_a_deposit_of_more_than_is_left_of_the_order(api: Api, staff_token: str, drain: Drain) -> None:
    """Something is taken off the order, and all that it costs then has come in."""
    line = {"quantity": 1, "requiresShipping": True, "unitPrice": drafts.usd("50")}
    lines = [{**line, "title": "Bench"}, {**line, "title": "Table"}]
    draft = await drafts.created(api, staff_token, lines=lines, shipping=VAN, deposit=drafts.usd("60"))
    paid = {"paidBy": "BANK_TRANSFER", "amount": drafts.usd("50")}
    done = await drafts.marked_complete(api, staff_token, draft["id"], **paid)
    order_id = done["draftOrder"]["orderId"]
    assert await drafts.holds(api, staff_token, order_id) == ["DEPOSIT"]
    line_id = await db.fetchval("SELECT id FROM order_lines WHERE position = 1")
    edit = """mutation ($id: ID!, $lines: [OrderEditLineInput!]!) {
        orderEdit(orderId: $id, input: { lines: $lines }) { userErrors { code message } }
    }"""
    variables = {"id": order_id, "lines": [{"orderLineId": f"oline_{line_id.hex}", "quantity": 0}]}
    edited = await drafts.ok(api, edit, variables, token=staff_token)
    assert edited["orderEdit"]["userErrors"] == []
    assert deposits.stands(await deposits.order(api, staff_token, order_id)) == ("PAID", "0.00", [])
    await drain()
    assert await invariants.check() == []

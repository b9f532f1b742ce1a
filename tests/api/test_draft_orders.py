"""Draft orders: what staff write for somebody, sent as a link that is paid, or settled by hand."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.payments import service as payments
from app.payments.models import PaymentMethod
from tests.client import Api
from tests.factories import catalogue, checkout, drafts

Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def test_staff_send_a_link_and_the_buyer_pays_exactly_that(api: Api, staff_token: str, drain: Drain) -> None:
    sweater = await catalogue.product(name="Harbor Sweater", price_minor=5000, stock=10)
    draft = await drafts.created(
        api,
        staff_token,
        lines=[
            {"variantId": sweater.variant_gid, "quantity": 2, "unitPrice": drafts.usd("40")},
            {"title": "Embroidery", "quantity": 1, "unitPrice": drafts.usd("10")},
        ],
        discount={"reason": "Old friends", "percentage": "10"},
        shipping={"title": "By van", "price": drafts.usd("5")},
    )
    assert (draft["state"], draft["url"]) == ("OPEN", None)
    # 2 x 40.00 + 10.00 = 90.00, less 10 % = 81.00, and 5.00 for the van.
    assert draft["cost"]["discount"]["amount"] == "9.00"
    assert draft["cost"]["total"]["amount"] == "86.00"
    await db.execute("UPDATE product_variants SET price_minor = 9900 WHERE id = $1", sweater.variant_id)
    token = await drafts.sent(api, staff_token, draft["id"])
    await drain()
    mail = await db.fetchrow("SELECT recipient, state FROM messages WHERE template = 'draft_order'")
    assert mail
    assert (mail["recipient"], mail["state"]) == (checkout.EMAIL, "SENT")

    shown = await drafts.opened(api, token)
    assert shown
    assert shown["cost"]["total"]["amount"] == "86.00"
    placed = await drafts.complete(api, token, payment=checkout.CARD)
    assert placed["userErrors"] == []
    assert placed["order"]["cost"]["total"]["amount"] == "86.00"
    assert placed["order"]["paymentStatus"] == "AUTHORIZED"
    order = await db.fetchrow("SELECT source, total_minor, email FROM orders")
    assert order
    assert dict(order) == {"source": "DRAFT", "total_minor": 8600, "email": checkout.EMAIL}
    lines = await db.fetch("SELECT product_name, unit_price_minor, track_inventory FROM order_lines ORDER BY position")
    assert [tuple(line) for line in lines] == [("Harbor Sweater", 4000, True), ("Embroidery", 1000, False)]
    assert await db.fetchval("SELECT available FROM stock_levels") == 8
    shown = await drafts.opened(api, token)
    assert shown
    assert shown["state"] == "COMPLETED"
    again = await drafts.complete(api, token, payment=checkout.CARD)
    assert [error["code"] for error in again["userErrors"]] == ["DRAFT_ORDER_NOT_OPEN"]


async def test_the_same_key_gets_the_same_order(api: Api, staff_token: str) -> None:
    token = await drafts.sent(api, staff_token, (await drafts.created(api, staff_token))["id"])
    first = await drafts.complete(api, token, key="one", payment=checkout.CARD)
    second = await drafts.complete(api, token, key="one", payment=checkout.CARD)
    assert first["order"]["id"] == second["order"]["id"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 1


async def test_a_declined_card_leaves_the_link_good(api: Api, staff_token: str, drain: Drain) -> None:
    token = await drafts.sent(api, staff_token, (await drafts.created(api, staff_token))["id"])
    declined = await drafts.complete(api, token, payment={**checkout.CARD, "token": "tok_declined"})
    assert [error["code"] for error in declined["userErrors"]] == ["PAYMENT_DECLINED"]
    await drain()
    # What staff wrote is no cart that was left behind: nobody is reminded of it.
    assert not await db.fetchval("SELECT count(*) FROM checkouts")
    assert (await drafts.complete(api, token, payment=checkout.CARD))["userErrors"] == []


async def test_what_staff_change_has_to_be_sent_again(api: Api, staff_token: str) -> None:
    draft = await drafts.created(api, staff_token)
    token = await drafts.sent(api, staff_token, draft["id"])
    changed = await drafts.updated(api, staff_token, draft["id"], lines=[drafts.custom("70")])
    assert (changed["state"], changed["cost"]["total"]["amount"]) == ("OPEN", "70.00")
    assert await drafts.opened(api, token) is None
    refused = await drafts.complete(api, token, payment=checkout.CARD)
    assert [error["code"] for error in refused["userErrors"]] == ["NOT_FOUND"]
    assert await drafts.sent(api, staff_token, draft["id"]) == token
    stale = await drafts.complete(api, token, payment=checkout.CARD, expectedTotal=drafts.usd("50"))
    assert [error["code"] for error in stale["userErrors"]] == ["TOTAL_CHANGED"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0


async def test_its_time_runs_out(api: Api, staff_token: str, advance: Callable[[str], Awaitable[None]]) -> None:
    draft = await drafts.created(api, staff_token)
    token = await drafts.sent(api, staff_token, draft["id"], daysGood=3)
    await advance("P2D")
    assert (await drafts.opened(api, token) or {})["state"] == "SENT"
    await advance("P1DT1H")
    assert await db.fetchval("SELECT state FROM draft_orders") == "EXPIRED"
    refused = await drafts.complete(api, token, payment=checkout.CARD)
    assert [error["code"] for error in refused["userErrors"]] == ["DRAFT_ORDER_EXPIRED"]
    await drafts.sent(api, staff_token, draft["id"])
    assert (await drafts.complete(api, token, payment=checkout.CARD))["userErrors"] == []


@pytest.mark.parametrize(
    ("given", "payment_status", "captured"),
    [({"paidBy": "BANK_TRANSFER"}, "PAID", 5000), ({"daysToPay": 30}, "PENDING", 0)],
)
async def test_staff_settle_it_by_hand(
    api: Api, staff_token: str, given: dict[str, Any], payment_status: str, captured: int
) -> None:
    draft = await drafts.created(api, staff_token)
    done = await drafts.marked_complete(api, staff_token, draft["id"], **given)
    assert done["draftOrder"]["state"] == "COMPLETED"
    row = await db.fetchrow("SELECT payment_status, payment_due_at IS NOT NULL AS due FROM orders")
    assert row
    assert (row["payment_status"], row["due"]) == (payment_status, "daysToPay" in given)
    assert await db.fetchval("SELECT coalesce(sum(captured_minor), 0)::int FROM payments") == captured
    again = await drafts.marked_complete(api, staff_token, draft["id"])
    assert [error["code"] for error in again["userErrors"]] == ["DRAFT_ORDER_NOT_OPEN"]


async def test_what_is_missing_or_wrong_is_said(api: Api, staff_token: str) -> None:
    product = await catalogue.product(stock=1)
    lines = [{"title": "", "quantity": 0}, {"variantId": product.variant_gid, "quantity": 1}]
    refused = await drafts.create(api, staff_token, lines=lines, discount={"reason": "", "percentage": "101"})
    assert sorted(error["field"][-1] for error in refused["userErrors"]) == [
        "percentage", "quantity", "reason", "title", "unitPrice",
    ]  # fmt: skip
    euros = {"amount": "5", "currencyCode": "EUR"}
    refused = await drafts.create(api, staff_token, lines=[{"title": "X", "quantity": 1, "unitPrice": euros}])
    assert [error["code"] for error in refused["userErrors"]] == ["INVALID"]
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0
    draft = await drafts.created(
        api, staff_token, lines=[{"variantId": product.variant_gid, "quantity": 2}], email=None, shippingAddress=None
    )
    unsent = await drafts.send(api, staff_token, draft["id"])
    assert [error["message"] for error in unsent["userErrors"]] == [
        "Say where it goes.",
        "Say how it is shipped, and for how much.",
        "Say whom it is for: an email address or a phone number.",
    ]
    ready = await drafts.created(
        api,
        staff_token,
        lines=[{"variantId": product.variant_gid, "quantity": 2}],
        shipping={"title": "Van", "price": drafts.usd("0")},
    )
    short = await drafts.marked_complete(api, staff_token, ready["id"])
    assert [error["code"] for error in short["userErrors"]] == ["INSUFFICIENT_STOCK"]
    assert await db.fetchval("SELECT available FROM stock_levels") == 1


async def test_a_draft_is_deleted_until_it_is_an_order(api: Api, staff_token: str) -> None:
    draft = await drafts.created(api, staff_token)
    token = await drafts.sent(api, staff_token, draft["id"])
    assert (await drafts.deleted(api, staff_token, draft["id"]))["userErrors"] == []
    assert await drafts.opened(api, token) is None
    kept = await drafts.created(api, staff_token)
    await drafts.marked_complete(api, staff_token, kept["id"])
    refused = await drafts.deleted(api, staff_token, kept["id"])
    assert [error["code"] for error in refused["userErrors"]] == ["DRAFT_ORDER_NOT_OPEN"]


async def test_a_buyer_says_no(api: Api, staff_token: str) -> None:
    token = await drafts.sent(api, staff_token, (await drafts.created(api, staff_token))["id"])
    declined = await drafts.declined(api, token, "Too dear")
    assert (declined["draftOrder"]["state"], declined["draftOrder"]["reply"]) == ("DECLINED", "Too dear")
    refused = await drafts.complete(api, token, payment=checkout.CARD)
    assert [error["code"] for error in refused["userErrors"]] == ["DRAFT_ORDER_NOT_OPEN"]


async def test_a_deposit_lets_the_goods_go_and_a_guarantee_is_confirmed(api: Api, staff_token: str) -> None:
    sweater = await catalogue.product(stock=3)
    draft = await drafts.created(
        api,
        staff_token,
        lines=[{"variantId": sweater.variant_gid, "quantity": 1, "unitPrice": drafts.usd("100")}],
        shipping={"title": "Van", "price": drafts.usd("0")},
        deposit=drafts.usd("30"),
        needsGuarantee=True,
    )
    done = await drafts.marked_complete(api, staff_token, draft["id"], daysToPay=30)
    order = {"orderId": done["draftOrder"]["orderId"]}
    assert await drafts.holds(api, staff_token, order["orderId"]) == ["DEPOSIT", "GUARANTEE"]
    held = await drafts.ship(api, staff_token, order["orderId"])
    assert [error["code"] for error in held] == ["ORDER_ON_HOLD"]
    assert await db.fetchval("SELECT count(*) FROM fulfillments") == 0
    order_id = await db.fetchval("SELECT id FROM orders")
    async with db.unit_of_work():
        await payments.record_by_hand(order_id, 2999, "USD", PaymentMethod.BANK_TRANSFER)
    assert await drafts.holds(api, staff_token, order["orderId"]) == ["DEPOSIT", "GUARANTEE"]
    async with db.unit_of_work():
        await payments.record_by_hand(order_id, 1, "USD", PaymentMethod.BANK_TRANSFER)
    assert await drafts.holds(api, staff_token, order["orderId"]) == ["GUARANTEE"]
    release = """mutation ($orderId: ID!, $reason: String!) {
        orderHoldRelease(orderId: $orderId, hold: GUARANTEE, reason: $reason) { userErrors { code field } }
    }"""
    refused = await drafts.ok(api, release, {**order, "reason": " "}, token=staff_token)
    assert refused["orderHoldRelease"]["userErrors"] == [{"code": "REQUIRED", "field": ["reason"]}]
    await api.ok(release, {**order, "reason": "The bank wrote"}, token=staff_token)
    assert await drafts.holds(api, staff_token, order["orderId"]) == []
    assert await drafts.ship(api, staff_token, order["orderId"]) == []
    told = await db.fetch("SELECT reason FROM order_events WHERE reason IS NOT NULL")
    assert [row["reason"] for row in told] == ["The bank wrote"]


async def test_a_shop_without_a_front_end_has_a_page_for_the_link(api: Api, staff_token: str) -> None:
    draft = await drafts.created(api, staff_token)
    link = await drafts.sent(api, staff_token, draft["id"])
    shown = await api.http.get(f"/offers/{link}")
    assert (shown.status_code, "50.00" in shown.text, "Workshop" in shown.text) == (200, True, True)
    refused = await api.http.post(f"/offers/{link}", data={"method": "CARD"})
    assert refused.status_code == 422
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    declined = await api.http.post(f"/offers/{link}", data={"decline": "1"})
    assert declined.status_code == 200
    assert await db.fetchval("SELECT state FROM draft_orders") == "DECLINED"
    assert (await api.http.get(f"/offers/{link}")).status_code == 410
    assert (await api.http.get("/offers/nobodys")).status_code == 404

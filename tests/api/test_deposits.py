"""Deposits: paid first, by the link or noted by staff; goods wait for exactly so much, and the rest is due later."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import catalogue, checkout, deposits, drafts
from tests.factories.deposits import stands

Drain = Callable[[], Awaitable[None]]
VAN = {"title": "Van", "price": drafts.usd("0")}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def hundred(api: Api, token: str, **more: Any) -> dict[str, Any]:
    """A draft of a sweater at 100.00 that ships for nothing."""
    sweater = await catalogue.product(stock=3)
    line = {"variantId": sweater.variant_gid, "quantity": 1, "unitPrice": drafts.usd("100")}
    return await drafts.created(api, token, lines=[line], shipping=VAN, **more)


async def asked_of_gateway() -> list[tuple[int, int]]:
    rows = await db.fetch("SELECT amount_minor, captured_minor FROM test_gateway_payments ORDER BY created_at")
    return [(row["amount_minor"], row["captured_minor"]) for row in rows]


@pytest.mark.parametrize("given", [{"deposit": drafts.usd("30")}, {"depositPercentage": "30"}])
async def test_the_link_takes_the_deposit_and_the_rest_is_due(
    api: Api, staff_token: str, drain: Drain, given: dict[str, Any]
) -> None:
    link = await drafts.sent(api, staff_token, (await hundred(api, staff_token, **given))["id"])
    bought = await drafts.complete(api, link, payment=checkout.CARD, expectedTotal=drafts.usd("100"))
    assert bought["userErrors"] == []
    assert bought["order"]["paymentStatus"] == "PARTIALLY_PAID"
    order_id = bought["order"]["id"]
    await drain()
    confirmed = await db.fetchval("SELECT content FROM dev_messages WHERE template = 'order_confirmation'")
    assert b"Still to pay: $70.00" in confirmed
    assert await asked_of_gateway() == [(3000, 3000)]
    assert await db.fetchval("SELECT purpose FROM payments") == "DEPOSIT"
    # The deposit lets the goods go; what is left is still owed.
    assert stands(await deposits.order(api, staff_token, order_id)) == ("PARTIALLY_PAID", "70.00", [])
    assert await db.fetchval("SELECT amount_minor FROM order_conditions WHERE met_at IS NOT NULL") == 3000
    assert await drafts.ship(api, staff_token, order_id) == []
    await drain()
    assert await asked_of_gateway() == [(3000, 3000)], "the goods that left take no more than was agreed to"
    paid = await deposits.pay(api, bought)
    assert stands(paid["order"]) == ("PAID", "0.00", [])
    assert await asked_of_gateway() == [(3000, 3000), (7000, 7000)]
    assert (await deposits.order(api, staff_token, order_id))["status"] == "COMPLETED"
    await drain()
    assert await invariants.check() == []


async def test_a_deposit_that_the_buyer_confirms_at_the_providers(api: Api, staff_token: str, drain: Drain) -> None:
    link = await drafts.sent(api, staff_token, (await hundred(api, staff_token, deposit=drafts.usd("30")))["id"])
    waiting = await drafts.complete(api, link, key="one", payment={"method": "PAYPAL"})
    await api.http.post(waiting["paymentAction"]["url"], data={"decision": "approve"})
    bought = await drafts.complete(api, link, key="one", payment={"method": "PAYPAL"})
    order_id = bought["order"]["id"]
    await drain()
    assert stands(await deposits.order(api, staff_token, order_id)) == ("PARTIALLY_PAID", "70.00", [])
    assert await invariants.check() == []


async def test_the_rest_is_due_by_a_date(api: Api, staff_token: str, advance: Callable[[str], Awaitable[None]]) -> None:
    terms = {"depositPercentage": "30", "daysToPay": 10}
    link = await drafts.sent(api, staff_token, (await hundred(api, staff_token, **terms))["id"])
    assert (await drafts.complete(api, link, payment=checkout.CARD))["userErrors"] == []
    overdue = "{ orders(paymentOverdue: true) { totalCount } }"
    assert (await api.ok(overdue, token=staff_token))["orders"]["totalCount"] == 0
    await advance("P11D")
    assert (await api.ok(overdue, token=staff_token))["orders"]["totalCount"] == 1
    refused = await drafts.create(api, staff_token, daysToPay=366)
    assert codes(refused) == ["OUT_OF_RANGE"]


async def test_a_declined_deposit_places_nothing(api: Api, staff_token: str) -> None:
    link = await drafts.sent(api, staff_token, (await hundred(api, staff_token, deposit=drafts.usd("30")))["id"])
    refused = await drafts.complete(api, link, payment={**checkout.CARD, "token": "tok_declined"})
    assert codes(refused) == ["PAYMENT_DECLINED"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    assert await db.fetchval("SELECT available FROM stock_levels") == 3


async def test_a_deposit_is_not_paid_when_the_goods_have_come(api: Api, staff_token: str) -> None:
    link = await drafts.sent(api, staff_token, (await hundred(api, staff_token, deposit=drafts.usd("30")))["id"])
    assert codes(await drafts.complete(api, link, payment=checkout.CASH)) == ["PAYMENT_METHOD_UNAVAILABLE"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"deposit": drafts.usd("50.01")}, "OUT_OF_RANGE"),
        ({"deposit": drafts.usd("0")}, "OUT_OF_RANGE"),
        ({"depositPercentage": "0"}, "OUT_OF_RANGE"),
        ({"depositPercentage": "100.01"}, "OUT_OF_RANGE"),
        ({"deposit": drafts.usd("5"), "depositPercentage": "10"}, "INVALID"),
    ],
)
async def test_what_is_no_deposit(api: Api, staff_token: str, given: dict[str, Any], code: str) -> None:
    assert codes(await drafts.create(api, staff_token, **given)) == [code]
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0


async def test_staff_note_a_part_once_and_never_too_much(api: Api, staff_token: str, drain: Drain) -> None:
    draft = await hundred(api, staff_token, deposit=drafts.usd("30"))
    done = await drafts.marked_complete(
        api, staff_token, draft["id"], paidBy="CASH_ON_DELIVERY", amount=drafts.usd("10")
    )
    order_id = done["draftOrder"]["orderId"]
    assert stands(await deposits.order(api, staff_token, order_id)) == ("PARTIALLY_PAID", "90.00", ["DEPOSIT"])
    assert [error["code"] for error in await drafts.ship(api, staff_token, order_id)] == ["ORDER_ON_HOLD"]
    for amount, code in (("90.01", "OUT_OF_RANGE"), ("0", "OUT_OF_RANGE")):
        assert codes(await deposits.note(api, staff_token, order_id, amount)) == [code]
    euros = {"amount": "5", "currencyCode": "EUR"}
    assert codes(await deposits.note(api, staff_token, order_id, given_amount=euros)) == ["INVALID"]
    assert codes(await deposits.note(api, staff_token, order_id, "5", method="PAYPAL")) == ["INVALID"]
    assert await db.fetchval("SELECT count(*) FROM payments") == 1
    # Nineteen more are a cent short of the deposit, and the cent releases it.
    for _ in range(2):
        noted = await deposits.note(api, staff_token, order_id, "19.99", idempotencyKey="one", reference="Statement 44")
        assert stands(noted["order"]) == ("PARTIALLY_PAID", "70.01", ["DEPOSIT"])
    assert codes(await deposits.note(api, staff_token, order_id, "5", idempotencyKey="one")) == [
        "IDEMPOTENCY_KEY_REUSED"
    ]
    assert stands((await deposits.note(api, staff_token, order_id, "0.01"))["order"])[2] == []
    assert await db.fetchval("SELECT state FROM payment_requests") == "PAID"
    assert stands((await deposits.note(api, staff_token, order_id))["order"]) == ("PAID", "0.00", [])
    assert codes(await deposits.note(api, staff_token, order_id)) == ["PAYMENT_NOT_DUE"]
    told = (await deposits.order(api, staff_token, order_id))["timeline"]
    assert ("NOTE_ADDED", "Statement 44") in [(event["type"], event["reason"]) for event in told]
    assert [event["type"] for event in told].count("PAYMENT_CHANGED") == 4
    assert await db.fetchval("SELECT sum(captured_minor)::int FROM payments") == 10_000
    await drain()
    confirmed = await db.fetchval("SELECT content FROM dev_messages WHERE template = 'order_confirmation'")
    assert b"Payment in cash" in confirmed
    assert await invariants.check() == []


async def test_the_buyer_pays_the_deposit_of_what_staff_placed(api: Api, staff_token: str) -> None:
    draft = await hundred(api, staff_token, deposit=drafts.usd("30"))
    done = await drafts.marked_complete(api, staff_token, draft["id"], daysToPay=30)
    order_id = done["draftOrder"]["orderId"]
    bought = {"order": {"id": order_id}, "orderToken": await checkout.order_token(order_id)}
    assert stands((await deposits.pay(api, bought))["order"]) == ("PARTIALLY_PAID", "70.00", [])
    assert stands((await deposits.pay(api, bought))["order"]) == ("PAID", "0.00", [])
    assert await asked_of_gateway() == [(3000, 3000), (7000, 7000)]
    assert await invariants.check() == []


async def test_ten_members_of_staff_note_the_same_money_at_once(api: Api, staff_token: str) -> None:
    done = await drafts.marked_complete(api, staff_token, (await hundred(api, staff_token))["id"])
    order_id = done["draftOrder"]["orderId"]
    noted = await asyncio.gather(*(deposits.note(api, staff_token, order_id, "40") for _ in range(10)))
    assert sorted(code for payload in noted for code in codes(payload)) == ["OUT_OF_RANGE"] * 8
    assert await db.fetchval("SELECT sum(captured_minor)::int FROM payments") == 8_000


async def test_a_part_of_what_is_paid_at_the_door_is_noted(api: Api, staff_token: str, drain: Drain) -> None:
    bought = await checkout.placed(api, (await catalogue.product(stock=1), 1), payment=checkout.CASH)
    order_id = bought["order"]["id"]
    assert (await deposits.note(api, staff_token, order_id, "5"))["order"]["paymentStatus"] == "PARTIALLY_PAID"
    pending = "SELECT amount_minor FROM payments WHERE state = 'PENDING'"
    total = await db.fetchval("SELECT total_minor FROM orders")
    assert await db.fetchval(pending) == total - 500
    assert await invariants.check() == []
    await api.ok("mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }", {"id": order_id},
                 token=staff_token)  # fmt: skip
    assert await db.fetchval("SELECT sum(captured_minor)::bigint FROM payments") == total
    assert await invariants.check() == []


async def test_what_waits_for_the_buyer_is_called_off(api: Api, staff_token: str, drain: Drain) -> None:
    bought = await checkout.placed(api, (await catalogue.product(stock=1), 1), payment=checkout.CASH)
    waiting = await deposits.pay(api, bought, payment={"method": "PAYPAL"}, idempotencyKey="one")
    assert waiting["paymentAction"]["type"] == "REDIRECT"
    assert (await deposits.note(api, staff_token, bought["order"]["id"]))["order"]["paymentStatus"] == "PAID"
    await api.http.post(waiting["paymentAction"]["url"], data={"decision": "approve"})
    again = await deposits.pay(api, bought, payment={"method": "PAYPAL"}, idempotencyKey="one")
    assert codes(again) == ["PAYMENT_NOT_COMPLETED"]
    await drain()
    total = await db.fetchval("SELECT total_minor FROM orders")
    kept = "SELECT sum(captured_minor - refunded_minor)::bigint FROM payments"
    assert await db.fetchval(kept) == total
    assert await invariants.check() == []


async def test_a_transfer_of_a_part_keeps_the_order(
    api: Api, staff_token: str, drain: Drain, advance: Callable[[str], Awaitable[None]]
) -> None:
    """Nobody but staff decides about an order that has some of its money."""
    change = "mutation ($input: PaymentSettingsInput!) { paymentSettingsUpdate(input: $input) { userErrors { code } } }"
    account = {"bankTransfer": True, "bankAccountHolder": "Tradewind", "bankIban": "DE89 3704 0044 0532 0130 00"}
    await api.ok(change, {"input": account}, token=staff_token)
    bought = await checkout.placed(api, (await catalogue.product(stock=1), 1), payment={"method": "BANK_TRANSFER"})
    order_id = bought["order"]["id"]
    assert (await deposits.note(api, staff_token, order_id, "5"))["userErrors"] == []
    await advance("P20D")
    order = await deposits.order(api, staff_token, order_id)
    assert (order["status"], order["paymentStatus"]) == ("OPEN", "PARTIALLY_PAID")
    over = "SELECT acknowledged_at IS NOT NULL AS handled FROM events WHERE type = 'payment.transfer_time_over'"
    assert await db.fetchval(over), "and it is not tried again and again"
    assert (await deposits.note(api, staff_token, order_id))["order"]["paymentStatus"] == "PAID"
    await drain()
    assert await invariants.check() == []

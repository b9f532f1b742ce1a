"""Cancelling an order with everything it can be paid by: stock, uses, money and invoice go back, or stay as is said."""

import email
import email.policy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.payments import capturing, credit
from app.payments.models import RefundState
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import (
    accounts,
    catalogue,
    checkout,
    companies,
    discounts,
    fulfillments,
    gift_cards,
    refunds,
    staff,
)
from tests.factories.orders import Bought, bought, cancel

Drain = Callable[[], Awaitable[None]]

ON_ACCOUNT = {"method": "PURCHASE_ORDER", "purchaseOrderNumber": "PO-7"}
PAID = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def ended(api: Api, token: str, order: Bought, drain: Drain, **given: Any) -> dict[str, Any]:
    """The order, cancelled, once all that follows is done."""
    payload = await cancel(api, token, order.gid, **given)
    assert payload["userErrors"] == []
    await drain()
    assert await invariants.check() == []
    row = await db.fetchrow("SELECT status, payment_status FROM orders WHERE id = $1", order.id)
    assert row is not None
    return {"said": payload["order"], "status": row["status"], "paymentStatus": row["payment_status"]}


async def parts() -> list[tuple[str, int]]:
    """What has gone back, through payments, or (STORED) not."""
    rows = await db.fetch("SELECT payment_id, amount_minor, state FROM refund_parts ORDER BY amount_minor")
    assert {row["state"] for row in rows} <= {RefundState.SUCCEEDED.value}
    return [("PAYMENT" if row["payment_id"] else "STORED", row["amount_minor"]) for row in rows]


async def level(variant_id: object) -> tuple[int, int]:
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels WHERE variant_id = $1", variant_id)
    assert row is not None
    return row["available"], row["reserved"]


async def test_gift_cards_and_codes_are_back_and_what_is_set_aside_is_let_go_of(
    api: Api, staff_token: str, drain: Drain
) -> None:
    """2 x 20.00 less 10 % and shipping of 5.99 are 41.99: 15.00 of it from a card, 26.99 set aside."""
    await discounts.discount("TEN", usage_limit=1)
    card, lamp = await gift_cards.gift_card(1500), await catalogue.product(price_minor=2000, stock=5)
    order = await bought(api, (lamp, 2), codes=["TEN"], cards=[card.code])
    assert (await gift_cards.balance(card.id), await level(lamp.variant_id)) == (0, (3, 2))
    after = await ended(api, staff_token, order, drain)
    assert (after["status"], after["paymentStatus"]) == ("CANCELLED", "REFUNDED")
    assert await gift_cards.balance(card.id) == 1500
    assert (await parts(), await level(lamp.variant_id)) == ([("STORED", 1500)], (5, 0))
    assert await db.fetchval("SELECT state FROM test_gateway_payments") == "VOIDED"
    assert await db.fetchval("SELECT used_count FROM discounts") == 0
    again = await bought(api, (lamp, 1), codes=["TEN"])
    assert await db.fetchval("SELECT discount_minor FROM orders WHERE id = $1", again.id) == 200
    assert await db.fetchval("SELECT count(*) FROM invoices WHERE kind = 'CREDIT_NOTE'") == 1


async def test_money_goes_to_the_account_where_that_is_said(api: Api, staff_token: str, drain: Drain) -> None:
    """Collected and in part paid with store credit: all of it is store credit then."""
    account, lamp = await accounts.signed_in(), await catalogue.product(price_minor=2000, stock=5)
    credit = await gift_cards.store_credit(account.id, 500)
    order = await bought(api, (lamp, 1), account=account.token, spends_credit=True, payment=checkout.CASH)
    await api.ok(PAID, {"id": order.gid}, token=staff_token)
    after = await ended(api, staff_token, order, drain, refundTo="STORE_CREDIT")
    assert after["paymentStatus"] == "REFUNDED"
    assert [(one["to"], one["amount"]["amount"]) for one in after["said"]["refunds"]] == [("STORE_CREDIT", "25.99")]
    assert await gift_cards.balance(credit) == 2599


async def test_what_is_kept_is_what_was_taken_and_no_card(api: Api, staff_token: str, drain: Drain) -> None:
    card, lamp = await gift_cards.gift_card(500), await catalogue.product(price_minor=2000, stock=5)
    order = await bought(api, (lamp, 1), cards=[card.code], payment=checkout.CASH)
    await api.ok(PAID, {"id": order.gid}, token=staff_token)
    after = await ended(api, staff_token, order, drain, refund=False)
    assert after["paymentStatus"] == "PARTIALLY_REFUNDED"
    assert (await parts(), await gift_cards.balance(card.id)) == ([("STORED", 500)], 500)


async def test_units_that_are_lost_are_not_sold_again(api: Api, staff_token: str, drain: Drain) -> None:
    lamp = await catalogue.product(price_minor=2000, stock=2, inventory_policy="CONTINUE")
    order = await bought(api, (lamp, 3), payment=checkout.CASH)
    await ended(api, staff_token, order, drain, restock=False)
    row = await db.fetchrow("SELECT available, reserved, backordered FROM stock_levels")
    assert row is not None
    assert tuple(row.values()) == (0, 0, 0), "two have burned, and nobody waits for the third"
    other = await bought(api, (lamp, 1), payment=checkout.CASH)
    await ended(api, staff_token, other, drain)
    row = await db.fetchrow("SELECT available, reserved, backordered FROM stock_levels")
    assert row is not None
    assert tuple(row.values()) == (0, 0, 0), "what was owed alone is owed no more"


async def test_the_customer_is_told_unless_staff_say_not_and_reads_no_note(
    api: Api, staff_token: str, drain: Drain
) -> None:
    for told in (True, False):
        lamp = await catalogue.product(price_minor=2000)
        order = await bought(api, (lamp, 1), payment=checkout.CASH)
        await api.ok(PAID, {"id": order.gid}, token=staff_token)
        note = "Called; was rude."
        await ended(api, staff_token, order, drain, refund=True, notifyCustomer=told, reason="Broken", staffNote=note)
        sent = await db.fetch("SELECT template FROM messages WHERE order_id = $1 ORDER BY template", order.id)
        expected = ["order_cancelled", "order_confirmation"] if told else ["order_confirmation"]
        assert [row["template"] for row in sent] == expected
        contents = await db.fetch("SELECT content FROM dev_messages ORDER BY id DESC")
        assert all(note.encode() not in row["content"] for row in contents)
        if told:
            text = written(contents[0]["content"])
            assert "was cancelled" in text
            assert "We give back $25.99 of what you have paid. It goes back the way it came." in text
        timeline = "query ($id: ID!) { order(id: $id) { cancelReason timeline { type reason } } }"
        seen = (await api.ok(timeline, {"id": order.gid}, token=staff_token))["order"]
        assert (seen["cancelReason"], {"type": "NOTE_ADDED", "reason": note} in seen["timeline"]) == ("Broken", True)


async def test_a_refund_alone_is_told_of(api: Api, staff_token: str, drain: Drain) -> None:
    order = await bought(api, (await catalogue.product(price_minor=2000), 1), payment=checkout.CASH)
    await api.ok(PAID, {"id": order.gid}, token=staff_token)
    assert (await refunds.create(api, staff_token, order.gid, amount=refunds.usd("5.00")))["userErrors"] == []
    await drain()
    sent = await db.fetch("SELECT template FROM messages WHERE order_id = $1 ORDER BY template", order.id)
    assert [row["template"] for row in sent] == ["order_confirmation", "order_refunded"]
    # What is left goes back with the order, and the mail names no more than that.
    await ended(api, staff_token, order, drain, refund=True)
    sent = await db.fetch("SELECT template FROM messages WHERE order_id = $1 ORDER BY template", order.id)
    assert [row["template"] for row in sent] == ["order_cancelled", "order_confirmation", "order_refunded"]
    contents = await db.fetch("SELECT content FROM dev_messages ORDER BY id DESC LIMIT 1")
    assert "We give back $20.99" in written(contents[0]["content"])


def written(raw: bytes) -> str:
    """A mail's plain text in one line."""
    body = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


async def test_an_order_on_account_owes_nothing_any_more(api: Api, staff_token: str, drain: Drain) -> None:
    buyer, lamp = await accounts.signed_in("buyer@acme.example"), await catalogue.product(price_minor=2000, stock=9)
    company_id = await companies.company(credit_limit_minor=3000)
    await companies.member(company_id, buyer.id)
    account = {"account": buyer.token, "company": company_id, "payment": ON_ACCOUNT}
    order = await bought(api, (lamp, 1), **account)
    assert await credit.owed_by(company_id, "USD") == 2599
    after = await ended(api, staff_token, order, drain)
    assert (after["paymentStatus"], await credit.owed_by(company_id, "USD")) == ("VOIDED", 0)
    await bought(api, (lamp, 1), **account)


async def test_a_transfer_that_has_not_come_is_not_waited_for(api: Api, staff_token: str, drain: Drain) -> None:
    settings = """mutation ($input: PaymentSettingsInput!) { paymentSettingsUpdate(input: $input) {
        userErrors { code } } }"""
    given = {"bankTransfer": True, "bankAccountHolder": "Shop", "bankIban": "DE89 3704 0044 0532 0130 00"}
    await api.ok(settings, {"input": given}, token=staff_token)
    order = await bought(api, (await catalogue.product(), 1), payment={"method": "BANK_TRANSFER"})
    after = await ended(api, staff_token, order, drain)
    assert (after["paymentStatus"], await parts()) == ("VOIDED", [])
    transfer = "query ($id: ID!) { order(id: $id) { bankTransfer { reference } } }"
    assert (await api.ok(transfer, {"id": order.gid}, token=staff_token))["order"]["bankTransfer"] is None


async def test_what_was_captured_in_part_goes_back_and_the_rest_is_let_go_of(
    api: Api, staff_token: str, drain: Drain
) -> None:
    """The seats of a course are due at once, the lamp once it leaves."""
    lamp, seat = (
        await catalogue.product(price_minor=2000),
        await catalogue.product(price_minor=1000, kind="SERVICE", requires_shipping=False),
    )
    order = await bought(api, (lamp, 2), (seat, 1))
    async with db.unit_of_work():
        await capturing.want_capture(order.id)
    await drain()
    assert await db.fetchval("SELECT payment_status FROM orders") == "PARTIALLY_PAID"
    refused = await cancel(api, staff_token, order.gid)
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("PAYMENT_CAPTURED", ["orderId"])]
    after = await ended(api, staff_token, order, drain, refund=True)
    assert (after["paymentStatus"], await parts()) == ("REFUNDED", [("PAYMENT", 1599)])
    row = await db.fetchrow("SELECT state, captured_minor, refunded_minor FROM payments")
    assert row is not None
    assert tuple(row.values()) == ("CAPTURED", 1599, 1599)


async def test_refusals_change_nothing(api: Api, staff_token: str, drain: Drain) -> None:
    lamp = await catalogue.product(price_minor=2000, stock=9)
    paid = await bought(api, (lamp, 1), payment=checkout.CASH)
    await api.ok(PAID, {"id": paid.gid}, token=staff_token)
    part = await bought(api, (lamp, 2))
    await fulfillments.fulfill(api, staff_token, part.gid, lines=[{"orderLineId": part.lines[0], "quantity": 1}])
    await drain()
    footprint = await checkout.footprint()
    rows = await db.fetch("SELECT * FROM orders ORDER BY id")
    weak = await staff.signed_in({Permission.ORDERS_WRITE, Permission.ORDERS_READ})
    reader = await staff.signed_in({Permission.ORDERS_READ, Permission.REFUNDS_WRITE})
    cases: list[tuple[str, Bought, dict[str, Any], str, list[str] | None]] = [
        (staff_token, paid, {}, "PAYMENT_CAPTURED", ["orderId"]),
        (staff_token, paid, {"refundTo": "STORE_CREDIT"}, "STORE_CREDIT_UNAVAILABLE", ["refundTo"]),
        (staff_token, paid, {"refund": False, "refundTo": "ORIGINAL"}, "INVALID", ["refundTo"]),
        (staff_token, paid, {"refund": True, "reason": "x" * 501}, "TOO_LONG", ["reason"]),
        (staff_token, paid, {"refund": True, "staffNote": "x" * 2001}, "TOO_LONG", ["staffNote"]),
        (staff_token, part, {"refund": True}, "ORDER_FULFILLED", ["orderId"]),
        (weak, paid, {"refund": True}, "FORBIDDEN", None),
        (weak, paid, {"refundTo": "ORIGINAL"}, "FORBIDDEN", None),
        (reader, paid, {"refund": True}, "FORBIDDEN", None),
    ]
    for token, order, given, code, field in cases:
        payload = await cancel(api, token, order.gid, **given)
        assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)], given
    assert await db.fetch("SELECT * FROM orders ORDER BY id") == rows
    assert await checkout.footprint() == footprint

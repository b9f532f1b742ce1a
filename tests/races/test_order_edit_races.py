"""An edit of an order meets a shipment, a capture, a cancellation and another edit: one of them comes first."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.payments import capturing, credit
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies, fulfillments, orders, refunds
from tests.factories.orders import edit

Drain = Callable[[], Awaitable[None]]

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id, refund: true) { userErrors { code } } }"
NOT_ANY_MORE = {"LINE_NOT_EDITABLE", "ORDER_NOT_EDITABLE", "PAYMENT_IN_PROGRESS", "CONFLICT"}
ROUNDS = 3


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def ordered(api: Api, **more: Any) -> tuple[str, str]:
    """Three units at 20.00, of twenty."""
    lamp = await catalogue.product(price_minor=2000, stock=20)
    order_gid = (await checkout.placed(api, (lamp, 3), **more))["order"]["id"]
    line_id = await db.fetchval("SELECT id FROM order_lines WHERE order_id = $1", uuid.UUID(order_gid[4:]))
    return order_gid, f"oline_{line_id.hex}"


def codes(payload: dict[str, Any]) -> set[str]:
    return {error["code"] for error in payload["userErrors"]}


async def test_two_edits_follow_each_other(api: Api, staff_token: str, drain: Drain) -> None:
    order_gid, line = await ordered(api, payment=checkout.CASH)
    rug = await catalogue.product(price_minor=100, stock=20)
    edits = [
        edit(api, staff_token, order_gid, addLines=[{"variantId": rug.variant_gid, "quantity": 1}]) for _ in range(3)
    ]
    assert [codes(payload) for payload in await asyncio.gather(*edits)] == [set()] * 3
    total, edited = (
        await db.fetchval("SELECT total_minor FROM orders"),
        await db.fetchval("SELECT count(*) FROM order_edits"),
    )
    assert (total, edited) == (6599 + 300, 3)
    await drain()
    assert await invariants.check() == []
    assert await db.fetchval("SELECT available FROM stock_levels WHERE variant_id = $1", rug.variant_id) == 17

    known = await db.fetchval("SELECT updated_at FROM orders")
    edits = [
        edit(
            api,
            staff_token,
            order_gid,
            expectedUpdatedAt=known.isoformat(),
            lines=[{"orderLineId": line, "quantity": quantity}],
        )
        for quantity in (1, 2)
    ]
    assert sorted(map(sorted, map(codes, await asyncio.gather(*edits)))) == [[], ["CONFLICT"]]
    await drain()
    assert await invariants.check() == []
    rows = await db.fetch("SELECT kind, array_agg(sequence ORDER BY sequence) AS taken FROM invoices GROUP BY kind")
    taken = {row["kind"]: list(row["taken"]) for row in rows}
    assert taken["CREDIT_NOTE"] == taken["INVOICE"][:-1], "each but the one that holds is credited"
    assert taken["INVOICE"] == list(range(1, len(taken["INVOICE"]) + 1)), "and no number is left out"
    held = "SELECT total_minor FROM invoices WHERE kind = 'INVOICE' ORDER BY id DESC LIMIT 1"
    assert await db.fetchval(held) == await db.fetchval("SELECT total_minor FROM orders")


async def test_an_edit_meets_a_shipment(api: Api, staff_token: str, drain: Drain) -> None:
    for _ in range(ROUNDS):
        order_gid, line = await ordered(api)
        edited, shipped = await asyncio.gather(
            edit(api, staff_token, order_gid, lines=[{"orderLineId": line, "quantity": 1}]),
            fulfillments.fulfill(api, staff_token, order_gid),
        )
        assert codes(edited) <= NOT_ANY_MORE
        await drain()
        assert await invariants.check() == []
        row = await db.fetchrow("SELECT quantity, fulfilled_quantity FROM order_lines ORDER BY id DESC LIMIT 1")
        assert row is not None
        assert (row["quantity"], row["fulfilled_quantity"]) == ((3, 3) if codes(edited) else (1, 1))
        captured = await db.fetchval("SELECT captured_minor FROM payments ORDER BY id DESC LIMIT 1")
        assert captured == 599 + 2000 * row["quantity"]
        assert shipped["id"]


async def test_an_edit_meets_a_capture(api: Api, staff_token: str, drain: Drain) -> None:
    for _ in range(ROUNDS):
        order_gid, line = await ordered(api)
        order_id = uuid.UUID(order_gid[4:])

        async def capture(order_id: uuid.UUID = order_id) -> None:
            async with db.unit_of_work():
                await db.execute("SELECT FROM orders WHERE id = $1 FOR NO KEY UPDATE", order_id)
                await capturing.want_capture(order_id, everything=True)
            await drain()

        edited, _ = await asyncio.gather(
            edit(api, staff_token, order_gid, lines=[{"orderLineId": line, "quantity": 2}]), capture()
        )
        assert codes(edited) <= NOT_ANY_MORE
        await drain()
        assert await invariants.check() == []
        kept = await db.fetchval("SELECT captured_minor - refunded_minor FROM payments WHERE order_id = $1", order_id)
        assert kept == (6599 if codes(edited) else 4599)


async def test_an_edit_meets_a_cancellation(api: Api, staff_token: str, drain: Drain) -> None:
    for _ in range(ROUNDS):
        order_gid, line = await ordered(api)
        edited, cancelled = await asyncio.gather(
            edit(api, staff_token, order_gid, lines=[{"orderLineId": line, "quantity": 5}]),
            api.ok(CANCEL, {"id": order_gid}, token=staff_token),
        )
        assert codes(edited) <= NOT_ANY_MORE
        assert cancelled["orderCancel"]["userErrors"] == []
        await drain()
        assert await invariants.check() == []
    assert await db.fetchval("SELECT sum(available) FROM stock_levels") == 20 * ROUNDS
    assert await db.fetchval("SELECT count(*) FROM payment_requests WHERE state = 'OPEN'") == 0


PAID = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"


async def test_an_edit_meets_the_payment_of_the_balance(api: Api, staff_token: str, drain: Drain) -> None:
    """25.99 are set aside and 40.00 are asked for when it becomes one unit again, and the buyer pays at that moment."""
    lamp = await catalogue.product(price_minor=2000, stock=20)
    for _ in range(ROUNDS):
        order = await orders.bought(api, (lamp, 1))
        lines = [{"orderLineId": order.lines[0], "quantity": 3}]
        assert codes(await edit(api, staff_token, order.gid, lines=lines)) == set()
        lines = [{"orderLineId": order.lines[0], "quantity": 1}]
        edited, paid = await asyncio.gather(edit(api, staff_token, order.gid, lines=lines), orders.pay(api, order))
        assert codes(edited) <= NOT_ANY_MORE
        assert set(orders.codes(paid)) <= {"PAYMENT_NOT_DUE", "IN_PROGRESS"}
        await drain()
        stood = await orders.stands(api, staff_token, order.gid)
        total = "65.99" if codes(edited) else "25.99"
        assert (stood["cost"]["total"]["amount"], stood["outstanding"]["amount"]) == (total, "0.00")


async def test_an_edit_meets_the_word_that_the_money_came(api: Api, staff_token: str, drain: Drain) -> None:
    for _ in range(ROUNDS):
        order_gid, line = await ordered(api, payment=checkout.CASH)
        edited, _ = await asyncio.gather(
            edit(api, staff_token, order_gid, lines=[{"orderLineId": line, "quantity": 1}]),
            api.ok(PAID, {"id": order_gid}, token=staff_token),
        )
        assert codes(edited) == set()
        await drain()
        stood = await orders.stands(api, staff_token, order_gid)
        assert (stood["cost"]["total"]["amount"], stood["outstanding"]["amount"]) == ("25.99", "0.00")
        assert stood["paymentStatus"] in {"PAID", "PARTIALLY_REFUNDED"}


async def test_an_edit_meets_a_refund(api: Api, staff_token: str, drain: Drain) -> None:
    """Whichever comes first, no more goes back than was paid."""
    for _ in range(ROUNDS):
        order_gid, line = await ordered(api, payment=checkout.CASH)
        await api.ok(PAID, {"id": order_gid}, token=staff_token)
        edited, refunded = await asyncio.gather(
            edit(api, staff_token, order_gid, lines=[{"orderLineId": line, "quantity": 1}]),
            refunds.create(api, staff_token, order_gid, amount=refunds.usd("60")),
        )
        assert codes(edited) <= {"ORDER_NOT_EDITABLE"}
        assert codes(refunded) <= {"REFUND_TOO_LARGE"}
        assert bool(codes(edited)) is not bool(codes(refunded))
        await drain()
        assert await invariants.check() == []
        back = await db.fetchval("SELECT refunded_minor FROM payments ORDER BY id DESC LIMIT 1")
        assert back == (6000 if codes(edited) else 4000)


async def test_two_orders_of_a_company_do_not_exceed_its_limit_by_edits(
    api: Api, staff_token: str, drain: Drain
) -> None:
    buyer, company_id = await accounts.signed_in(), await companies.company(credit_limit_minor=8000)
    await companies.member(company_id, buyer.id)
    lamp = await catalogue.product(price_minor=2000, stock=20)
    payment = {"method": "PURCHASE_ORDER", "purchaseOrderNumber": "PO-7"}
    both = [
        await orders.bought(api, (lamp, 1), account=buyer.token, company=company_id, payment=payment) for _ in range(2)
    ]
    # 25.99 each: one of them may become 45.99.
    edits = [
        edit(api, staff_token, order.gid, lines=[{"orderLineId": order.lines[0], "quantity": 2}]) for order in both
    ]
    answers = sorted(sorted(codes(payload)) for payload in await asyncio.gather(*edits))
    assert answers == [[], ["CREDIT_LIMIT_EXCEEDED"]]
    assert await credit.owed_by(company_id, "USD") == 2599 + 4599
    await drain()
    assert await invariants.check() == []


async def test_an_edit_and_a_checkout_want_the_last_unit(api: Api, staff_token: str, drain: Drain) -> None:
    for _ in range(ROUNDS):
        lamp = await catalogue.product(price_minor=2000, stock=2)
        order = await orders.bought(api, (lamp, 1), payment=checkout.CASH)
        given = await checkout.ready_input(api, (lamp, 1), payment=checkout.CASH)
        edited, placed = await asyncio.gather(
            edit(api, staff_token, order.gid, lines=[{"orderLineId": order.lines[0], "quantity": 2}]),
            checkout.complete(api, given),
        )
        assert codes(edited) <= {"INSUFFICIENT_STOCK"}
        assert bool(codes(edited)) is bool(placed["order"]), "one of them has it"
        await drain()
        assert await invariants.check() == []
        assert await db.fetchval("SELECT available FROM stock_levels WHERE variant_id = $1", lamp.variant_id) == 0

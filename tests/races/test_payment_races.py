"""Money that several want at once: no cent twice, and none too much."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.payments import following, reconciling, test_gateway
from app.payments.test_gateway import TestGateway
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies, refunds
from tests.factories.catalogue import MadeProduct
from tests.factories.fulfillments import fulfill
from tests.factories.refunds import usd

Drain = Callable[[], Awaitable[None]]

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id, refund: true) { userErrors { code } } }"
FULFILL = """mutation ($id: ID!) { fulfillmentCreate(input: { orderId: $id, carrier: "UPS", trackingNumber: "1Z1" }) {
    userErrors { code } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(stock=50)


async def paid(api: Api, staff_token: str, drain: Drain, product: MadeProduct) -> str:
    """An order of 25.98 whose money is in."""
    gid: str = (await checkout.placed(api, (product, 1)))["order"]["id"]
    await fulfill(api, staff_token, gid)
    await drain()
    return gid


async def at_the_gateway() -> tuple[int, int]:
    row = await db.fetchrow("SELECT captured_minor, refunded_minor FROM test_gateway_payments")
    assert row is not None
    return row["captured_minor"], row["refunded_minor"]


async def test_ten_refunds_of_ten_dollars_at_once(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    gid = await paid(api, staff_token, drain, product)
    payloads = await asyncio.gather(*(refunds.create(api, staff_token, gid, amount=usd("10")) for _ in range(10)))
    refused = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert refused == ["REFUND_TOO_LARGE"] * 8
    await drain()
    assert await at_the_gateway() == (2598, 2000)
    assert await invariants.check() == []


async def test_one_refund_sent_ten_times_at_once(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    gid = await paid(api, staff_token, drain, product)
    given = {"amount": usd("10"), "idempotencyKey": "once"}
    payloads = await asyncio.gather(*(refunds.create(api, staff_token, gid, **given) for _ in range(10)))
    assert len({payload["refund"]["id"] for payload in payloads}) == 1
    await drain()
    assert await at_the_gateway() == (2598, 1000)
    assert await invariants.check() == []


async def test_cancelling_shipping_and_refunding_at_once(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    """Either it is cancelled and nothing was taken, or it left and its money came in."""
    for _ in range(4):
        gid = (await checkout.placed(api, (product, 1)))["order"]["id"]
        await asyncio.gather(
            api.query(CANCEL, {"id": gid}, token=staff_token),
            api.query(FULFILL, {"id": gid}, token=staff_token),
            refunds.create(api, staff_token, gid, amount=usd("5")),
            drain(),
        )
    await drain()
    rows = await db.fetch(
        """
        SELECT o.status, o.payment_status, g.state, g.captured_minor
        FROM orders o JOIN payments p ON p.order_id = o.id
        JOIN test_gateway_payments g ON g.idempotency_key = p.id::text
        """
    )
    assert {(row["status"], row["state"], row["captured_minor"]) for row in rows} <= {
        ("CANCELLED", "VOIDED", 0), ("COMPLETED", "CAPTURED", 2598),
    }  # fmt: skip
    assert await invariants.check() == []


async def test_a_refund_of_ours_and_one_at_the_dashboard_at_once(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    """The gateway lets one of them through; the books have that one."""
    gid = await paid(api, staff_token, drain, product)
    payment_id = await db.fetchval("SELECT id FROM payments")
    await asyncio.gather(
        refunds.create(api, staff_token, gid, amount=usd("20")),
        test_gateway.refund_at_dashboard(payment_id, 2000),
        drain(),
    )
    await drain()
    for _ in range(2):
        await following.follow(payment_id)
    assert (await at_the_gateway())[1] == 2000
    assert await db.fetchval("SELECT refunded_minor FROM payments") == 2000
    assert await invariants.check() == []


async def test_reconciling_beside_the_same_webhook_twenty_times(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    await paid(api, staff_token, drain, product)
    payment_id = await db.fetchval("SELECT id FROM payments")
    assert await test_gateway.refund_at_dashboard(payment_id, 700)
    await asyncio.gather(
        *(following.follow(payment_id) for _ in range(20)), *(reconciling.reconcile(TestGateway()) for _ in range(3))
    )
    assert await db.fetchval("SELECT count(*) FROM refunds") == 1
    assert await db.fetchval("SELECT refunded_minor FROM payments") == 700
    assert await invariants.check() == []


async def test_six_buyers_of_a_company_with_credit_for_two(api: Api, product: MadeProduct) -> None:
    company_id = await companies.company(credit_limit_minor=6_000)
    payment = {"method": "PURCHASE_ORDER", "purchaseOrderNumber": "PO-1"}
    inputs, tokens = [], []
    for _ in range(6):
        buyer = await accounts.signed_in()
        await companies.member(company_id, buyer.id)
        tokens.append(buyer.token)
        inputs.append(await checkout.ready_input(api, (product, 1), payment=payment))
        await db.execute("UPDATE carts SET customer_id = $1 WHERE customer_id IS NULL", buyer.id)
    await db.execute("UPDATE carts SET company_id = $1", company_id)
    payloads: list[dict[str, Any]] = await asyncio.gather(
        *(checkout.complete(api, given, token=token) for given, token in zip(inputs, tokens, strict=True))
    )
    refused = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert refused == ["CREDIT_LIMIT_EXCEEDED"] * 4
    assert await db.fetchval("SELECT sum(amount_minor) FROM payments") == 2 * 2598
    assert await invariants.check() == []

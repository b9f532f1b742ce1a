"""Workers that die between what a gateway has done and what the shop writes down: nothing is taken or given back twice,
and nothing stays open."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.events.delivery import deliver
from app.payments import capturing, later_settling, reconciling, refund_asking, service
from app.payments.test_gateway import TestGateway
from tests.client import Api
from tests.factories import catalogue, checkout, refunds
from tests.factories.fulfillments import fulfill
from tests.factories.refunds import usd

Drain = Callable[[], Awaitable[None]]

PAY = """mutation ($input: OrderPaymentCreateInput!) { orderPaymentCreate(input: $input) {
    order { paymentStatus } userErrors { code }
} }"""
CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id, refund: true) { userErrors { code } } }"


class _Died(BaseException):
    """The process is gone: nothing behind this line runs."""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def die_once(patch: pytest.MonkeyPatch, owner: Any, name: str, drain: Drain) -> None:
    """Work until that call, which never comes back, and then with a new worker."""
    died: list[str] = []

    async def dies(*args: Any, **kwargs: Any) -> Any:
        died.append(name)
        raise _Died

    with patch.context() as once:
        once.setattr(owner, name, dies)
        with pytest.raises(_Died):
            await drain()
    assert died
    # Its lease runs out, and another worker takes the event up.
    rows = await db.fetch(
        "UPDATE events SET leased_until = NULL WHERE acknowledged_at IS NULL AND attempts > 0 RETURNING id"
    )
    for row in rows:
        await deliver(row["id"])
    await drain()


async def at_the_gateway() -> tuple[str, int, int]:
    row = await db.fetchrow("SELECT state, captured_minor, refunded_minor FROM test_gateway_payments")
    assert row is not None
    return row["state"], row["captured_minor"], row["refunded_minor"]


async def test_a_capture_is_written_down_by_the_next_worker(
    api: Api, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = (await checkout.placed(api))["order"]["id"]
    await drain()
    await fulfill(api, staff_token, gid)
    await die_once(monkeypatch, capturing, "_succeeded", drain)
    assert await at_the_gateway() == ("CAPTURED", 2598, 0)
    assert await db.fetchval("SELECT payment_status FROM orders") == "PAID"
    assert await db.fetchval("SELECT count(*) FROM test_gateway_operations") == 1
    assert await invariants.check() == []


async def test_a_refund_is_written_down_by_the_next_worker(
    api: Api, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = (await checkout.placed(api))["order"]["id"]
    await fulfill(api, staff_token, gid)
    await drain()
    await refunds.create(api, staff_token, gid, amount=usd("10"))
    await die_once(monkeypatch, refund_asking, "_note", drain)
    assert await at_the_gateway() == ("CAPTURED", 2598, 1000)
    assert await db.fetchval("SELECT state FROM refunds") == "SUCCEEDED"
    assert await invariants.check() == []


async def test_a_void_is_written_down_by_the_next_worker(
    api: Api, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = (await checkout.placed(api))["order"]["id"]
    await drain()
    await api.ok(CANCEL, {"id": gid}, token=staff_token)
    await die_once(monkeypatch, service, "_voided", drain)
    assert await at_the_gateway() == ("VOIDED", 0, 0)
    assert await db.fetchval("SELECT payment_status FROM orders") == "VOIDED"
    assert await invariants.check() == []


@pytest.mark.parametrize("name", ["_paid", "_proceed"])
async def test_a_later_payment_is_settled_by_its_watch(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The gateway has taken the money; the request never heard of it."""
    bought = await checkout.placed(api, payment=checkout.CASH)
    await drain()
    given = {
        "orderId": bought["order"]["id"], "token": bought["orderToken"], "payment": checkout.CARD,
        "idempotencyKey": "one",
    }  # fmt: skip

    async def dies(*args: Any) -> Any:
        raise _Died

    with monkeypatch.context() as once:
        once.setattr(later_settling, name, dies)
        with pytest.raises(_Died):
            await api.query(PAY, {"input": given})
    await db.execute("UPDATE payments SET leased_until = clock_timestamp() WHERE leased_until IS NOT NULL")
    await checkout.watches_due()
    await drain()
    assert await at_the_gateway() == ("CAPTURED", 2598, 0)
    paid = await api.ok(PAY, {"input": given})
    assert paid["orderPaymentCreate"]["order"]["paymentStatus"] == "PAID"
    assert await at_the_gateway() == ("CAPTURED", 2598, 0)
    assert await invariants.check() == []


async def test_a_comparison_that_dies_half_way_begins_where_it_began(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    lantern = await catalogue.product(stock=9)
    monkeypatch.setattr(reconciling, "GRACE", -reconciling.GRACE)
    inputs = [
        await checkout.ready_input(api, (lantern, 1), payment={**checkout.CARD, "token": "tok_timeout"})
        for _ in range(3)
    ]
    for given in inputs:
        await checkout.complete(api, given)
    await db.execute("DELETE FROM events WHERE type = 'checkout.attempt_watch'")
    await checkout.expire_lease()
    look, looked = reconciling.settlement.look, 0

    async def dies_at_the_second(attempt_id: Any) -> Any:
        nonlocal looked
        looked += 1
        if looked == 2:
            raise _Died
        return await look(attempt_id)

    with monkeypatch.context() as once:
        once.setattr(reconciling.settlement, "look", dies_at_the_second)
        with pytest.raises(_Died):
            await reconciling.reconcile(TestGateway())
    assert await db.fetchval("SELECT count(*) FROM orders") == 1
    await reconciling.reconcile(TestGateway())
    assert await db.fetchval("SELECT count(*) FROM orders") == 3
    assert await db.fetchval("SELECT count(*) FROM payment_discrepancies WHERE settlement = 'PLACED'") == 3
    await drain()
    assert await invariants.check() == []

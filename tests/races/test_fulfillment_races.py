"""Several hands at one order's goods: no unit leaves twice, and none leaves that was cancelled."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.fulfillments import service
from app.orders import cancellation
from tests.client import Api
from tests.factories import catalogue, checkout
from tests.factories.fulfillments import FULFILL, TRACK, everything, fulfill, order
from tests.patience import patience

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { order { id } userErrors { code } } }"
INBOX = "query ($to: String) { devInbox(to: $to) { subject } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> AsyncIterator[None]:
    """A shop whose books are right after every test."""
    await checkout.shop_that_ships()
    yield
    assert await invariants.check() == []


async def bought(api: Api, units: int) -> str:
    """The id of an order of one line."""
    payload = await checkout.placed(api, (await catalogue.product(stock=20), units))
    gid: str = payload["order"]["id"]
    return gid


async def codes(api: Api, document: str, variables: dict[str, Any], token: str) -> list[str]:
    """Of the refusal; empty when it was done."""
    result = await api.query(document, variables, token=token)
    assert not result.errors, result.errors
    assert result.data is not None
    (payload,) = result.data.values()
    return [error["code"] for error in payload["userErrors"]]


async def somebody_waits_for_a_lock() -> None:
    """Until a statement is stopped by a lock that somebody else holds."""
    async with asyncio.timeout(patience(5)):
        while not await db.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.01)


async def shipped_and_reserved() -> tuple[int, int, int]:
    row = await db.fetchrow(
        """
        SELECT (SELECT coalesce(sum(quantity), 0)::int FROM fulfillment_lines) AS shipped,
               (SELECT sum(fulfilled_quantity)::int FROM order_lines) AS counted,
               (SELECT sum(reserved)::int FROM stock_levels) AS reserved
        """
    )
    assert row is not None
    return row["shipped"], row["counted"], row["reserved"]


async def test_ten_who_ship_the_same_units_ship_them_once(api: Api, staff_token: str) -> None:
    gid = await bought(api, 4)
    answers = await asyncio.gather(*(codes(api, FULFILL, {"input": {"orderId": gid}}, staff_token) for _ in range(10)))
    assert Counter(map(tuple, answers)) == {(): 1, ("NOTHING_TO_FULFILL",): 9}
    assert await shipped_and_reserved() == (4, 4, 0)
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'fulfillment.created'") == 1


async def test_ten_who_ship_one_unit_each_ship_no_more_than_there_are(api: Api, staff_token: str) -> None:
    gid = await bought(api, 4)
    (line,) = (await order(api, gid, staff=staff_token))["lines"]["nodes"]
    given = {"orderId": gid, "lines": [{"orderLineId": line["id"], "quantity": 1}]}
    answers = await asyncio.gather(*(codes(api, FULFILL, {"input": given}, staff_token) for _ in range(10)))
    assert Counter(map(tuple, answers)) == {(): 4, ("FULFILLMENT_EXCEEDS_ORDER",): 6}
    assert await shipped_and_reserved() == (4, 4, 0)
    assert (await order(api, gid, staff=staff_token))["fulfillmentStatus"] == "FULFILLED"


def held_up(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> tuple[asyncio.Event, asyncio.Event]:
    """Stop the function at its call: the first event says that it is there, the second lets it go on."""
    original = getattr(module, name)
    there, go_on = asyncio.Event(), asyncio.Event()

    async def wait(*args: Any, **kwargs: Any) -> Any:
        there.set()
        await go_on.wait()
        return await original(*args, **kwargs)

    monkeypatch.setattr(module, name, wait)
    return there, go_on


async def test_goods_that_leave_first_cannot_be_cancelled(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = await bought(api, 2)
    there, go_on = held_up(monkeypatch, service, "_ordered_lines")
    shipping = asyncio.create_task(codes(api, FULFILL, {"input": {"orderId": gid}}, staff_token))
    await there.wait()
    cancelling = asyncio.create_task(codes(api, CANCEL, {"id": gid}, staff_token))
    await somebody_waits_for_a_lock()
    go_on.set()
    assert await asyncio.gather(shipping, cancelling) == [[], ["ORDER_FULFILLED"]]
    assert await shipped_and_reserved() == (2, 2, 0)
    assert await db.fetchval("SELECT available FROM stock_levels") == 18
    read = await order(api, gid, staff=staff_token)
    assert (read["status"], read["fulfillmentStatus"]) == ("OPEN", "FULFILLED")


async def test_what_is_cancelled_first_does_not_leave(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = await bought(api, 2)
    there, go_on = held_up(monkeypatch, cancellation.reservations, "end")
    cancelling = asyncio.create_task(codes(api, CANCEL, {"id": gid}, staff_token))
    await there.wait()
    shipping = asyncio.create_task(codes(api, FULFILL, {"input": {"orderId": gid}}, staff_token))
    await somebody_waits_for_a_lock()
    go_on.set()
    assert await asyncio.gather(cancelling, shipping) == [[], ["ORDER_NOT_FULFILLABLE"]]
    assert await shipped_and_reserved() == (0, 0, 0)
    assert await db.fetchval("SELECT available FROM stock_levels") == 20
    assert await db.fetchval("SELECT count(*) FROM fulfillments") == 0
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'fulfillment.created'") == 0


async def test_money_that_comes_in_while_goods_leave_completes_the_order(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either of the two alone would leave it open for the other to complete."""
    payload = await checkout.placed(api, (await catalogue.product(stock=5), 1), payment=checkout.CASH)
    gid = payload["order"]["id"]
    there, go_on = held_up(monkeypatch, service, "_ordered_lines")
    shipping = asyncio.create_task(codes(api, FULFILL, {"input": {"orderId": gid}}, staff_token))
    await there.wait()
    mark = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"
    paying = asyncio.create_task(codes(api, mark, {"id": gid}, staff_token))
    await somebody_waits_for_a_lock()
    go_on.set()
    assert await asyncio.gather(shipping, paying) == [[], []]
    assert (await order(api, gid, staff=staff_token))["status"] == "COMPLETED"


async def test_one_event_of_a_carrier_that_arrives_ten_times_at_once_is_one(
    api: Api, staff_token: str, drain: Callable[[], Awaitable[None]]
) -> None:
    gid = await bought(api, 1)
    fulfillment = await fulfill(api, staff_token, gid, notifyCustomer=False)
    await drain()
    event = {"fulfillmentId": fulfillment["id"], "status": "DELIVERED", "externalId": "evt-1"}
    answers = await asyncio.gather(*(codes(api, TRACK, {"input": event}, staff_token) for _ in range(10)))
    assert answers == [[]] * 10
    assert await db.fetchval("SELECT count(*) FROM tracking_events") == 1
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'shipment.delivered'") == 1
    await drain()
    mails = (await api.ok(INBOX, {"to": checkout.EMAIL}, token=staff_token))["devInbox"]
    assert [mail["subject"] for mail in mails] == ["Order 1001 was delivered", "Order 1001 confirmed"]


async def test_events_of_one_parcel_that_arrive_at_once_come_to_the_furthest(api: Api, staff_token: str) -> None:
    fulfillment = await fulfill(api, staff_token, await bought(api, 1))
    statuses = ["IN_TRANSIT", "DELAYED", "OUT_FOR_DELIVERY", "FAILED", "DELIVERED"] * 2
    events = [
        {"fulfillmentId": fulfillment["id"], "status": status, "externalId": f"{n}"}
        for n, status in enumerate(statuses)
    ]
    answers = await asyncio.gather(*(codes(api, TRACK, {"input": event}, staff_token) for event in events))
    assert answers == [[]] * 10
    assert await db.fetchval("SELECT count(*) FROM tracking_events") == 10
    assert await db.fetchval("SELECT status FROM shipments") == "DELIVERED"
    # Whatever came first: each step forward was told, and none of them twice.
    told = await db.fetch("SELECT type, count(*)::int AS times FROM events WHERE type LIKE 'shipment.%' GROUP BY type")
    assert {row["type"]: row["times"] for row in told}["shipment.delivered"] == 1


async def test_a_refused_race_leaves_nothing_behind(api: Api, staff_token: str) -> None:
    gid = await bought(api, 1)
    await fulfill(api, staff_token, gid)
    before = await everything()
    for answer in await asyncio.gather(
        *(codes(api, FULFILL, {"input": {"orderId": gid}}, staff_token) for _ in range(5)),
        *(codes(api, CANCEL, {"id": gid}, staff_token) for _ in range(5)),
    ):
        assert answer in (["NOTHING_TO_FULFILL"], ["ORDER_FULFILLED"])
    assert await everything() == before

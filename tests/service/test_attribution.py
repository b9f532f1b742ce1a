"""Which message gets an order: the last one that a person clicked, within the window, once."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from app import db
from tests.factories import flow_rows, orders, refunds, shop
from tests.factories.messages import happens, placed_order

Drain = Callable[[], Awaitable[None]]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def order_of(profile_id: uuid.UUID) -> uuid.UUID:
    order_id = await placed_order()
    await db.execute("UPDATE orders SET profile_id = $2 WHERE id = $1", order_id, profile_id)
    return order_id


async def credited() -> list[tuple[uuid.UUID, uuid.UUID, str, int]]:
    rows = await db.fetch("SELECT order_id, message_id, step_key, revenue_minor FROM attributions")
    return [(row["order_id"], row["message_id"], row["step_key"], row["revenue_minor"]) for row in rows]


async def test_the_last_click_gets_the_order_once(drain: Drain) -> None:
    ada = await flow_rows.profile("ada@example.com")
    run = await flow_rows.run(await flow_rows.flow(), ada)
    first = await flow_rows.message(run, "remind-1")
    second = await flow_rows.message(run, "text-1", channel="SMS")
    await flow_rows.click(second, ago=5 * HOUR)
    await flow_rows.click(first, ago=2 * HOUR)
    await flow_rows.click(second, ago=HOUR, bot=True)
    order = await order_of(ada)
    await happens("order.placed", order)
    await happens("order.placed", order)
    await drain()
    assert await credited() == [(order, first, "remind-1", 14490)]


@pytest.mark.parametrize(("ago", "counts"), [(timedelta(days=4, hours=23), True), (timedelta(days=5, hours=1), False)])
async def test_only_clicks_within_the_window_count(drain: Drain, ago: timedelta, counts: bool) -> None:
    ada = await flow_rows.profile("ada@example.com")
    message = await flow_rows.message(await flow_rows.run(await flow_rows.flow(), ada), "remind-1")
    await flow_rows.click(message, ago=ago)
    await happens("order.placed", await order_of(ada))
    await drain()
    assert bool(await credited()) is counts


async def test_a_click_after_the_order_and_a_notice_about_an_order_bring_nothing(drain: Drain) -> None:
    ada = await flow_rows.profile("ada@example.com")
    order = await order_of(ada)
    later = await flow_rows.message(await flow_rows.run(await flow_rows.flow(), ada), "remind-1")
    await flow_rows.click(later, ago=-HOUR)
    notice = await flow_rows.message(None, profile_id=ada, template="order_shipped")
    await flow_rows.click(notice, ago=HOUR)
    await happens("order.placed", order)
    await drain()
    assert await credited() == []


async def test_whoever_was_joined_with_the_buyer_clicked_for_them(drain: Drain) -> None:
    ada = await flow_rows.profile("ada@example.com")
    before = await flow_rows.profile(merged_into=ada)
    message = await flow_rows.message(await flow_rows.run(await flow_rows.flow(), before), "remind-1")
    await flow_rows.click(message, ago=HOUR)
    order = await order_of(ada)
    await happens("order.placed", order)
    await drain()
    assert [row[:2] for row in await credited()] == [(order, message)]


async def test_a_stranger_gets_no_credit_for_somebody_elses_order(drain: Drain) -> None:
    ada, bob = await flow_rows.profile("ada@example.com"), await flow_rows.profile("bob@example.com")
    message = await flow_rows.message(await flow_rows.run(await flow_rows.flow(), bob), "remind-1")
    await flow_rows.click(message, ago=HOUR)
    await happens("order.placed", await order_of(ada))
    await drain()
    assert await credited() == []


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_cancelled_order_leaves_its_message(drain: Drain, cancelled_first: bool) -> None:
    ada = await flow_rows.profile("ada@example.com")
    await flow_rows.click(
        await flow_rows.message(await flow_rows.run(await flow_rows.flow(), ada), "remind-1"), ago=HOUR
    )
    order = await order_of(ada)
    if not cancelled_first:
        await happens("order.placed", order)
        await drain()
        assert len(await credited()) == 1
    await db.execute("UPDATE orders SET status = 'CANCELLED', cancelled_at = business_now() WHERE id = $1", order)
    await happens("order.cancelled", order)
    await drain()
    if cancelled_first:
        await happens("order.placed", order)
        await drain()
    assert await credited() == []


async def test_an_order_is_worth_what_is_left_of_it(drain: Drain) -> None:
    """144.90 that become 100.00 by an edit, whose refund is in the total, and of which 30.00 are refunded then."""
    ada = await flow_rows.profile("ada@example.com")
    message = await flow_rows.message(await flow_rows.run(await flow_rows.flow(), ada), "remind-1")
    await flow_rows.click(message, ago=HOUR)
    order = await order_of(ada)
    await happens("order.placed", order)
    await drain()
    less = "UPDATE orders SET total_minor = total_minor - 4490, subtotal_minor = subtotal_minor - 4490 WHERE id = $1"
    await orders.rewrite(less, order)
    for source, minor in (("EDIT", 4490), ("STAFF", 2000), ("STAFF", 1000)):
        await refunds.row(order, source=source, minor=minor, state="SUCCEEDED")
    await happens("order.edited", order, editId=str(order), notifyCustomer=False)
    await drain()
    assert await credited() == [(order, message, "remind-1", 7000)]
    await refunds.row(order, minor=9000, state="SUCCEEDED")
    await happens("order.refunded", order, refundId=str(order), notifyCustomer=False)
    await drain()
    assert await credited() == [(order, message, "remind-1", 0)], "and never less than nothing"

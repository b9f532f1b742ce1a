"""Which message gets an order: the last one that a person clicked, within the window, once."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from app import db
from tests.factories import flow_rows, shop
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

"""Backfill: everybody who qualifies, once, so many an hour, whatever happens to the worker."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from app import db
from app.errors import DomainError
from app.flows import backfill, service
from app.jobs import service as jobs
from tests.factories import customers, flows, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
WIN_BACK: dict[str, Any] = {
    "trigger": {"date": "customer.lapsesAt", "at": "10:00"},
    "entry": "customer.orderCount > 0 && customer.lapsesAt <= now",
    "exitOn": [{"event": "order.placed"}],
}
REST = {"key": "rest", "kind": "delay", "period": "P30D"}


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def lapsed(count: int, *, days: int = 90) -> list[uuid.UUID]:
    """People whose only order lies so long ago."""
    people = []
    for _ in range(count):
        people.append(await customers.profile(announced=False))
        await customers.past_order(people[-1], ago=timedelta(days=days))
    await db.execute("DELETE FROM events")
    return people


async def enrolled() -> list[uuid.UUID]:
    return [row["profile_id"] for row in await db.fetch("SELECT profile_id FROM flow_runs ORDER BY id")]


async def job() -> dict[str, Any]:
    row = await db.fetchrow("SELECT status, done, result, checkpoint FROM jobs ORDER BY id DESC LIMIT 1")
    assert row is not None
    return {**row, "result": row["result"] and orjson.loads(row["result"])}


async def test_everybody_who_lapsed_comes_in_once(drain: Drain) -> None:
    people = await lapsed(3)
    await lapsed(2, days=10)
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    await drain()
    assert await enrolled() == []
    for _ in range(2):
        await backfill.request_backfill(flow)
        await drain()
    assert sorted(await enrolled()) == sorted(people)
    run = (await flows.runs())[0]
    assert (run["trigger_type"], run["trigger"]["flowKey"]) == ("backfill", "win_back")
    assert (await job())["result"] == {"candidates": 3, "enrolled": 0}
    told = await db.fetch("SELECT profile_id FROM profile_events WHERE type = 'backfill'")
    assert sorted(row["profile_id"] for row in told) == sorted(people)


async def test_the_first_publish_brings_its_backfill_along_and_later_ones_none(drain: Drain) -> None:
    people = await lapsed(2)
    flow = await flows.publish("win_back", REST, **WIN_BACK, backfill=True)
    await drain()
    assert sorted(await enrolled()) == sorted(people)
    await lapsed(1)
    await flows.change(flow, REST, {"key": "more", "kind": "delay", "period": "P1D"}, **WIN_BACK, backfill=True)
    await drain()
    assert len(await enrolled()) == 2
    assert await db.fetchval("SELECT count(*) FROM jobs") == 1


async def test_a_rate_spreads_them_over_time(drain: Drain, advance: Advance) -> None:
    await lapsed(7)
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    await drain()
    await backfill.request_backfill(flow, per_hour=24)
    await drain()
    assert len(await enrolled()) == 2, "what five minutes have room for"
    assert (await job())["status"] == "RUNNING"
    await advance("PT6M")
    assert len(await enrolled()) == 4
    await advance("PT15M")
    assert len(await enrolled()) == 7
    assert (await job())["status"] == "SUCCEEDED"


async def test_a_low_rate_takes_one_at_a_time(drain: Drain, advance: Advance) -> None:
    await lapsed(3)
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    await drain()
    await backfill.request_backfill(flow, per_hour=1)
    await drain()
    assert len(await enrolled()) == 1
    await advance("PT1H55M")
    assert len(await enrolled()) == 2
    await advance("PT1H10M")
    assert len(await enrolled()) == 3


async def test_a_limit_is_kept(drain: Drain) -> None:
    await lapsed(5)
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    await drain()
    await backfill.request_backfill(flow, limit=2)
    await drain()
    assert len(await enrolled()) == 2
    assert (await job())["result"] == {"candidates": 2, "enrolled": 2}


async def test_who_orders_before_their_turn_is_left_alone(drain: Drain, advance: Advance) -> None:
    people = sorted(await lapsed(4))
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    await drain()
    await backfill.request_backfill(flow, per_hour=12)
    await drain()
    assert await enrolled() == people[:1]
    await customers.past_order(people[1])
    await drain()
    await advance("PT30M")
    assert await enrolled() == [people[0], *people[2:]]


async def test_a_killed_worker_s_successor_goes_on_where_the_last_commit_was(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await lapsed(7)
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    await drain()
    monkeypatch.setattr(backfill, "BATCH", 3)
    saved, batches = jobs.save_progress, 0

    async def dies_in_the_second_batch(*args: Any, **more: Any) -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise ConnectionAbortedError
        await saved(*args, **more)

    monkeypatch.setattr(jobs, "save_progress", dies_in_the_second_batch)
    job_id = await backfill.request_backfill(flow)
    with pytest.raises(ConnectionAbortedError):
        await backfill.run_slice(job_id)
    assert len(await enrolled()) == 3
    await backfill.run_slice(job_id)
    await drain()
    assert sorted(await enrolled()) == sorted(people)
    assert (await job())["result"] == {"candidates": 7, "enrolled": 7}


async def test_a_paused_flow_takes_nobody_in_until_it_goes_on(drain: Drain, advance: Advance) -> None:
    await lapsed(4)
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    await drain()
    await backfill.request_backfill(flow, per_hour=12)
    await drain()
    await service.pause(flow)
    await advance("PT30M")
    assert len(await enrolled()) == 1
    await service.resume(flow)
    await advance("PT30M")
    assert len(await enrolled()) == 4


async def test_events_count_by_the_last_one_within_the_window_unless_something_ended_it(drain: Drain) -> None:
    async def saw(product: uuid.UUID, ago: timedelta) -> uuid.UUID:
        somebody = await customers.profile(announced=False)
        await customers.viewed(somebody, product)
        await db.execute(
            "UPDATE profile_events SET occurred_at = occurred_at - $2::interval WHERE profile_id = $1", somebody, ago
        )
        return somebody

    product = uuid.uuid4()
    lately, ordered, _long_ago = [await saw(product, timedelta(days=days)) for days in (3, 4, 12)]
    await flows.happens("order.placed", ordered, order_id=uuid.uuid4())
    await db.execute("DELETE FROM events")
    flow = await flows.publish("browse", REST, trigger={"event": "product.viewed"}, exitOn=[{"event": "order.placed"}])
    await drain()
    await backfill.request_backfill(flow, days=10)
    await drain()
    assert await enrolled() == [lately]
    run = await flows.run()
    assert run["key"] == str(product)


async def test_passed_dates_of_the_merchant_s_own_count_and_yearly_ones_do_not(drain: Drain) -> None:
    past, future, nonsense = [await customers.profile(announced=False) for _ in range(3)]
    for somebody, value in ((past, "2020-02-29"), (future, "2126-01-01"), (nonsense, "soon")):
        properties = orjson.dumps({"renewal": value}).decode()
        await db.execute("UPDATE profiles SET properties = $2::jsonb WHERE id = $1", somebody, properties)
    for key, yearly in (("renewal", False), ("every_year", True)):
        trigger = {"date": "customer.properties.renewal", "yearly": yearly}
        flow = await flows.publish(key, REST, trigger=trigger)
        await drain()
        await backfill.request_backfill(flow)
        await drain()
    assert [(run["flow"], run["profile_id"]) for run in await flows.runs()] == [("renewal", past)]


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"per_hour": 100_001}, {"days": 366}])
async def test_numbers_out_of_range_are_refused(arguments: dict[str, Any]) -> None:
    flow = await flows.publish("win_back", REST, **WIN_BACK)
    with pytest.raises(DomainError) as refusal:
        await backfill.request_backfill(flow, **arguments)
    assert refusal.value.code.name == "OUT_OF_RANGE"
    assert await db.fetchval("SELECT count(*) FROM jobs") == 0


async def test_a_draft_takes_nobody_in() -> None:
    flow = await flows.save("win_back", REST, **WIN_BACK)
    with pytest.raises(DomainError) as refusal:
        await backfill.request_backfill(flow)
    assert refusal.value.code.name == "FLOW_NOT_PUBLISHED"
    assert await db.fetchval("SELECT count(*) FROM jobs") == 0

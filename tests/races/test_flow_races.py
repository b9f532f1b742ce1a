"""Two things at once: the same person's events, a wake-up and an exit, a publish and an enrolment."""

import asyncio
import contextvars
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from app import clock, db, invariants
from app.events.delivery import deliver
from app.events.ticking import tick
from app.flows import service
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import flows, shop
from tests.patience import patience
from tests.races.test_stock_races import another_transaction

Drain = Callable[[], Awaitable[None]]
WAIT_4H = {"key": "wait", "kind": "delay", "period": "PT4H"}
REMIND = {"key": "remind", **flows.MAIL}
ORDERED = {"event": "order.placed"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def _at_once(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    tasks = [asyncio.create_task(each, context=contextvars.Context()) for each in work]
    async with asyncio.timeout(patience(5)):
        return await asyncio.gather(*tasks)


async def _deliver_again(event_id: uuid.UUID) -> None:
    """As a worker does that was thought dead: its lease is over."""
    await db.execute("UPDATE events SET leased_until = NULL WHERE id = $1", event_id)
    await deliver(event_id)


async def _events(*types: str) -> list[uuid.UUID]:
    rows = await db.fetch("SELECT id FROM events WHERE type = ANY($1) AND acknowledged_at IS NULL ORDER BY id", types)
    return [row["id"] for row in rows]


async def test_the_same_event_delivered_by_several_workers(drain: Drain) -> None:
    await flows.publish("greeting", REMIND)
    await flows.happens("checkout.started", await flows.person(), cart_id=new_id())
    [event_id] = await _events("checkout.started")
    await _at_once(*(_deliver_again(event_id) for _ in range(4)))
    [wake_up] = await _events("flow.run_due")
    await _at_once(*(_deliver_again(wake_up) for _ in range(4)))
    await drain()
    assert len(await flows.runs()) == 1
    assert await flows.sent() == ["remind SENT"]
    assert await flows.story() == ["remind DONE"]
    assert await invariants.check() == []


async def test_two_triggers_at_once_make_one_run(drain: Drain) -> None:
    await flows.publish(
        "greeting", REMIND, trigger={"event": "checkout.started", "key": "customer"}, reentry={"policy": "once"}
    )
    ada = await flows.person()
    for _ in range(4):
        await flows.happens("checkout.started", ada, cart_id=new_id())
    await _at_once(*(deliver(event_id) for event_id in await _events("checkout.started")))
    await drain()
    assert len(await flows.runs()) == 1
    assert await flows.sent() == ["remind SENT"]


async def test_an_exit_that_holds_the_profile_wins_over_the_wake_up_that_waits_for_it(drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[ORDERED])
    ada, cart_id = await flows.person(), new_id()
    await flows.happens("checkout.started", ada, cart_id=cart_id)
    await drain()
    await clock.move_to((await flows.run())["due_at"])
    await tick()
    [wake_up] = await _events("flow.run_due")
    order = (
        "INSERT INTO profile_events (id, profile_id, type, occurred_at, data) "
        "SELECT $2, id, 'order.placed', business_now(), '{}' FROM (SELECT id FROM profiles WHERE id = $1 FOR UPDATE) p"
    )
    async with another_transaction(order, ada, new_id(), commit=True):
        waiting = asyncio.create_task(deliver(wake_up), context=contextvars.Context())
        await asyncio.sleep(0.3)
        assert not waiting.done()
    await waiting
    assert (await flows.run())["exit_reason"] == "ORDER_PLACED"
    assert await flows.sent() == []
    assert await invariants.check() == []


@pytest.mark.parametrize("order_first", [True, False])
async def test_due_and_exit_at_once(drain: Drain, order_first: bool) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[ORDERED])
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await drain()
    await clock.move_to((await flows.run())["due_at"])
    await tick()
    await flows.happens("order.placed", ada, order_id=new_id())
    ids = await _events("flow.run_due", "order.placed")
    await _at_once(*(deliver(event_id) for event_id in (ids[::-1] if order_first else ids)))
    await drain()
    assert (await flows.run())["exit_reason"] == "ORDER_PLACED"
    assert await flows.sent() == []
    assert await invariants.check() == []


async def test_an_event_while_the_run_begins_to_wait_for_it_is_not_missed(drain: Drain) -> None:
    waits = {"key": "clicked", "kind": "wait_for", "event": "message.clicked", "timeout": "P1D", "then": "end"}
    await flows.publish("reminder", waits, {"key": "later", **flows.MAIL})
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=new_id())
    [started] = await _events("checkout.started")
    await deliver(started)
    await flows.happens("message.clicked", ada, runId="any")
    await _at_once(*(deliver(event_id) for event_id in await _events("flow.run_due", "message.clicked")))
    await drain()
    assert (await flows.run())["status"] == "COMPLETED"
    assert await flows.story() in (
        ["clicked DONE MESSAGE_CLICKED"],
        ["clicked WAITING", "clicked DONE MESSAGE_CLICKED"],
    )


async def test_publishing_and_pausing_while_people_come_in(drain: Drain) -> None:
    """Whatever the order: everybody has at most one run, of a version that was published, and nobody is lost."""
    flow_id = await flows.publish("reminder", WAIT_4H, REMIND)
    people = [await flows.person(f"p{number}@customer.example") for number in range(6)]
    for person in people:
        await flows.happens("checkout.started", person, cart_id=new_id())

    async def change() -> None:
        await flows.change(flow_id, WAIT_4H, {"key": "other", **flows.MAIL})
        await service.pause(flow_id)
        await service.resume(flow_id)

    started = await _events("checkout.started")
    await _at_once(change(), *(deliver(event_id) for event_id in started))
    await drain()
    runs = await flows.runs()
    assert len({run["profile_id"] for run in runs}) == len(runs)
    published = {row["id"] for row in await db.fetch("SELECT id FROM flow_versions WHERE published_at IS NOT NULL")}
    assert {run["version_id"] for run in runs} <= published
    assert await invariants.check() == []


async def test_a_run_that_comes_due_while_its_flow_is_paused_and_resumed_goes_on(drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, REMIND)
    await flows.happens("checkout.started", await flows.person(), cart_id=new_id())
    await drain()
    await service.pause(flow_id)
    run = await flows.run()
    await clock.move_to(run["due_at"])
    await tick()
    [wake_up] = await _events("flow.run_due")
    await _at_once(deliver(wake_up), service.resume(flow_id))
    await drain()
    assert await flows.sent() == ["remind SENT"]
    assert await invariants.check() == []


async def test_two_starts_of_the_same_run_by_hand_are_one(drain: Drain) -> None:
    """Staff end a run while it goes on: one of both is first, and the ledger says which."""
    await flows.publish("greeting", REMIND)
    await flows.happens("checkout.started", await flows.person(), cart_id=new_id())
    [started] = await _events("checkout.started")
    await deliver(started)
    run = await flows.run()

    async def end() -> None:
        try:
            await service.end_run(run["id"])
        except Exception as error:  # noqa: BLE001 - it was over
            assert "already" in str(error)  # noqa: PT017

    [wake_up] = await _events("flow.run_due")
    await _at_once(deliver(wake_up), end())
    await drain()
    over = await flows.run()
    assert (over["exit_reason"], await flows.sent()) in ((None, ["remind SENT"]), ("ENDED_BY_STAFF", []))
    assert await invariants.check() == []

"""A run from its trigger to its end: waiting, sending, pausing, lateness, and faults on the way."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import clock, db, invariants
from app.events import dead_letters, delivery
from app.flows import service
from app.flows.steps.delay import Delay
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import flows, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
WAIT_4H = {"key": "wait-4h", "kind": "delay", "period": "PT4H"}
REMIND = {"key": "remind", **flows.MAIL}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def _started(*, cart_id: uuid.UUID | None = None) -> uuid.UUID:
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=cart_id or new_id())
    return ada


async def test_waits_writes_waits_and_writes_again(advance: Advance, drain: Drain) -> None:
    await flows.publish(
        "reminder",
        WAIT_4H,
        {"key": "remind-1", **flows.MAIL},
        {"key": "wait-20h", "kind": "delay", "period": "PT20H"},
        {"key": "remind-2", **flows.MAIL},
    )
    await _started()
    await drain()
    assert (await flows.run())["status"] == "ACTIVE"
    await advance("PT3H59M")
    assert await flows.sent() == []
    await advance("PT1M")
    assert await flows.sent() == ["remind-1 SENT"]
    await advance("PT20H")
    assert await flows.sent() == ["remind-1 SENT", "remind-2 SENT"]
    assert (await flows.run())["status"] == "COMPLETED"
    assert await flows.story() == [
        "wait-4h WAITING", "wait-4h DONE", "remind-1 DONE", "wait-20h WAITING", "wait-20h DONE", "remind-2 DONE",
    ]  # fmt: skip
    assert await invariants.check() == []


async def test_the_same_wake_up_twice_writes_once(drain: Drain) -> None:
    await flows.publish("greeting", REMIND)
    await _started()
    await drain()
    run = await flows.run()
    for revision in (0, run["revision"]):
        async with db.unit_of_work():
            await _wake(run["id"], revision)
    await drain()
    assert await flows.sent() == ["remind SENT"]
    assert await flows.story() == ["remind DONE"]


async def _wake(run_id: uuid.UUID, revision: int) -> None:
    from app import events

    await events.record("flow.run_due", subject_id=run_id, payload={"revision": revision})


async def test_a_pause_stops_sends_and_a_resume_skips_what_is_too_late(advance: Advance, drain: Drain) -> None:
    flow_id = await flows.publish(
        "reminder",
        WAIT_4H,
        {**REMIND, "maxLateness": "PT12H"},
        {"key": "wait-20h", "kind": "delay", "period": "PT20H"},
        {"key": "remind-2", **flows.MAIL},
    )
    await _started()
    await drain()
    await service.pause(flow_id)
    await advance("PT20H")
    assert await flows.sent() == []
    assert await invariants.check() == []
    await service.resume(flow_id)
    await drain()
    assert await flows.sent() == ["remind SKIPPED TOO_LATE"]
    await advance("PT4H")  # the second keeps its own hour, a day after the trigger
    assert await flows.sent() == ["remind SKIPPED TOO_LATE", "remind-2 SENT"]


async def test_a_resume_within_the_lateness_sends(advance: Advance, drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, {**REMIND, "maxLateness": "PT12H"})
    await _started()
    await drain()
    await service.pause(flow_id)
    await advance("PT15H")
    await service.resume(flow_id)
    await drain()
    assert await flows.sent() == ["remind SENT"]


async def test_a_paused_flow_takes_nobody_in_and_exits_all_the_same(advance: Advance, drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[{"event": "order.placed"}])
    ada = await _started()
    await drain()
    await service.pause(flow_id)
    grace = await flows.person("grace@customer.example")
    await flows.happens("checkout.started", grace, cart_id=new_id())
    await flows.happens("order.placed", ada, order_id=new_id())
    await drain()
    await service.resume(flow_id)
    await advance("P2D")
    assert [(run["profile_id"], run["exit_reason"]) for run in await flows.runs()] == [(ada, "ORDER_PLACED")]
    assert await flows.sent() == []


async def test_pausing_after_the_reservation_stops_the_message(api: Api) -> None:
    flow_id = await flows.publish("greeting", REMIND)
    await _started()
    await _deliver_all("checkout.started", "flow.run_due")
    assert await flows.sent() == ["remind RESERVED"]
    await service.pause(flow_id)
    await _deliver_all("message.reserved")
    assert await flows.sent() == ["remind SKIPPED FLOW_PAUSED"]


async def test_an_order_between_reservation_and_sending_stops_the_message(api: Api) -> None:
    """The run has completed by then, as the message was its last step; the message is asked about all the same."""
    await flows.publish("greeting", REMIND, exitOn=[{"event": "order.placed"}])
    ada = await _started()
    await _deliver_all("checkout.started", "flow.run_due")
    assert (await flows.run())["status"] == "COMPLETED"
    await flows.happens("order.placed", ada, order_id=new_id())
    await _deliver_all("message.reserved")
    assert await flows.sent() == ["remind SKIPPED ORDER_PLACED"]


async def _deliver_all(*types: str) -> None:
    """Only events of these types, one after the other."""
    for event_type in types:
        rows = await db.fetch(
            "SELECT id FROM events WHERE type = $1 AND acknowledged_at IS NULL ORDER BY id", event_type
        )
        for row in rows:
            await delivery.deliver(row["id"])


async def test_a_message_waits_while_a_flow_that_goes_first_is_under_way(advance: Advance, drain: Drain) -> None:
    await flows.publish(
        "abandoned",
        {"kind": "delay", "period": "P2D"},
        exitOn=[{"event": "order.placed"}],
    )
    await flows.publish("welcome", REMIND, trigger={"event": "consent.granted"}, waitsFor=["abandoned"])
    ada = await _started()
    await flows.happens("consent.granted", ada, channel="EMAIL")
    await drain()
    assert await flows.sent() == []
    assert "remind WAITING WAITS_FOR_OTHERS" in await flows.story()
    await advance("PT30H")
    assert await flows.sent() == []
    await flows.happens("order.placed", ada, order_id=new_id())
    await drain()
    assert await flows.sent() == ["remind SENT"]  # thirty hours later, and not too late: it waited its turn
    assert await invariants.check() == []


async def test_a_missing_template_fails_the_step_and_not_the_run(drain: Drain) -> None:
    await flows.publish("greeting", REMIND, {"kind": "update_profile", "set": {"greeted": True}})
    await db.execute("UPDATE message_template_versions SET published_at = NULL")
    await _started()
    await drain()
    assert await flows.story() == ["remind FAILED TEMPLATE_UNAVAILABLE", "step-2 DONE"]
    assert (await flows.run())["status"] == "COMPLETED"


async def test_a_run_that_cannot_go_on_fails_and_goes_on_after_a_replay(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flows.publish("greeting", {"kind": "end"})
    working = Delay.run
    await flows.change((await _flow_id("greeting")), {**WAIT_4H, "period": "PT1S"}, REMIND)
    monkeypatch.setattr(delivery, "MAX_ATTEMPTS", 1)

    async def broken(step: Any, execution: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Delay, "run", broken)
    await _started()
    await drain()
    await clock.move_to(await clock.now() + (await _seconds(2)))
    await drain()
    run = await flows.run()
    assert (run["status"], run["exit_reason"]) == ("FAILED", "FAILED")
    assert await invariants.check() == []

    monkeypatch.setattr(Delay, "run", working)
    letter = await db.fetchval("SELECT id FROM dead_letters WHERE handler = 'flows.run'")
    await dead_letters.replay(letter)
    await drain()
    assert await flows.sent() == ["remind SENT"]
    assert (await flows.run())["status"] == "COMPLETED"


async def _flow_id(key: str) -> uuid.UUID:
    found: uuid.UUID = await db.fetchval("SELECT id FROM flows WHERE key = $1", key)
    return found


async def _seconds(count: int) -> Any:
    from datetime import timedelta

    return timedelta(seconds=count)


async def test_staff_end_a_run_once(advance: Advance, drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND)
    await _started()
    await drain()
    run = await flows.run()
    await service.end_run(run["id"])
    assert (await flows.run())["exit_reason"] == "ENDED_BY_STAFF"
    with pytest.raises(Exception, match="already"):
        await service.end_run(run["id"])
    await advance("P1D")
    assert await flows.sent() == []
    assert await invariants.check() == []


async def test_what_nobody_listens_to_costs_one_look(api: Api) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND)
    ada = await flows.person()
    await flows.happens("search.performed", ada, query="kettle")
    event_id = await db.fetchval("SELECT id FROM events WHERE type = 'search.performed'")
    await db.fetchval("SELECT stamp FROM flow_catalogue")
    from app.flows import catalogue

    await catalogue.current()
    with db.counted_statements() as statements:
        await delivery.deliver(event_id)
    about_flows = [sql for sql in statements if "flow" in sql]
    assert about_flows == ["SELECT stamp FROM flow_catalogue"]

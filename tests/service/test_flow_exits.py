"""What ends runs: events, conditions asked before each message, and what happened before it was delivered."""

import uuid
from collections.abc import Awaitable, Callable

import pytest

from app import db, invariants
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


async def _started(cart_id: uuid.UUID | None = None) -> uuid.UUID:
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=cart_id or new_id(), checkoutId="one")
    return ada


async def test_an_order_ends_the_run_its_timer_and_its_messages(advance: Advance, drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[{"event": "order.placed"}])
    ada = await _started()
    await drain()
    await flows.happens("order.placed", ada, order_id=new_id())
    await drain()
    run = await flows.run()
    assert (run["status"], run["exit_reason"], run["due_at"]) == ("EXITED", "ORDER_PLACED", None)
    assert await db.fetchval("SELECT count(*) FROM timers WHERE kind = 'flow.run_due'") == 0
    await advance("P1D")
    assert await flows.sent() == []
    assert await invariants.check() == []


async def test_an_order_that_nobody_has_told_of_yet_wins(advance: Advance, drain: Drain) -> None:
    """Its event is committed and stuck; the run looks at the timeline before it writes."""
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[{"event": "order.placed"}])
    ada = await _started()
    await drain()
    event_id = await flows.happens("order.placed", ada, order_id=new_id())
    await db.execute("UPDATE events SET attempts = 1, visible_at = visible_at + interval '1 d' WHERE id = $1", event_id)
    await advance("PT4H")
    assert (await flows.run())["exit_reason"] == "ORDER_PLACED"
    assert await flows.sent() == []


async def test_an_order_of_the_cart_by_somebody_else_ends_the_run(drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[{"event": "order.placed"}])
    cart_id = new_id()
    await _started(cart_id)
    await drain()
    grace = await flows.person("grace@customer.example")
    await flows.happens("order.placed", grace, order_id=new_id(), cart_id=cart_id)
    await drain()
    assert (await flows.run())["exit_reason"] == "ORDER_PLACED"


async def test_what_happened_before_the_trigger_ends_nothing(drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[{"event": "order.placed"}])
    ada = await flows.person()
    earlier = await flows.happens("order.placed", ada, order_id=new_id())
    await db.execute("UPDATE events SET attempts = 1 WHERE id = $1", earlier)
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await drain()
    await db.execute("UPDATE events SET attempts = 0 WHERE id = $1", earlier)  # delivered late
    await drain()
    assert (await flows.run())["status"] == "ACTIVE"


async def test_an_exit_with_a_condition_asks_it(drain: Drain) -> None:
    rule = {"event": "order.cancelled", "if": "event.orderId == run.orderId"}
    await flows.publish("thanks", WAIT_4H, trigger={"event": "order.placed"}, exitOn=[rule])
    ada, order_id = await flows.person(), new_id()
    await flows.happens("order.placed", ada, order_id=order_id)
    await drain()
    await flows.happens("order.cancelled", ada, order_id=new_id())
    await drain()
    assert (await flows.run())["status"] == "ACTIVE"
    await flows.happens("order.cancelled", ada, order_id=order_id)
    await drain()
    assert (await flows.run())["exit_reason"] == "ORDER_CANCELLED"


async def test_a_rule_that_cannot_be_asked_ends_the_run(drain: Drain) -> None:
    rule = {"event": "order.placed", "if": "1 / customer.orderCount > 0"}
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[rule])
    ada = await _started()
    await drain()
    await flows.happens("order.placed", ada, order_id=new_id())
    await drain()
    assert (await flows.run())["exit_reason"] == "ORDER_PLACED"


async def test_an_exit_condition_is_asked_before_the_message(advance: Advance) -> None:
    rule = {"if": "customer.orderCount > 0", "reason": "HAS_ORDERED"}
    await flows.publish("reminder", WAIT_4H, REMIND, exitIf=[rule])
    ada = await _started()
    await db.execute("UPDATE profiles SET order_count = 1 WHERE id = $1", ada)
    await advance("PT4H")
    assert (await flows.run())["exit_reason"] == "HAS_ORDERED"
    assert await flows.sent() == []
    assert (await flows.story())[-1] == "remind SKIPPED HAS_ORDERED"


async def test_pending_runs_end_too(advance: Advance, drain: Drain) -> None:
    await flows.publish(
        "idle", REMIND, trigger={"event": "cart.updated", "quietFor": "PT24H"}, exitOn=[{"event": "order.placed"}]
    )
    ada = await flows.person()
    await flows.happens("cart.updated", ada, cart_id=new_id())
    await drain()
    await flows.happens("order.placed", ada, order_id=new_id())
    await advance("P2D")
    assert (await flows.run())["exit_reason"] == "ORDER_PLACED"
    assert await flows.sent() == []
    assert await invariants.check() == []


async def test_an_old_versions_rule_ends_its_runs_after_another_was_published(drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[{"event": "order.placed"}])
    ada = await _started()
    await drain()
    await flows.change(flow_id, WAIT_4H, REMIND)
    await flows.happens("order.placed", ada, order_id=new_id())
    await drain()
    assert (await flows.run())["exit_reason"] == "ORDER_PLACED"

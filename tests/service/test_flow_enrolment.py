"""Who is taken into a flow, how often, and what a repeated trigger does."""

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
WAIT_2D = {"key": "wait-2d", "kind": "delay", "period": "P2D"}
REMIND = {"key": "remind", **flows.MAIL}
ORDERED = {"event": "order.placed"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def _checkout(profile_id: uuid.UUID, cart_id: uuid.UUID | None = None, **facts: object) -> None:
    await flows.happens("checkout.started", profile_id, cart_id=cart_id or new_id(), **facts)


async def _statuses() -> list[tuple[str, str, str | None]]:
    return [(run["flow"], run["status"], run["exit_reason"]) for run in await flows.runs()]


async def test_the_trigger_and_the_entry_decide(drain: Drain) -> None:
    await flows.publish(
        "reminder", WAIT_4H,
        trigger={"event": "checkout.started", "if": "event.checkoutId == 'yes'"}, entry="customer.orderCount == 0",
    )  # fmt: skip
    ada, grace = await flows.person(), await flows.person("grace@customer.example")
    await db.execute("UPDATE profiles SET order_count = 1 WHERE id = $1", grace)
    await _checkout(ada, checkoutId="no")
    await _checkout(grace, checkoutId="yes")
    await drain()
    assert await flows.runs() == []
    await _checkout(ada, checkoutId="yes")
    await drain()
    assert (await flows.run())["profile_id"] == ada


async def test_a_draft_takes_nobody_in_and_a_publish_is_seen_at_once(drain: Drain) -> None:
    flow_id = await flows.save("reminder", WAIT_4H)
    ada = await flows.person()
    await _checkout(ada)
    await drain()
    assert await flows.runs() == []
    await flows.service.publish(flow_id)
    await _checkout(ada)
    await drain()
    assert len(await flows.runs()) == 1


async def test_an_exit_that_came_first_keeps_the_person_out(drain: Drain) -> None:
    """The order is delivered before the checkout that it ended, and the checkout after everything."""
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[ORDERED])
    ada = await flows.person()
    cart_id = new_id()
    await _checkout(ada, cart_id)
    await flows.happens("order.placed", ada, order_id=new_id(), cart_id=cart_id)
    late = await db.fetchval("SELECT id FROM events WHERE type = 'checkout.started'")
    await db.execute("UPDATE events SET attempts = 1 WHERE id = $1", late)
    await drain()
    await db.execute("UPDATE events SET attempts = 0 WHERE id = $1", late)
    await drain()
    assert await flows.runs() == []


async def test_an_order_with_another_email_keeps_the_carts_person_out(drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[ORDERED])
    ada, grace = await flows.person(), await flows.person("grace@customer.example")
    cart_id = new_id()
    await _checkout(ada, cart_id)
    await flows.happens("order.placed", grace, order_id=new_id(), cart_id=cart_id)
    await drain()
    assert [run for run in await flows.runs() if run["status"] == "ACTIVE"] == []


async def test_one_living_run_for_each_key(drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H)
    ada = await flows.person()
    first, second = new_id(), new_id()
    for cart_id in (first, first, second):
        await _checkout(ada, cart_id)
    await drain()
    assert [run["key"] for run in await flows.runs()] == [str(first), str(second)]


async def test_one_run_for_each_person_where_the_key_is_the_customer(drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, trigger={"event": "checkout.started", "key": "customer"})
    ada = await flows.person()
    for _ in range(2):
        await _checkout(ada)
    await drain()
    assert [run["key"] for run in await flows.runs()] == ["customer"]


async def test_once_is_once(advance: Advance, drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, reentry={"policy": "once"})
    ada = await flows.person()
    await _checkout(ada)
    await advance("P30D")
    await _checkout(ada)
    await drain()
    assert await _statuses() == [("reminder", "COMPLETED", None)]


async def test_a_cooldown_counts_from_the_last_entry(advance: Advance, drain: Drain) -> None:
    await flows.publish("reminder", REMIND, reentry={"policy": "cooldown", "period": "P7D"})
    ada = await flows.person()
    await _checkout(ada)
    await advance("P6D")
    await _checkout(ada)
    await drain()
    assert len(await flows.runs()) == 1
    await advance("P2D")
    await _checkout(ada)
    await drain()
    assert len(await flows.runs()) == 2


async def test_who_left_before_anything_was_written_may_come_again_at_once(drain: Drain) -> None:
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[ORDERED], reentry={"policy": "cooldown", "period": "P7D"})
    ada = await flows.person()
    await _checkout(ada)
    await drain()
    await flows.happens("order.placed", ada, order_id=new_id())
    await drain()
    await _checkout(ada)
    await drain()
    assert await _statuses() == [("reminder", "EXITED", "ORDER_PLACED"), ("reminder", "ACTIVE", None)]


async def test_a_newer_checkout_takes_the_place_of_the_older(advance: Advance, drain: Drain) -> None:
    newer = {"event": "checkout.started", "if": "event.checkoutId != run.checkoutId"}
    await flows.publish("reminder", WAIT_4H, REMIND, exitOn=[newer])
    ada = await flows.person()
    await _checkout(ada, checkoutId="one")
    await advance("PT1H")
    await _checkout(ada, checkoutId="two")
    await advance("PT4H")
    assert await _statuses() == [("reminder", "EXITED", "CHECKOUT_STARTED"), ("reminder", "COMPLETED", None)]
    assert await flows.sent() == ["remind SENT"]


async def test_a_checkout_supersedes_its_carts_run_and_no_other(drain: Drain) -> None:
    await flows.publish("cart", WAIT_2D, trigger={"event": "cart.updated"})
    await flows.publish("checkout", WAIT_2D, supersedes=["cart"])
    ada = await flows.person()
    cart_id, other = new_id(), new_id()
    for cart in (cart_id, other):
        await flows.happens("cart.updated", ada, cart_id=cart)
    await drain()
    await _checkout(ada, cart_id)
    await drain()
    assert await _statuses() == [
        ("cart", "EXITED", "SUPERSEDED"), ("cart", "ACTIVE", None), ("checkout", "ACTIVE", None),
    ]  # fmt: skip
    await flows.happens("cart.updated", ada, cart_id=cart_id)  # the cart changes during its checkout
    await drain()
    assert len(await flows.runs()) == 3
    assert await invariants.check() == []


async def test_quiet_time_begins_anew_with_each_repetition(advance: Advance, drain: Drain) -> None:
    await flows.publish(
        "idle", REMIND, trigger={"event": "cart.updated", "quietFor": "PT24H"}, entry="customer.orderCount == 0"
    )
    ada, cart_id = await flows.person(), new_id()
    await flows.happens("cart.updated", ada, cart_id=cart_id)
    await drain()
    await advance("PT20H")
    assert await _statuses() == [("idle", "PENDING", None)]
    await flows.happens("cart.updated", ada, cart_id=cart_id)
    await drain()
    await advance("PT20H")
    assert await _statuses() == [("idle", "PENDING", None)]
    await advance("PT4H")
    assert await _statuses() == [("idle", "COMPLETED", None)]
    assert await flows.sent() == ["remind SENT"]


async def test_the_entry_is_asked_when_the_quiet_time_is_over(advance: Advance) -> None:
    await flows.publish(
        "idle", REMIND, trigger={"event": "cart.updated", "quietFor": "PT24H"}, entry="customer.orderCount == 0",
        reentry={"policy": "once"},
    )  # fmt: skip
    ada, cart_id = await flows.person(), new_id()
    await flows.happens("cart.updated", ada, cart_id=cart_id)
    await db.execute("UPDATE profiles SET order_count = 1 WHERE id = $1", ada)
    await advance("PT24H")
    assert await _statuses() == [("idle", "EXITED", "ENTRY_NOT_MET")]
    await db.execute("UPDATE profiles SET order_count = 0 WHERE id = $1", ada)
    await flows.happens("cart.updated", ada, cart_id=cart_id)
    await advance("PT24H")  # pending runs do not count for `once`
    assert await _statuses() == [("idle", "EXITED", "ENTRY_NOT_MET"), ("idle", "COMPLETED", None)]
    assert await invariants.check() == []


async def test_a_repetition_restarts_the_waiting_until_something_was_written(advance: Advance, drain: Drain) -> None:
    await flows.publish("browse", WAIT_4H, REMIND, WAIT_2D, trigger={"event": "cart.updated"}, onRepeat="restart")
    ada, cart_id = await flows.person(), new_id()
    await flows.happens("cart.updated", ada, cart_id=cart_id)
    await drain()
    await advance("PT3H")
    await flows.happens("cart.updated", ada, cart_id=cart_id)
    await drain()
    await advance("PT3H")
    assert await flows.sent() == []
    await advance("PT1H")
    assert await flows.sent() == ["remind SENT"]
    await flows.happens("cart.updated", ada, cart_id=cart_id)
    await drain()
    await advance("P2D")
    assert await flows.sent() == ["remind SENT"]
    assert await _statuses() == [("browse", "COMPLETED", None)]


async def test_segments_start_flows(drain: Drain) -> None:
    await flows.save("vip", WAIT_4H, trigger={"segment": "vip"})
    await db.execute(
        """
        INSERT INTO segments (id, key, name, condition, revision, status, depends_on, time_dependent, created_at,
                              updated_at)
        VALUES (gen_random_uuid(), 'vip', 'VIP', 'true', 1, 'READY', '[]', false, business_now(), business_now())
        """
    )
    await flows.publish("vip-left", WAIT_4H, trigger={"segment": "vip", "change": "left"})
    await flows.publish("vip-entered", WAIT_4H, trigger={"segment": "vip"})
    ada = await flows.person()
    await flows.happens("segment.entered", ada, segmentKey="vip", segmentId="1")
    await flows.happens("segment.entered", ada, segmentKey="other", segmentId="2")
    await drain()
    assert [run["flow"] for run in await flows.runs()] == ["vip-entered"]
    await flows.happens("segment.left", ada, segmentKey="vip", segmentId="1")
    await drain()
    assert [run["flow"] for run in await flows.runs()] == ["vip-entered", "vip-left"]


async def test_a_held_out_run_goes_through_and_does_nothing(drain: Drain) -> None:
    await flows.publish(
        "reminder", REMIND, {"kind": "issue_coupon", "percentage": 10, "validFor": "P1D"},
        {"kind": "update_profile", "set": {"vip": True}}, holdout=1,
    )  # fmt: skip
    await _checkout(await flows.person())
    await drain()
    assert (await flows.run())["in_holdout"]
    assert await flows.story() == ["remind SKIPPED HOLDOUT", "step-2 SKIPPED HOLDOUT", "step-3 SKIPPED HOLDOUT"]
    assert await flows.sent() == []
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 0


async def test_a_version_in_flight_is_finished_and_a_new_one_takes_in(advance: Advance, drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, {**REMIND, "key": "old"})
    ada, grace = await flows.person(), await flows.person("grace@customer.example")
    await _checkout(ada)
    await drain()
    await flows.change(flow_id, WAIT_4H, {**REMIND, "key": "new"})
    await _checkout(grace)
    await advance("PT4H")
    assert await flows.sent() == ["old SENT", "new SENT"]

"""Simulation: the engine's decisions over what really happened, and nothing written but the job's result."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from app import db
from app.customers.models import ConsentAction
from app.errors import DomainError
from app.flows.simulation import job as simulation
from app.jobs import service as jobs
from app.messaging.models import MessageChannel
from tests.factories import customers, flows, shop

Drain = Callable[[], Awaitable[None]]
DAY = timedelta(days=1)
WAIT_4H = {"key": "wait-4h", "kind": "delay", "period": "PT4H"}
MAIL = {"key": "mail", "kind": "send_email", "template": "hello"}
EXCLUDED = {"jobs", "events", "event_receipts"}


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def everything_else() -> dict[str, str]:
    """A digest of every table that a simulation has no business with."""
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    parts = [
        f"SELECT '{row['tablename']}' AS name, md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) AS digest "
        f'FROM "{row["tablename"]}" t'
        for row in tables
        if row["tablename"] not in EXCLUDED
    ]
    return {row["name"]: row["digest"] for row in await db.fetch(" UNION ALL ".join(parts))}


async def simulated(flow: uuid.UUID, days: int = 120) -> dict[str, Any]:
    before = await everything_else()
    job_id = await simulation.request_simulation(flow, days, created_by=None)
    await simulation.run_simulation(job_id)
    assert await everything_else() == before
    row = await db.fetchrow("SELECT status, result FROM jobs WHERE id = $1", job_id)
    assert row is not None
    assert row["status"] == "SUCCEEDED"
    result: dict[str, Any] = orjson.loads(row["result"])
    return result


def step(result: dict[str, Any], key: str) -> dict[str, Any]:
    return next(one for one in result["steps"] if one["key"] == key)


async def person(*, consented: bool = True, since: timedelta = 365 * DAY) -> uuid.UUID:
    """Somebody of long ago."""
    somebody = await customers.profile(
        email=f"{uuid.uuid4().hex}@customers.example",
        consents=[MessageChannel.EMAIL] if consented else [],
        announced=False,
    )
    await db.execute("UPDATE profiles SET created_at = created_at - $2::interval WHERE id = $1", somebody, since)
    await _predate_consents(somebody, since)
    return somebody


async def _predate_consents(profile_id: uuid.UUID, by: timedelta) -> None:
    """Consents cannot be changed, which this test's past needs."""
    await db.execute(
        f"""
        DO $$ BEGIN SET LOCAL session_replication_role = replica;
        UPDATE consents SET recorded_at = recorded_at - interval '{by.days} days' WHERE profile_id = '{profile_id}';
        END $$
        """
    )


async def happened(event_type: str, profile_id: uuid.UUID, ago: timedelta, **facts: object) -> None:
    event_id = await flows.happens(event_type, profile_id, **facts)
    await db.execute("UPDATE profile_events SET occurred_at = occurred_at - $2::interval WHERE id = $1", event_id, ago)


async def test_orders_of_the_past_start_runs_that_send_skip_and_end(drain: Drain) -> None:
    agreed, silent = await person(), await person(consented=False)
    for somebody in (agreed, silent):
        await customers.past_order(somebody, ago=50 * DAY)
    await customers.past_order(agreed, ago=30 * DAY)
    await customers.past_order(agreed, ago=300 * DAY)
    flow = await flows.publish(
        "thanks", WAIT_4H, MAIL, {"key": "rest", "kind": "delay", "period": "P40D"}, trigger={"event": "order.placed"}
    )
    result = await simulated(flow)
    assert (result["people"], result["enrolled"], result["sent"]) == (2, 3, 2)
    assert step(result, "mail")["skipped"] == {"NO_CONSENT": 1}
    assert step(result, "wait-4h")["done"] == 3
    assert (result["completed"], result["active"], step(result, "rest")["waiting"]) == (2, 1, 1)
    assert result["skipped"] == {"NO_CONSENT": 1}
    assert result["notes"]


async def test_an_order_ends_a_run_before_its_reminder_also_at_the_same_moment(drain: Drain) -> None:
    for hours in (3, 4, 5):
        somebody = await person()
        await happened("checkout.started", somebody, 10 * DAY, cart_id=uuid.uuid4())
        started = await db.fetchval("SELECT occurred_at FROM profile_events WHERE profile_id = $1", somebody)
        await customers.past_order(somebody, at=started + timedelta(hours=hours))
    flow = await flows.publish("reminder", WAIT_4H, MAIL, exitOn=[{"event": "order.placed"}])
    result = await simulated(flow)
    assert (result["enrolled"], result["sent"], result["completed"]) == (3, 1, 1)
    assert result["exited"] == {"ORDER_PLACED": 2}


async def test_consent_counts_as_it_was_then(drain: Drain) -> None:
    somebody = await person()
    for ago in (40 * DAY, 10 * DAY):
        await happened("product.viewed", somebody, ago, product_id=uuid.uuid4())
    address = await db.fetchval("SELECT email FROM profiles WHERE id = $1", somebody)
    revoked = await customers.consent(somebody, MessageChannel.EMAIL, address, ConsentAction.REVOKED)
    await db.execute(
        f"""
        DO $$ BEGIN SET LOCAL session_replication_role = replica;
        UPDATE consents SET recorded_at = recorded_at - interval '20 days' WHERE id = '{revoked}';
        END $$
        """
    )
    flow = await flows.publish("browse", MAIL, trigger={"event": "product.viewed"})
    result = await simulated(flow)
    assert (result["sent"], step(result, "mail")["skipped"]) == (1, {"CONSENT_REVOKED": 1})


async def test_people_lapse_as_their_orders_had_it(drain: Drain) -> None:
    """The date moves with each order: who orders every twenty days lapses thirty days after the last."""
    regular, once, active = await person(), await person(), await person()
    for days in (115, 95, 75):
        await customers.past_order(regular, ago=days * DAY)
    await customers.past_order(once, ago=100 * DAY)
    await customers.past_order(active, ago=20 * DAY)
    flow = await flows.publish(
        "win_back",
        MAIL,
        trigger={"date": "customer.lapsesAt"},
        entry="customer.orderCount > 0 && customer.lapsesAt <= now && customer.stage == 'LAPSED'",
    )
    await drain()
    result = await simulated(flow)
    assert (result["enrolled"], result["sent"]) == (2, 2)
    # Seven weeks ago both were still expected.
    assert (await simulated(flow, days=30))["enrolled"] == 0


async def test_caps_and_reentry_are_those_of_the_engine(drain: Drain) -> None:
    somebody = await person()
    for hours in (100, 98, 50):
        await happened("product.viewed", somebody, timedelta(hours=hours), product_id=uuid.uuid4())
    always = await flows.publish("always", MAIL, trigger={"event": "product.viewed"})
    result = await simulated(always)
    assert (result["enrolled"], result["sent"], result["skipped"]) == (3, 2, {"FREQUENCY_CAP": 1})
    trigger = {"event": "product.viewed", "key": "customer"}
    once = await flows.publish("once", MAIL, trigger=trigger, reentry={"policy": "once"})
    assert (await simulated(once))["enrolled"] == 1
    cooldown = {"policy": "cooldown", "period": "PT10H"}
    again = await flows.publish("again", MAIL, trigger=trigger, reentry=cooldown)
    assert (await simulated(again))["enrolled"] == 2


async def test_a_trigger_that_has_to_stay_quiet_counts_from_its_last_time(drain: Drain) -> None:
    patient, bought = await person(), await person()
    cart = uuid.uuid4()
    for hours in (60, 50):
        await happened("cart.updated", patient, timedelta(hours=hours), cart_id=cart)
    await happened("cart.updated", bought, timedelta(hours=60), cart_id=uuid.uuid4())
    await customers.past_order(bought, ago=timedelta(hours=48))
    flow = await flows.publish(
        "cart", MAIL, trigger={"event": "cart.updated", "quietFor": "PT24H"}, entry="customer.orderCount == 0"
    )
    result = await simulated(flow)
    assert (result["enrolled"], result["turnedAway"], result["sent"]) == (1, 1, 1)


async def test_waiting_for_an_event_goes_both_ways(drain: Drain) -> None:
    quick, slow = await person(), await person()
    for somebody, later in ((quick, timedelta(hours=2)), (slow, timedelta(hours=9))):
        await happened("checkout.started", somebody, 10 * DAY, cart_id=uuid.uuid4())
        await happened("survey.responded", somebody, 10 * DAY - later, score=9)
    flow = await flows.publish(
        "asks",
        {
            "key": "answer",
            "kind": "wait_for",
            "event": "survey.responded",
            "if": "event.score > 6",
            "timeout": "PT6H",
            "then": "coupon",
            "else": "mail",
        },
        {**MAIL, "then": "end"},
        {"key": "coupon", "kind": "issue_coupon", "percentage": 10, "validFor": "PT72H"},
        {"key": "mark", "kind": "update_profile", "set": {"happy": True}},
    )
    result = await simulated(flow)
    assert (step(result, "coupon")["done"], step(result, "mark")["done"], step(result, "mail")["sent"]) == (1, 1, 1)


async def test_the_same_simulation_twice_gives_the_same(drain: Drain) -> None:
    for number in range(40):
        await customers.past_order(await person(), ago=(20 + number) * DAY)
    split = {"key": "half", "kind": "split", "branches": [{"weight": 1, "then": "mail"}, {"weight": 1, "then": "end"}]}
    flow = await flows.publish("half", split, MAIL, trigger={"event": "order.placed"}, holdout=0.3)
    first, second = await simulated(flow), await simulated(flow)
    assert {**first, "from": None, "until": None} == {**second, "from": None, "until": None}
    assert 0 < first["sent"] < 40


async def test_an_interrupted_simulation_goes_on_and_comes_to_the_same(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        somebody = await person(consented=number % 3 > 0)
        await customers.past_order(somebody, ago=20 * DAY)
        if number % 2:
            await customers.past_order(somebody, ago=20 * DAY - timedelta(hours=1))
    ending = {"exitOn": [{"event": "order.placed"}], "trigger": {"event": "order.placed"}}
    flow = await flows.publish("thanks", MAIL, WAIT_4H, **ending)
    whole = await simulated(flow)
    monkeypatch.setattr(simulation, "BATCH", 3)
    saved, batches = jobs.save_progress, 0

    async def dies_in_the_second_batch(*args: Any, **more: Any) -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise ConnectionAbortedError
        await saved(*args, **more)

    monkeypatch.setattr(jobs, "save_progress", dies_in_the_second_batch)
    job_id = await simulation.request_simulation(flow, 120, created_by=None)
    with pytest.raises(ConnectionAbortedError):
        await simulation.run_simulation(job_id)
    await simulation.run_simulation(job_id)
    result = orjson.loads(await db.fetchval("SELECT result FROM jobs WHERE id = $1", job_id))
    assert {**result, "from": None, "until": None} == {**whole, "from": None, "until": None}
    assert (result["people"], result["exited"]) == (10, {"ORDER_PLACED": 5})
    assert result["skipped"]["NO_CONSENT"] > 3, (
        "in several batches, as the figures that are saved with each must differ"
    )


async def test_a_draft_can_be_tried_and_days_have_a_range(drain: Drain) -> None:
    await customers.past_order(await person(), ago=20 * DAY)
    await flows.template("hello")
    flow = await flows.save("thanks", MAIL, trigger={"event": "order.placed"})
    assert (await simulated(flow))["sent"] == 1
    for days in (0, 36_501):
        with pytest.raises(DomainError) as refusal:
            await simulation.request_simulation(flow, days, created_by=None)
        assert refusal.value.code.name == "OUT_OF_RANGE"

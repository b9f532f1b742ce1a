"""What each kind of step does."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from app import clock, db, invariants
from app.customers.vocabulary import EVENT_TYPES
from app.flows.calendar import anniversary, next_local
from app.flows.rules import chance, pick
from app.flows.steps.webhook import PRIVATE, told_of
from app.kit.ids import new_id
from app.webhooks.event_types import PUBLIC_EVENTS
from tests.client import Api
from tests.factories import flows, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
REMIND = {"key": "remind", **flows.MAIL}
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop(time_zone="Europe/Berlin")


async def _started(*, phone: str | None = None, **facts: object) -> uuid.UUID:
    ada = await flows.person(phone=phone)
    await flows.happens("checkout.started", ada, cart_id=new_id(), **facts)
    return ada


# --- delay_until ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "at", "weekdays", "expected"),
    [
        ("2026-11-23T07:00+01:00", "09:00", (), "2026-11-23T09:00+01:00"),
        ("2026-11-23T09:00+01:00", "09:00", (), "2026-11-23T09:00+01:00"),
        ("2026-11-23T09:01+01:00", "09:00", (), "2026-11-24T09:00+01:00"),
        ("2026-11-27T10:00+01:00", "09:00", ("MON", "FRI"), "2026-11-30T09:00+01:00"),
        ("2026-11-27T10:00+01:00", None, ("FRI",), "2026-11-27T10:00+01:00"),
        ("2026-11-28T10:00+01:00", None, ("FRI",), "2026-12-04T00:00+01:00"),
        # Clocks go forward at 02:00 on 2026-03-29 and back at 03:00 on 2026-10-25.
        ("2026-03-28T12:00+01:00", "02:30", (), "2026-03-29T03:30+02:00"),
        ("2026-03-28T12:00+01:00", "09:00", (), "2026-03-29T09:00+02:00"),
        ("2026-10-24T12:00+02:00", "02:30", (), "2026-10-25T02:30+02:00"),
        ("2026-10-24T12:00+02:00", "09:00", (), "2026-10-25T09:00+01:00"),
    ],
)
def test_the_next_local_time(after: str, at: str | None, weekdays: tuple[str, ...], expected: str) -> None:
    time = datetime.strptime(at, "%H:%M").time() if at else None  # noqa: DTZ007 - a time of day
    assert next_local(datetime.fromisoformat(after), BERLIN, time, weekdays) == datetime.fromisoformat(expected)


def test_the_29th_of_february() -> None:
    born = datetime(2000, 2, 29, tzinfo=UTC).date()
    assert [anniversary(born, year).isoformat() for year in (2027, 2028)] == ["2027-02-28", "2028-02-29"]


async def test_delay_until_a_time_of_day_of_the_person_or_the_shop(advance: Advance, drain: Drain) -> None:
    await flows.publish("reminder", {"key": "morning", "kind": "delay_until", "time": "09:00"}, REMIND)
    await _started()
    await drain()
    due = (await flows.run())["due_at"]
    assert due == next_local(await clock.now(), BERLIN, datetime(2026, 1, 1, 9, tzinfo=UTC).time())
    grace = await flows.person("grace@customer.example")
    await db.execute("UPDATE profiles SET time_zone = 'Asia/Tokyo' WHERE id = $1", grace)
    await flows.happens("checkout.started", grace, cart_id=new_id())
    await drain()
    assert (await flows.runs(grace))[0]["due_at"].astimezone(ZoneInfo("Asia/Tokyo")).hour == 9
    await advance("P1D")
    assert len(await flows.sent()) == 2


async def test_delay_until_before_the_coupon_ends(advance: Advance, drain: Drain) -> None:
    await flows.publish(
        "discount",
        {"key": "code", "kind": "issue_coupon", "percentage": 10, "validFor": "PT72H"},
        {"key": "last-day", "kind": "delay_until", "at": "coupon.endsAt", "offset": "-PT24H"},
        REMIND,
    )
    await _started()
    await drain()
    await advance("PT47H")
    assert await flows.sent() == []
    await advance("PT1H")
    assert await flows.sent() == ["remind SENT"]


async def test_a_moment_that_is_unknown_or_over_is_not_waited_for(drain: Drain) -> None:
    await flows.publish(
        "reminder",
        {"key": "lapse", "kind": "delay_until", "at": "customer.lapsesAt"},
        {"key": "entered", "kind": "delay_until", "at": "run.enteredAt", "offset": "-PT1H"},
        {"key": "born", "kind": "delay_until", "at": "customer.properties.birthday"},
    )
    ada = await flows.person()
    await db.execute("""UPDATE profiles SET properties = '{"birthday": "1990-05-12"}' WHERE id = $1""", ada)
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await drain()
    assert await flows.story() == ["lapse SKIPPED MOMENT_UNKNOWN", "entered DONE", "born DONE"]


# --- wait_for ---------------------------------------------------------------------------------------------------------

CLICKED = {
    "key": "clicked", "kind": "wait_for", "event": "message.clicked", "if": "event.runId == run.id", "timeout": "PT6H",
    "then": "end", "else": "text",
}  # fmt: skip
TEXT = {"key": "text", "kind": "update_profile", "set": {"asked": True}}


async def test_wait_for_an_event_of_this_run(advance: Advance, drain: Drain) -> None:
    await flows.publish("reminder", REMIND, CLICKED, TEXT)
    ada = await _started()
    await drain()
    run = await flows.run()
    await flows.happens("message.clicked", ada, runId=str(new_id()))
    await drain()
    assert (await flows.run())["waiting_for"] == "message.clicked"
    assert await invariants.check() == []
    await flows.happens("message.clicked", ada, runId=str(run["id"]))
    await drain()
    assert (await flows.run())["status"] == "COMPLETED"
    assert (await flows.story())[-1] == "clicked DONE MESSAGE_CLICKED"


async def test_wait_for_gives_up_at_its_time_also_after_a_wrong_event(advance: Advance, drain: Drain) -> None:
    await flows.publish("reminder", REMIND, CLICKED, TEXT)
    ada = await _started()
    await advance("PT3H")
    await flows.happens("message.clicked", ada, runId=str(new_id()))
    await drain()
    await advance("PT2H59M")
    assert (await flows.run())["status"] == "ACTIVE"
    await advance("PT1M")
    assert await flows.story() == ["remind DONE", "clicked WAITING", "clicked DONE TIMEOUT", "text DONE"]


async def test_wait_for_sees_what_was_delivered_before_its_trigger(drain: Drain) -> None:
    delivered = {"key": "arrived", "kind": "wait_for", "event": "order.delivered", "timeout": "P30D"}
    await flows.publish("thanks", delivered, REMIND, trigger={"event": "order.placed"})
    ada, order_id = await flows.person(), new_id()
    placed = await flows.happens("order.placed", ada, order_id=order_id)
    await flows.happens("order.delivered", ada, order_id=order_id)
    await db.execute("UPDATE events SET attempts = 1 WHERE id = $1", placed)
    await drain()
    await db.execute("UPDATE events SET attempts = 0 WHERE id = $1", placed)
    await drain()
    assert await flows.story() == ["arrived DONE ORDER_DELIVERED", "remind DONE"]


async def test_wait_for_sees_after_a_pause_what_happened_during_it(drain: Drain) -> None:
    flow_id = await flows.publish("reminder", REMIND, CLICKED, TEXT)
    ada = await _started()
    await drain()
    run = await flows.run()
    await flows.service.pause(flow_id)
    await flows.happens("message.clicked", ada, runId=str(run["id"]))
    await drain()
    assert (await flows.run())["status"] == "ACTIVE"
    await flows.service.resume(flow_id)
    await drain()
    assert (await flows.run())["status"] == "COMPLETED"


# --- choosing ---------------------------------------------------------------------------------------------------------


async def test_a_condition_chooses_and_one_that_fails_goes_the_other_way(drain: Drain) -> None:
    await flows.publish(
        "choice",
        {"key": "new", "kind": "condition", "if": "customer.orderCount == 0", "then": "broken", "else": "end"},
        {"key": "broken", "kind": "condition", "if": "1 / customer.orderCount > 0", "then": "end", "else": "note"},
        {"key": "note", "kind": "update_profile", "set": {"asked": True}},
    )
    await _started()
    await drain()
    assert await flows.story() == ["new DONE THEN", "broken FAILED CONDITION_FAILED", "note DONE"]


def test_chance_is_the_same_for_a_run_and_spread_over_runs() -> None:
    run_ids = [new_id() for _ in range(2_000)]
    assert [chance(run_id, "a") for run_id in run_ids] == [chance(run_id, "a") for run_id in run_ids]
    picked = [pick([3, 1], chance(run_id, "a")) for run_id in run_ids]
    assert 0.18 < sum(picked) / len(picked) < 0.32
    other = [pick([3, 1], chance(run_id, "b")) for run_id in run_ids]
    assert picked != other
    assert (pick([1, 1], 0.0), pick([1, 1], 0.999_999)) == (0, 1)


async def test_a_split_takes_one_of_its_ways(drain: Drain) -> None:
    await flows.publish(
        "split",
        {"key": "ab", "kind": "split", "branches": [{"weight": 1, "then": "a"}, {"weight": 1, "then": "b"}]},
        {"key": "a", "kind": "end"},
        {"key": "b", "kind": "end"},
    )
    await _started()
    await drain()
    run = await flows.run()
    way = ["a", "b"][pick([1, 1], chance(run["id"], "split:ab"))]
    assert await flows.story() == ["ab DONE BRANCH", f"{way} DONE"]


async def test_a_holdout_step_silences_what_follows(drain: Drain) -> None:
    await flows.publish("reminder", REMIND, {"key": "out", "kind": "holdout", "share": 1}, {"key": "two", **flows.MAIL})
    await _started()
    await drain()
    assert await flows.story() == ["remind DONE", "out DONE HOLDOUT", "two SKIPPED HOLDOUT"]


# --- acting -----------------------------------------------------------------------------------------------------------


async def test_a_message_that_is_skipped_says_why(drain: Drain) -> None:
    await flows.publish("reminder", {**REMIND, "if": "customer.orderCount > 0"}, {"key": "text", **flows.TEXT})
    await _started()  # without a phone number
    await drain()
    assert await flows.story() == ["remind SKIPPED CONDITION_NOT_MET", "text SKIPPED NO_ADDRESS"]
    assert await flows.sent() == ["text SKIPPED NO_ADDRESS"]


async def test_a_cap_defers_and_the_message_comes_later(advance: Advance, drain: Drain) -> None:
    await flows.publish("second", {"key": "also", **flows.MAIL, "onCap": "defer"})
    await flows.publish("first", REMIND, priority=10)
    await flows.publish("third", {"key": "never", **flows.MAIL})
    await _started()
    await drain()
    assert await flows.sent() == ["remind SENT", "never SKIPPED FREQUENCY_CAP"]
    assert "also WAITING FREQUENCY_CAP" in await flows.story()
    await advance("PT16H")
    assert await flows.sent() == ["remind SENT", "never SKIPPED FREQUENCY_CAP", "also SENT"]


async def test_a_coupon_is_one_for_a_run_and_step(drain: Drain) -> None:
    await flows.publish(
        "discount",
        {"key": "code", "kind": "issue_coupon", "amount": "5.00", "validFor": "PT72H", "name": "Five off"},
        {"key": "wait", "kind": "delay", "period": "P1D"},
    )
    ada = await _started()
    await drain()
    run = await flows.run()
    row = await db.fetchrow("SELECT c.*, d.amount_minor FROM discount_codes c JOIN discounts d ON d.id = c.discount_id")
    assert row is not None
    assert (row["profile_id"], row["issued_by"], row["amount_minor"]) == (ada, f"run:{run['id']}:code", 500)
    assert run["state"]["coupon"]["code"] == row["code"]
    assert await invariants.check() == []


async def test_a_profile_is_updated_and_the_timeline_says_so(drain: Drain) -> None:
    ada = await flows.person()
    await db.execute("""UPDATE profiles SET properties = '{"old": 1, "kept": 2}' WHERE id = $1""", ada)
    await flows.publish(
        "note",
        {"kind": "update_profile", "set": {"vip": True, "old": None}, "stage": "DORMANT", "holdMarketing": "P30D"},
        REMIND,
    )
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await drain()
    row = await db.fetchrow("SELECT properties, stage, marketing_held_until FROM profiles WHERE id = $1", ada)
    assert row is not None
    assert orjson.loads(row["properties"]) == {"kept": 2, "vip": True}
    assert row["stage"] == "DORMANT"
    assert abs(row["marketing_held_until"] - await clock.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert await flows.sent() == ["remind SKIPPED MARKETING_HELD"]
    changed = await db.fetchval("SELECT data->>'changed' FROM profile_events WHERE type = 'profile.updated'")
    assert changed == "properties.old,properties.vip,stage,marketingHeldUntil"


async def test_a_webhook_is_enqueued_once(drain: Drain) -> None:
    endpoint_id = new_id()
    await db.execute(
        """
        INSERT INTO webhook_endpoints (id, name, url, event_types, secret_generation, enabled, created_at, updated_at)
        VALUES ($1, 'CRM', 'https://crm.example/hook', '[]', 1, true, business_now(), business_now())
        """,
        endpoint_id,
    )
    await flows.publish(
        "tell", {"key": "crm", "kind": "webhook", "endpoint": f"whe_{endpoint_id.hex}", "data": {"a": 1}}
    )
    ada = await _started()
    await _until_completed()
    row = await db.fetchrow("SELECT endpoint_id, body FROM webhook_deliveries WHERE run_id IS NOT NULL")
    assert row is not None
    assert row["endpoint_id"] == endpoint_id
    body = orjson.loads(row["body"])
    assert body["type"] == "flow.step"
    assert body["data"]["data"] == {"a": 1}
    assert body["data"]["profileId"] == f"prof_{ada.hex}"


async def _until_completed() -> None:
    """Only the flows' own events: what a webhook does after them is not asked here."""
    from app.events.delivery import deliver

    for event_type in ("checkout.started", "flow.run_due"):
        for row in await db.fetch("SELECT id FROM events WHERE type = $1", event_type):
            await deliver(row["id"])


LOOKED_AT = {
    *("changed", "flowKey", "newPriceMinor", "oldPriceMinor", "property", "source", "startedAt", "stepKey"),
    "triggerIndex",
}


def test_a_webhook_tells_ids_and_facts_of_a_trigger_and_nothing_that_opens_something() -> None:
    given = {"orderId": "o", "code": "HRBK7RTQWX", "query": "gift for Ada", "url": "https://shop.example/x", "score": 3}
    assert told_of(given) == {"orderId": "o", "score": 3}
    facts = {name for event in EVENT_TYPES.values() for name in event.data if not name.endswith("Id")} - PRIVATE
    documented = {datum.name for event in PUBLIC_EVENTS.values() for datum in event.data}
    assert facts - documented == LOOKED_AT, "whoever adds a datum to an event says whether others may have it"


async def test_staff_are_written_to(drain: Drain) -> None:
    await flows.publish("tell", {"key": "staff", "kind": "notify_staff", "subject": "A big cart", "text": "Call them."})
    await _started()
    await drain()
    row = await db.fetchrow("SELECT recipient, template, state, purpose FROM messages")
    assert row is not None
    assert dict(row) == {
        "recipient": "hello@tradewind.example", "template": "staff_notice", "state": "SENT", "purpose": "TRANSACTIONAL",
    }  # fmt: skip

"""Flows that start on dates: birthdays, expected orders, lapses."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import clock, db, invariants
from app.customers import timeline
from app.flows import dates
from tests.client import Api
from tests.factories import flows, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
NOTE = {"key": "note", "kind": "update_profile", "set": {"greeted": True}}
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop(time_zone="Europe/Berlin")


async def _in(**ahead: float) -> datetime:
    return await clock.now() + timedelta(**ahead)


async def _set(profile_id: uuid.UUID, column: str, value: object, *, told: bool = True) -> None:
    """What the domain of customers does: change it, and say so."""
    async with db.unit_of_work():
        if column.startswith("properties."):
            name = column.removeprefix("properties.")
            await db.execute(
                "UPDATE profiles SET properties = properties || jsonb_build_object($2::text, $3::text) WHERE id = $1",
                profile_id,
                name,
                value,
            )
        else:
            await db.execute(f"UPDATE profiles SET {column} = $2 WHERE id = $1", profile_id, value)
        if told:
            await timeline.record("profile.updated", profile_id=profile_id, data={"changed": column})


async def test_a_publish_plans_for_everybody_in_batches(
    advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dates, "BATCH", 2)
    people = [await flows.person(f"p{number}@customer.example") for number in range(5)]
    for person in people[:3]:
        await _set(person, "lapses_at", await _in(days=3), told=False)
    await _set(people[3], "lapses_at", await _in(days=-3), told=False)  # over: a backfill's business
    await flows.publish("win_back", NOTE, trigger={"date": "customer.lapsesAt"})
    await drain()
    assert await db.fetchval("SELECT count(*) FROM flow_dates") == 3
    assert await flows.runs() == []
    await advance("P3D")
    assert {run["profile_id"] for run in await flows.runs()} == set(people[:3])
    assert await db.fetchval("SELECT count(*) FROM flow_dates") == 0
    assert await invariants.check() == []


async def test_a_date_that_moves_takes_its_timer_along(advance: Advance, drain: Drain) -> None:
    await flows.publish("win_back", NOTE, trigger={"date": "customer.lapsesAt", "offset": "-P1D"})
    ada = await flows.person()
    await _set(ada, "lapses_at", await _in(days=3))
    await drain()
    await advance("P1D")
    await _set(ada, "lapses_at", await _in(days=5))
    await drain()
    await advance("P2D")
    assert await flows.runs() == []
    await advance("P2D")
    assert (await flows.run())["trigger"]["property"] == "customer.lapsesAt"


async def test_a_date_that_is_taken_away_is_not_reached(advance: Advance, drain: Drain) -> None:
    await flows.publish("win_back", NOTE, trigger={"date": "customer.lapsesAt"})
    ada = await flows.person()
    await _set(ada, "lapses_at", await _in(days=3))
    await advance("P1D")
    await _set(ada, "lapses_at", None)
    await drain()
    await advance("P7D")
    assert await flows.runs() == []
    assert await db.fetchval("SELECT count(*) FROM timers WHERE kind = 'flow.date_due'") == 0


async def test_a_date_that_is_due_is_reached_though_the_profile_changes_meanwhile(advance: Advance) -> None:
    await flows.publish("win_back", NOTE, trigger={"date": "customer.lapsesAt"})
    ada = await flows.person()
    due = await _in(days=1)
    await _set(ada, "lapses_at", due)
    await advance("PT23H")
    await clock.move_to(due + timedelta(seconds=1))
    async with db.unit_of_work():
        await dates.plan_person(ada)  # before the timer's event is handled
    await advance("PT1M")
    assert len(await flows.runs()) == 1


async def test_a_birthday_comes_every_year_at_the_persons_hour(advance: Advance, drain: Drain) -> None:
    trigger = {"date": "customer.properties.birthday", "yearly": True, "at": "08:30"}
    await flows.publish("birthday", NOTE, trigger=trigger)
    ada = await flows.person()
    await _set(ada, "properties.birthday", "1992-02-29")
    await drain()
    first = (await db.fetchval("SELECT due_at FROM flow_dates")).astimezone(BERLIN)
    assert (first.hour, first.minute) == (8, 30)
    assert (first.month, first.day) in {(2, 28), (2, 29)}
    await advance(f"P{(first - await clock.now()).days + 1}D")
    assert len(await flows.runs()) == 1
    second = (await db.fetchval("SELECT due_at FROM flow_dates")).astimezone(BERLIN)
    assert second.year == first.year + 1
    assert await invariants.check() == []


async def test_a_moment_with_an_hour_is_reached_at_the_next_such_hour(drain: Drain) -> None:
    await flows.publish("win_back", NOTE, trigger={"date": "customer.lapsesAt", "at": "10:00"})
    ada = await flows.person()
    noon = (await _in(days=3)).astimezone(BERLIN).replace(hour=12, minute=0, second=0, microsecond=0)
    await _set(ada, "lapses_at", noon)
    await drain()
    due = (await db.fetchval("SELECT due_at FROM flow_dates")).astimezone(BERLIN)
    assert due == (noon + timedelta(days=1)).replace(hour=10)


async def test_the_re_entry_policy_holds_for_dates_too(advance: Advance, drain: Drain) -> None:
    await flows.publish(
        "win_back", NOTE, trigger={"date": "customer.lapsesAt"}, reentry={"policy": "cooldown", "period": "P60D"}
    )
    ada = await flows.person()
    for _ in range(2):
        await _set(ada, "lapses_at", await _in(days=1))
        await drain()
        await advance("P2D")
    assert len(await flows.runs()) == 1
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'date.reached'") == 2


async def test_another_version_plans_anew(drain: Drain) -> None:
    flow_id = await flows.publish("win_back", NOTE, trigger={"date": "customer.lapsesAt"})
    ada = await flows.person()
    await _set(ada, "lapses_at", await _in(days=10))
    await drain()
    before = await db.fetchval("SELECT due_at FROM flow_dates")
    await flows.change(flow_id, NOTE, trigger={"date": "customer.lapsesAt", "offset": "-P1D"})
    await drain()
    assert await db.fetchval("SELECT due_at FROM flow_dates") == before - timedelta(days=1)
    await flows.change(flow_id, NOTE)
    await drain()
    assert await db.fetchval("SELECT count(*) FROM flow_dates") == 0

"""Many hands at a person and a segment at once: memberships are what the conditions say, and counts what they are."""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app import db
from app.customers import identification, timeline
from app.events.delivery import deliver
from app.segments import building, membership, service
from tests.factories import catalogue, customers, segments
from tests.factories.shop import shop

Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop()


async def move(profile_id: uuid.UUID, country: str) -> uuid.UUID:
    """The person moves; the id of the event that tells of it."""
    async with db.unit_of_work():
        await identification.lock(profile_id)
        await db.execute("UPDATE profiles SET country_code = $2 WHERE id = $1", profile_id, country)
        return await timeline.record("profile.updated", profile_id=profile_id, data={"changed": "countryCode"})


async def waiting_events() -> list[uuid.UUID]:
    rows = await db.fetch("SELECT id FROM events WHERE acknowledged_at IS NULL ORDER BY id")
    return [row["id"] for row in rows]


async def deliver_all() -> None:
    """Everything that waits, in any order and all at once, until nothing waits."""
    while events := await waiting_events():
        random.shuffle(events)
        await db.execute(
            "UPDATE events SET visible_at = clock_timestamp(), leased_until = NULL WHERE id = ANY($1)", events
        )
        await asyncio.gather(*(deliver(event_id) for event_id in events))


async def test_the_last_of_many_changes_decides_whatever_order_they_are_heard_in(drain: Drain) -> None:
    people = [await customers.profile(announced=False) for _ in range(4)]
    await segments.built(drain, "germans", "customer.countryCode == 'DE'")
    await segments.built(drain, "known", "customer.countryCode != ''")
    moves = [move(person, country) for person in people for country in ("DE", "FR", "DE", "AT", "FR")]
    events = await asyncio.gather(*moves)
    random.shuffle(events)
    await asyncio.gather(*(deliver(event_id) for event_id in [*events, *events]))
    await deliver_all()
    assert await segments.members("known") == set(people)
    await segments.check_books()
    for person in people:
        # Comings and goings alternate, beginning with a coming.
        kinds = [kind for kind, whose in await segments.told("germans") if whose == person]
        assert kinds == ["segment.entered", "segment.left"] * (len(kinds) // 2) + ["segment.entered"] * (len(kinds) % 2)


async def test_what_happens_during_a_building_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "BATCH", 3)
    people = [await customers.profile(country_code="DE", announced=False) for _ in range(18)]
    saved = await service.create(key="germans", name="Germans", condition="customer.countryCode == 'DE'")
    assert saved.job_id is not None

    async def moves() -> None:
        for person in random.sample(people, len(people)):
            await deliver(await move(person, random.choice(["FR", "DE"])))
        await customers.profile(country_code="DE")

    await asyncio.gather(building.run(saved.job_id), moves())
    await deliver_all()
    assert await db.fetchval("SELECT status FROM segments") == "READY"
    await segments.check_books()


async def test_two_workers_at_one_building_do_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "BATCH", 2)
    people = [await customers.profile(announced=False) for _ in range(9)]
    saved = await service.create(key="all", name="All", condition="true", announce=True)
    assert saved.job_id is not None
    await asyncio.gather(*(building.run(saved.job_id) for _ in range(3)), return_exceptions=True)
    await building.run(saved.job_id)
    assert await db.fetchval("SELECT status || done FROM jobs") == "SUCCEEDED9"
    assert sorted(await segments.told("all")) == sorted(("segment.entered", person) for person in people)
    await segments.check_books()


async def test_a_look_that_began_under_an_old_condition_does_not_outlive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The condition changes, and is built, while somebody's change is being looked at under the old one."""
    ada = await customers.profile(country_code="FR", announced=False)
    saved = await service.create(key="people", name="People", condition="customer.countryCode == 'DE'")
    assert saved.job_id is not None
    await building.run(saved.job_id)
    event_id = await move(ada, "DE")
    looking, go_on = asyncio.Event(), asyncio.Event()
    real_look: Any = membership.look

    async def slow_look(definitions: Any, profile_ids: Any, **more: Any) -> None:
        if definitions[0].condition.source.endswith("'DE'"):
            looking.set()
            await go_on.wait()
        await real_look(definitions, profile_ids, **more)

    monkeypatch.setattr(membership, "look", slow_look)
    delivery = asyncio.create_task(deliver(event_id))
    await looking.wait()
    changed = await service.update(saved.segment_id, condition="customer.countryCode == 'FR'")
    assert changed.job_id is not None
    build = asyncio.create_task(building.run(changed.job_id))
    await asyncio.sleep(0.2)
    assert not build.done(), "it waits for the person's row"
    go_on.set()
    await asyncio.gather(delivery, build)
    assert await segments.members("people") == set()
    await segments.check_books()


async def test_a_segment_deleted_meanwhile_gets_no_members(drain: Drain) -> None:
    people = [await customers.profile(country_code="FR", announced=False) for _ in range(5)]
    segment_id = await segments.built(drain, "germans", "customer.countryCode == 'DE'")
    events = [await move(person, "DE") for person in people]
    await asyncio.gather(service.delete(segment_id), *(deliver(event_id) for event_id in events))
    await deliver_all()
    assert await db.fetchval("SELECT count(*) FROM segment_memberships") == 0
    assert await db.fetchval("SELECT count(*) FROM segment_counts") == 0


async def test_one_key_for_many_who_want_it() -> None:
    made = await asyncio.gather(
        *(service.create(key="vip", name="VIP", condition="true") for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(one, service.Saved) for one in made) == 1
    assert not any(isinstance(one, asyncpg.PostgresError) for one in made)
    assert await db.fetchval("SELECT count(*) FROM jobs") == 1


async def test_circles_are_not_closed_from_both_ends() -> None:
    first = await service.create(key="a", name="A", condition="true")
    second = await service.create(key="b", name="B", condition="true")
    done = await asyncio.gather(
        service.update(first.segment_id, condition="customer.inSegment('b')"),
        service.update(second.segment_id, condition="customer.inSegment('a')"),
        return_exceptions=True,
    )
    assert sum(isinstance(one, service.Saved) for one in done) == 1


async def test_a_visitor_who_becomes_known_while_they_act(drain: Drain) -> None:
    tea = await catalogue.product()
    await segments.built(drain, "viewers", "customer.eventCount('product.viewed') >= 3")
    await segments.built(drain, "everybody", "true")
    for number in range(3):
        visitor_id, nobody = await customers.visitor()
        await customers.profile(email=f"ada{number}@example.com")
        for _ in range(2):
            await customers.viewed(nobody, tea.id)

        async def becomes_known(who: uuid.UUID = visitor_id, email: str = f"ada{number}@example.com") -> None:
            async with db.unit_of_work():
                known = await identification.identify(email=email, visitor_id=who, source="NEWSLETTER")
                await timeline.record("product.viewed", profile_id=known, product_id=tea.id)

        await asyncio.gather(becomes_known(), *(deliver(event_id) for event_id in await waiting_events()))
    await deliver_all()
    assert len(await segments.members("viewers")) == 3
    assert len(await segments.members("everybody")) == 3
    await segments.check_books()

"""The outbox: nothing that was committed is lost, nothing takes effect twice."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from app import clock, db, events
from app.events import delivery, outbox, recording, registry, ticking, timers
from app.kit.ids import earliest_id, new_id
from tests.patience import patience

pytestmark = pytest.mark.usefixtures("clean_database")

EFFECT = "INSERT INTO staff_roles (id, name, permissions) VALUES ($1, $2, '{}')"
Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_handlers", {})


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    ids: list[uuid.UUID] = []
    monkeypatch.setattr(recording, "_publish", ids.extend)
    return ids


async def happen(event_type: str = "test.happened", **more: object) -> uuid.UUID:
    async with db.unit_of_work():
        return await events.record(event_type, **more)  # type: ignore[arg-type]


async def effects() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM staff_roles")
    return count


def leave_an_effect(name: str = "tests.effect", wait_seconds: float = 0) -> None:
    @events.on("test.happened", name=name)
    async def handle(event: events.Event) -> None:
        await db.execute(EFFECT, new_id(), f"{name} {new_id()}")
        await asyncio.sleep(wait_seconds)


async def test_events_are_published_after_the_commit_and_never_before(published: list[uuid.UUID]) -> None:
    async with db.unit_of_work():
        first = await events.record("test.happened")
        second = await events.record("test.happened")
        assert published == []
    assert published == [first, second]


async def test_a_rolled_back_event_never_was(published: list[uuid.UUID]) -> None:
    async def fail() -> None:
        async with db.unit_of_work():
            await events.record("test.happened")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert published == []
    assert await db.fetchval("SELECT count(*) FROM events") == 0


async def test_recording_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError):
        await events.record("test.happened")


async def test_an_event_delivered_by_many_workers_at_once_takes_effect_once() -> None:
    leave_an_effect(wait_seconds=0.02)
    event_id = await happen()
    await asyncio.gather(*(delivery.deliver(event_id) for _ in range(20)))
    assert await effects() == 1


async def test_a_lease_that_ran_out_under_a_live_worker_still_gives_one_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers at once in the same handler: the second waits for the first one's receipt, and stops at it."""
    monkeypatch.setattr(delivery, "LEASE_SECONDS", 0.0)
    leave_an_effect(wait_seconds=0.05)
    event_id = await happen()
    await asyncio.gather(*(delivery.deliver(event_id) for _ in range(5)))
    assert await effects() == 1


async def test_one_handlers_failure_does_not_repeat_the_other(drain: Drain) -> None:
    broken = [True]
    leave_an_effect()

    @events.on("test.happened", name="tests.broken")
    async def handle(event: events.Event) -> None:
        if broken:
            raise RuntimeError("not yet")

    event_id = await happen()
    await delivery.deliver(event_id)
    assert await effects() == 1
    assert await db.fetchval("SELECT acknowledged_at FROM events") is None
    broken.clear()
    await delivery.deliver(event_id)
    assert await effects() == 1
    assert await db.fetchval("SELECT acknowledged_at FROM events") is not None


async def test_a_failed_handlers_effects_are_rolled_back() -> None:
    @events.on("test.happened", name="tests.half")
    async def handle(event: events.Event) -> None:
        await db.execute(EFFECT, new_id(), "half")
        raise RuntimeError("halfway")

    await delivery.deliver(await happen())
    assert await effects() == 0


async def seconds_go_by(seconds: int) -> None:
    """For what waits in real time: everything happened so much earlier."""
    moments = "leased_until = leased_until - $1::int * step, visible_at = visible_at - $1::int * step"
    await db.execute(f"UPDATE events SET {moments} FROM (SELECT interval '1 second' AS step) s", seconds)


async def test_an_event_whose_worker_died_is_visible_again_when_its_lease_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event_id = await happen()
    await db.fetchrow(delivery._CLAIM, event_id, 60.0)  # a worker claims it, and is killed
    assert await outbox.claim_unpublished() == []
    await seconds_go_by(60)
    assert await outbox.claim_unpublished() == [event_id]


async def test_an_event_that_kills_its_process_ends_as_a_dead_letter() -> None:
    leave_an_effect("tests.killer")
    event_id = await happen()
    for _ in range(delivery.MAX_ATTEMPTS):
        await db.fetchrow(delivery._CLAIM, event_id, 0.0)
    await delivery.deliver(event_id)
    letter = await db.fetchrow("SELECT handler, cause FROM dead_letters")
    assert letter is not None
    assert letter["handler"] == "tests.killer"
    assert "died" in letter["cause"]
    assert await effects() == 0
    assert await db.fetchval("SELECT acknowledged_at FROM events") is not None


async def test_what_the_broker_lost_is_published_again(
    published: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "PUBLISH_GRACE_SECONDS", patience(3))
    ids = [await happen() for _ in range(3)]
    assert await ticking.tick() == [], "the committing process has some seconds to publish it itself"
    await outbox.everything_visible()
    assert sorted(await ticking.tick()) == sorted(ids)


async def test_what_the_broker_did_not_take_is_published_within_a_second() -> None:
    event_id = await happen()
    await outbox.everything_visible()
    assert await ticking.tick() == [event_id]
    await outbox.unpublished([event_id])
    await seconds_go_by(1)
    assert await ticking.tick() == [event_id]


async def test_a_delayed_event_waits_in_real_time(published: list[uuid.UUID]) -> None:
    leave_an_effect()
    event_id = await happen(delay_seconds=60.0)
    assert published == []
    await delivery.deliver(event_id)
    assert await effects() == 0
    assert await ticking.tick() == []
    await seconds_go_by(60)
    assert await ticking.tick() == [event_id]
    await delivery.deliver(event_id)
    assert await effects() == 1


async def test_a_timer_becomes_one_event_however_many_schedulers_look(
    advance: Callable[[str], Awaitable[None]],
) -> None:
    seen: list[events.Event] = []

    @events.on("test.timer", name="tests.timer")
    async def handle(event: events.Event) -> None:
        seen.append(event)

    subject, due = new_id(), await clock.now() + timedelta(hours=3)
    await timers.schedule("test.timer", subject_id=subject, due_at=due, payload={"n": 1})
    await timers.schedule("test.timer", subject_id=subject, due_at=due, payload={"n": 2})
    await advance("PT2H")
    assert seen == []
    await clock.move_to(due)
    fired = await asyncio.gather(*(timers.fire_due() for _ in range(5)))
    assert sorted(len(ids) for ids in fired) == [0, 0, 0, 0, 1]
    await advance("PT1M")
    assert [(event.subject_id, event.payload, event.occurred_at) for event in seen] == [(subject, {"n": 2}, due)]


async def test_a_rush_after_a_quiet_time_is_taken_a_batch_at_a_time() -> None:
    """After the last one there was a quiet time, so the planner takes the tables for as good as empty."""
    due = """
        INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
        SELECT gen_random_uuid(), 'test', gen_random_uuid(), '{}', business_now(), clock_timestamp()
        FROM generate_series(1, $1::int)
    """
    happened = """
        INSERT INTO events (id, type, payload, occurred_at, visible_at, attempts, publications)
        SELECT gen_random_uuid(), 'test', '{}', business_now(), clock_timestamp(), 0, 0
        FROM generate_series(1, $1::int)
    """
    for table, insert in (("timers", due), ("events", happened)):
        await db.execute(insert, 10_000)
        await db.execute(f"DELETE FROM {table}")
        await db.execute(f"ANALYZE {table}")
        await db.execute(insert, 1_500)
    try:
        assert len(await timers.fire_due()) == timers.BATCH
        assert len(await outbox.claim_unpublished()) == outbox.BATCH
    finally:
        await db.execute("ANALYZE timers, events")


async def test_a_cancelled_timer_never_fires(advance: Callable[[str], Awaitable[None]]) -> None:
    subject = new_id()
    await timers.schedule("test.timer", subject_id=subject, due_at=await clock.now() + timedelta(hours=1))
    assert await timers.cancel("test.timer", subject_id=subject)
    assert not await timers.cancel("test.timer", subject_id=subject)
    await advance("P1D")
    assert await db.fetchval("SELECT count(*) FROM events") == 0


async def test_time_passes_from_timer_to_timer_so_that_each_sees_its_own_moment(
    advance: Callable[[str], Awaitable[None]],
) -> None:
    start = await clock.now()
    seen: list[float] = []

    @events.on("test.timer", name="tests.chain")
    async def handle(event: events.Event) -> None:
        now = await clock.now()
        seen.append(round((now - start) / timedelta(hours=1)))
        if len(seen) < 3:
            await timers.schedule("test.timer", subject_id=new_id(), due_at=now + timedelta(hours=10))

    await timers.schedule("test.timer", subject_id=new_id(), due_at=start + timedelta(hours=1))
    await advance("P3D")
    assert seen == [1, 11, 21]
    assert (await clock.now() - start) >= timedelta(days=3)


async def test_old_events_are_forgotten_with_their_receipts_but_open_dead_letters_keep_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_an_effect()
    old, kept, young = [await happen() for _ in range(3)]
    for event_id in (old, kept, young):
        await delivery.deliver(event_id)
    month_ago = earliest_id(datetime.now(UTC) - timedelta(days=31)).int
    await made_at(old, old := uuid.UUID(int=month_ago))
    await made_at(kept, kept := uuid.UUID(int=month_ago - 1))
    await db.execute("UPDATE events SET acknowledged_at = clock_timestamp() - interval '31 days' WHERE id <> $1", young)
    await db.execute(
        """
        INSERT INTO dead_letters (id, event_id, event_type, handler, cause, attempts, created_at)
        VALUES ($1, $2, 'test.happened', 'tests.effect', '', 1, clock_timestamp())
        """,
        new_id(),
        kept,
    )
    monkeypatch.setattr(outbox, "FORGOTTEN_AT_ONCE", 1)  # what has to stay must not stand in the way
    assert await outbox.forget_old() == 1
    assert [row["id"] for row in await db.fetch("SELECT id FROM events ORDER BY id")] == [kept, young]
    rows = await db.fetch("SELECT event_id FROM event_receipts ORDER BY event_id")
    assert [row["event_id"] for row in rows] == [kept, young]


async def made_at(event_id: uuid.UUID, new_id: uuid.UUID) -> None:
    """As if the event had been made when its new id was."""
    await db.execute("UPDATE events SET id = $2 WHERE id = $1", event_id, new_id)
    await db.execute("UPDATE event_receipts SET event_id = $2 WHERE event_id = $1", event_id, new_id)


async def test_a_failure_that_comes_after_the_lease_ran_out_disturbs_nobody() -> None:
    @events.on("test.happened", name="tests.slow", transactional=False)
    async def handle(event: events.Event) -> None:
        # Meanwhile the lease ran out, and another worker took the event.
        await db.execute("UPDATE events SET attempts = attempts + 1")
        raise RuntimeError("too late")

    await delivery.deliver(await happen())
    row = await db.fetchrow("SELECT attempts, leased_until > clock_timestamp() AS is_leased FROM events")
    assert row is not None
    assert dict(row) == {"attempts": 2, "is_leased": True}

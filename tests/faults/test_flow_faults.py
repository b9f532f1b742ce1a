"""Two schedulers and four workers let flows run while everything around them breaks.

After each: nothing lost, nothing doubled, the invariants hold, and the ledger explains every message.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence

import pytest

from app import db, invariants
from app.cache import cache
from app.customers import timeline
from tests.factories import due_runs, flows, shop
from tests.faults.crew import Crew, crew
from tests.faults.processes import until
from tests.faults.report import Figures
from tests.patience import patience

pytestmark = pytest.mark.faults

WAIT = {"key": "wait", "kind": "delay", "period": "PT1H"}
MAIL = {"key": "mail", **flows.MAIL}
COUPON = {"key": "code", "kind": "issue_coupon", "percentage": 10, "validFor": "PT72H"}
TRIGGER = {"event": "cart.updated", "key": "customer"}
EXIT_ON = [{"event": "order.placed"}]
GO_ON = 1_000
"""Of ten thousand runs whose timers fire; the others have left meanwhile. A tenth of them writes."""


CUTS = 5
"""At least, while runs are on their way."""
RUNS_LEFT = "SELECT count(*) FROM flow_runs WHERE status = 'ACTIVE'"
CUT_ONE_AT_WORK = """
    SELECT count(pg_terminate_backend(pid)) FROM (
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        ORDER BY random() LIMIT 1
    ) one
"""
WORKERS_THAT_SEND = 8
"""Threads of the worker that dies between a claim and its sending: so many messages may be on their way."""


@pytest.fixture(scope="module")
def at_work(database: str) -> Iterator[Crew]:
    with crew() as opened:
        yield opened


@pytest.fixture
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def unfinished() -> int:
    """Runs on their way, messages without an outcome and events that nobody has handled yet."""
    count: int = await db.fetchval(
        """
        SELECT (SELECT count(*) FROM flow_runs WHERE status IN ('PENDING', 'ACTIVE'))
             + (SELECT count(*) FROM messages WHERE state IN ('RESERVED', 'SENDING'))
             + (SELECT count(*) FROM events WHERE acknowledged_at IS NULL AND leased_until IS NULL AND attempts = 0)
             + (SELECT count(*) FROM events WHERE acknowledged_at IS NULL AND attempts > 0)
        """
    )
    return count


async def everything_is_done() -> bool:
    return await unfinished() == 0


async def lost_and_doubled(runs: int, *, mails: int, unknown: int = 0) -> dict[str, int]:
    """Every run came to its end, every mail came once or (where its process died) may not have come."""
    completed = await db.fetchval("SELECT count(*) FROM flow_runs WHERE status = 'COMPLETED'")
    states = {row["state"]: row["count"] for row in await db.fetch("SELECT state, count(*) FROM messages GROUP BY 1")}
    assert completed == runs
    assert states.get("UNKNOWN", 0) <= unknown
    doubled: int = await db.fetchval("SELECT coalesce(sum(deliveries - 1), 0)::int FROM dev_messages")
    assert (mails - states.get("SENT", 0) - states.get("UNKNOWN", 0), doubled) == (0, 0), states
    assert await due_runs.unexplained() == {}
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await invariants.check() == []
    return {"lost": mails - states.get("SENT", 0) - states.get("UNKNOWN", 0), "doubled": doubled}


@pytest.mark.usefixtures("_shop")
async def test_two_schedulers_and_four_workers_on_the_same_due_runs(at_work: Crew, figures: Figures) -> None:
    people = await due_runs.people(120)
    flow_id = await flows.publish("reminder", WAIT, COUPON, MAIL, trigger=TRIGGER, exitOn=EXIT_ON)
    start = time.monotonic()
    await due_runs.due(flow_id, people, step="wait")
    await until(everything_is_done, 60, "every run is at its end")
    seconds = time.monotonic() - start
    cost = await lost_and_doubled(120, mails=120)
    figures("2 schedulers and 4 workers at the same 120 due runs", **cost, recovered_seconds=seconds)
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 120


@pytest.mark.usefixtures("_shop")
async def test_redis_flushed_with_ten_thousand_due_runs(at_work: Crew, figures: Figures) -> None:
    people = await due_runs.people(10_000)
    writes = await flows.publish("reminder", WAIT, MAIL, trigger=TRIGGER, exitOn=EXIT_ON)
    ends = await flows.publish("quiet", WAIT, {"key": "over", "kind": "end"}, trigger=TRIGGER)
    left = await flows.publish("over", WAIT, MAIL, trigger=TRIGGER)
    with at_work.workers_held():
        start = time.monotonic()
        await due_runs.due(writes, people[: GO_ON // 10], step="wait")
        await due_runs.due(ends, people[GO_ON // 10 : GO_ON], step="wait")
        await due_runs.due(left, people[GO_ON:], step="wait", left=True)
        await until(none_waits, 90, "ten thousand timers have become events")
        fired = time.monotonic() - start
        await cache().flushall()
        start = time.monotonic()
    await until(everything_is_done, 120, "ten thousand runs are at their end after all")
    seconds = time.monotonic() - start
    cost = await lost_and_doubled(GO_ON, mails=GO_ON // 10)
    also = f"the timers fired in {fired:.1f} s"
    figures("Redis flushed with 10,000 due runs", **cost, recovered_seconds=seconds, also=also)


async def none_waits() -> bool:
    left: int = await db.fetchval("SELECT count(*) FROM timers")
    return left == 0


@pytest.mark.usefixtures("_shop")
async def test_connections_to_the_database_are_cut_in_the_middle_of_steps(at_work: Crew, figures: Figures) -> None:
    """Where one breaks between the claim of a message and the note that it was sent, nobody knows: UNKNOWN."""
    people = await due_runs.people(100)
    flow_id = await flows.publish("reminder", WAIT, COUPON, MAIL, trigger=TRIGGER, exitOn=EXIT_ON)
    await due_runs.due(flow_id, people, step="wait")
    cut = 0
    deadline = time.monotonic() + 15
    async with asyncio.timeout(patience(60)):
        while cut < CUTS or (time.monotonic() < deadline and await db.fetchval(RUNS_LEFT) > 15):
            cut += await db.fetchval(CUT_ONE_AT_WORK)
            await asyncio.sleep(0.05)
            if not await db.fetchval(RUNS_LEFT):
                more = await due_runs.people(20)
                await due_runs.due(flow_id, more, step="wait")
                people.extend(more)
    seconds = await until(everything_is_done, 60, "every run is at its end")
    unknown = await db.fetchval("SELECT count(*) FROM messages WHERE state = 'UNKNOWN'")
    cost = await lost_and_doubled(len(people), mails=len(people), unknown=cut)
    also = f"{cut} cuts, {unknown} outcomes unknown"
    figures("connections to PostgreSQL cut in the middle of steps", **cost, recovered_seconds=seconds, also=also)
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == len(people)


@pytest.mark.usefixtures("_shop")
async def test_a_scheduler_and_four_workers_die_at_the_worst_lines(at_work: Crew, figures: Figures) -> None:
    """The last test that this crew is there for: one scheduler outlives it, and a new worker comes."""
    people = await due_runs.people(60)
    wakes = await flows.publish("reminder", WAIT, COUPON, MAIL, trigger={**TRIGGER, "event": "checkout.started"})
    await flows.publish("greeting", COUPON, MAIL, trigger=TRIGGER, reentry={"policy": "once"})
    at_work.tell_to_die()
    await set_going(wakes, people)
    added = time.monotonic()

    async def each_came_to_its_line() -> bool:
        """Where the others did all that leads to somebody's line, there is more to do after a while."""
        nonlocal added
        if time.monotonic() > added + 3:
            more = await due_runs.people(8)
            await set_going(wakes, more)
            people.extend(more)
            added = time.monotonic()
        return not any(process.is_alive for process in at_work.mortal)

    await until(each_came_to_its_line, 30, "each came to its line")
    start = time.monotonic()
    at_work.start_another_worker()
    await until(everything_is_done, 60, "every run is at its end")
    unknown = await db.fetchval("SELECT count(*) FROM messages WHERE state = 'UNKNOWN'")
    seconds = time.monotonic() - start
    cost = await lost_and_doubled(len(people), mails=len(people), unknown=WORKERS_THAT_SEND)
    also = f"{len(people)} runs, {unknown} outcomes unknown"
    figures("1 scheduler and 4 workers killed in the middle of runs", **cost, recovered_seconds=seconds, also=also)
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == len(people)


async def set_going(flow_id: uuid.UUID, people: Sequence[uuid.UUID]) -> None:
    """Half of them wait and are due, and the others enter."""
    half = len(people) // 2
    await due_runs.due(flow_id, people[:half], step="wait")
    async with db.unit_of_work():
        for profile_id in people[half:]:
            await timeline.record("cart.updated", profile_id=profile_id)

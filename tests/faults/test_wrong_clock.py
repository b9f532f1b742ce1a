"""One worker whose machine's clock is ten minutes ahead: nothing is sent early, and nothing is dated by that clock."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import clock, db, invariants
from app.customers import timeline
from tests.factories import due_runs, flows, shop
from tests.faults.processes import CRASHING, Process, ending, scheduler_process, until
from tests.faults.report import Figures

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

AHEAD_SECONDS = 600
WAIT_SECONDS = 300
STEPS: list[dict[str, Any]] = [
    {"key": "code", "kind": "issue_coupon", "percentage": 10, "validFor": "PT72H"},
    {"key": "wait", "kind": "delay", "period": f"PT{WAIT_SECONDS}S"},
    {"key": "mail", **flows.MAIL},
]
EARLY_SECONDS = 3.0
"""Three ticks of the scheduler: whoever believed the wrong clock would have sent by then."""


@pytest.fixture
def wrong_worker(database: str, tmp_path: Path) -> Iterator[Process]:
    worker = Process(*CRASHING, "worker", "--clock-off", str(AHEAD_SECONDS), "--ready", str(tmp_path / "ready"))
    with ending(scheduler := scheduler_process(), worker):
        scheduler.start()
        worker.start()
        yield worker


async def test_a_worker_whose_clock_is_ten_minutes_ahead_sends_nothing_early(
    wrong_worker: Process, figures: Figures
) -> None:
    await shop.shop()
    asleep, enters = await due_runs.people(2)
    trigger = {"event": "cart.updated", "key": "customer"}
    flow_id = await flows.publish("reminder", *STEPS, trigger=trigger)
    began = await clock.now()
    await due_runs.due(flow_id, [asleep], step="wait", in_seconds=WAIT_SECONDS)
    async with db.unit_of_work():
        await timeline.record("cart.updated", profile_id=enters)

    async def entered() -> bool:
        return bool(await db.fetchval("SELECT count(*) = 2 FROM flow_runs WHERE step_key = 'wait'"))

    await until(entered, 40, "the worker takes somebody into the flow")
    await asyncio.sleep(EARLY_SECONDS)
    early = await db.fetchval("SELECT count(*) FROM messages")
    assert early == 0
    by_then = await clock.now()
    for run in await flows.runs():
        latest = by_then + timedelta(seconds=WAIT_SECONDS)
        assert began + timedelta(seconds=WAIT_SECONDS) <= run["due_at"] <= latest
    ends_at = await db.fetchval("SELECT ends_at FROM discount_codes")
    assert began + timedelta(hours=72) <= ends_at <= by_then + timedelta(hours=72)

    await clock.move_to(max(run["due_at"] for run in await flows.runs()))
    moved = await clock.now()

    async def sent() -> bool:
        return await flows.sent() == ["mail SENT", "mail SENT"]

    seconds = await until(sent, 20, "both mails are sent when their time has come")
    for moment in await db.fetch("SELECT created_at, sent_at FROM messages"):
        assert moved <= moment["created_at"] <= moment["sent_at"] <= await clock.now()
    assert await due_runs.unexplained() == {}
    assert await invariants.check() == []
    mails = await db.fetchval("SELECT count(DISTINCT recipient) FROM dev_messages")
    figures(
        f"a worker's clock {AHEAD_SECONDS // 60} minutes ahead",
        lost=2 - mails,
        doubled=await db.fetchval("SELECT count(*) FROM dev_messages") - mails,
        recovered_seconds=seconds,
        also=f"sent early: {early}",
    )

"""`kill -9` of the worker in the middle of a campaign: nobody is left out, nobody gets it twice."""

import uuid
from pathlib import Path

import pytest

from app import db
from app.campaigns import service
from app.messaging.dev_inbox import list_messages
from tests.factories import campaigns, marketing
from tests.factories.shop import shop
from tests.faults.processes import ending, scheduler_process, until, worker_process

RECEIVERS = 40
RECOVERY_SECONDS = 30.0


async def through(campaign_id: uuid.UUID) -> bool:
    states = await db.fetch("SELECT state FROM messages WHERE campaign_id = $1", campaign_id)
    status = await db.fetchval("SELECT status FROM campaigns WHERE id = $1", campaign_id)
    return status == "SENT" and len(states) == RECEIVERS and all(row["state"] in ("SENT", "UNKNOWN") for row in states)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("at", "when"),
    [
        ("app.campaigns.audience:enlist", "after"),
        ("app.campaigns.feeding:_decide", "after"),
        ("app.campaigns.feeding:_go_on", "before"),
    ],
)
async def test_a_campaign_outlives_its_worker(clean_database: None, tmp_path: Path, at: str, when: str) -> None:
    await shop()
    await marketing.template("news")
    await campaigns.subscribers(RECEIVERS)
    campaign_id = await campaigns.campaign()
    doomed = worker_process(at=at, when=when, once=tmp_path / "died")
    with ending(scheduler := scheduler_process(), doomed, healthy := worker_process()):
        scheduler.start()
        doomed.start()
        await service.send_campaign(campaign_id)
        doomed.wait_until_dead()
        assert await db.fetchval("SELECT status FROM campaigns") != "SENT"
        healthy.start()
        await until(lambda: through(campaign_id), RECOVERY_SECONDS, "the campaign is through")
    mails = await list_messages(first=100)
    unknown: int = await db.fetchval("SELECT count(*) FROM messages WHERE state = 'UNKNOWN'")
    assert RECEIVERS - unknown <= len(mails) <= RECEIVERS
    assert all(mail.deliveries == 1 for mail in mails)
    assert await db.fetchval("SELECT count(*) FROM campaign_recipients WHERE handled_at IS NULL") == 0
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0

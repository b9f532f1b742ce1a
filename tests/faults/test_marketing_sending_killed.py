"""`kill -9` of the worker at each step from the decision of a flow to the note that its mail was sent.

One row and at most one mail, whatever happens. A process that dies while it hands the mail over leaves UNKNOWN:
marketing is not repeated.
"""

from pathlib import Path

import pytest

from app import db
from app.customers import timeline
from app.flows import service as flows
from app.messaging.dev_inbox import list_messages
from tests.factories import shop
from tests.factories.marketing import EMAIL, subscriber, template
from tests.factories.messages import ledger
from tests.faults.processes import ending, scheduler_process, until, worker_process

RECOVERY_SECONDS = 20.0
"""A lease of 5 s, a back-off or two, and the new process's start."""
FLOW = {
    "trigger": {"event": "cart.updated", "key": "customer"},
    "reentry": {"policy": "once"},
    "steps": [{"key": "hello", "kind": "send_email", "template": "news"}],
}


@pytest.mark.faults
@pytest.mark.parametrize(
    ("at", "when", "state"),
    [
        ("app.messaging.marketing:reserve", "before", "SENT"),
        ("app.messaging.ledger:reserve", "after", "SENT"),
        ("app.messaging.sending:send", "before", "SENT"),
        ("app.messaging.dev_inbox:DevEmailTransport.send", "after", "UNKNOWN"),
        ("app.messaging.ledger:settle", "after", "UNKNOWN"),
    ],
)
async def test_a_worker_killed_at_any_step_of_a_flows_mail_costs_no_row_and_doubles_no_mail(
    clean_database: None, tmp_path: Path, at: str, when: str, state: str
) -> None:
    await shop.shop()
    await template()
    flow = await flows.save(key="hello", name="Hello", definition=FLOW)
    await flows.publish(flow.id)
    ada = await subscriber(announced=False)
    doomed = worker_process(at=at, when=when, once=tmp_path / "died")
    with ending(scheduler := scheduler_process(), doomed, healthy := worker_process()):
        scheduler.start()
        doomed.start()
        async with db.unit_of_work():
            await timeline.record("cart.updated", profile_id=ada)
        doomed.wait_until_dead()
        healthy.start()

        async def settled() -> bool:
            return [row["state"] in ("SENT", "UNKNOWN", "SKIPPED", "FAILED") for row in await ledger()] == [True]

        await until(settled, RECOVERY_SECONDS, "the message is settled")
    assert [(row["state"], row["step_key"]) for row in await ledger()] == [(state, "hello")]
    (mail,) = await list_messages(EMAIL)
    assert mail.deliveries == 1
    assert await db.fetchval("SELECT count(*) FROM flow_runs") == 1
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0

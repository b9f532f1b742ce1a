"""`kill -9` of the worker between the decision to write and the note that it was sent."""

from pathlib import Path

import pytest

from app import db
from app.messaging.dev_inbox import list_messages
from tests.factories import shop
from tests.factories.messages import happens, ledger, placed_order
from tests.faults.processes import ending, scheduler_process, until, worker_process

EMAIL = "ada@customer.example"
PHONE = "+14155550188"
RECOVERY_SECONDS = 12.0
"""A lease of 5 s, a back-off or two, and the new process's start."""


@pytest.mark.faults
@pytest.mark.parametrize(
    ("at", "receiver", "state", "deliveries"),
    [
        ("app.messaging.ledger:reserve", EMAIL, "SENT", 1),
        ("app.messaging.dev_inbox:DevEmailTransport.send", EMAIL, "SENT", 2),
        ("app.messaging.ledger:settle", EMAIL, "SENT", 1),
        # Nobody can tell whether a text went out, so it is not sent again.
        ("app.messaging.dev_inbox:DevSmsTransport.send", PHONE, "UNKNOWN", 1),
    ],
)
async def test_a_worker_killed_right_after_a_step_costs_no_message_and_no_reader_sees_one_twice(
    clean_database: None, tmp_path: Path, at: str, receiver: str, state: str, deliveries: int
) -> None:
    await shop.shop()
    doomed = worker_process(at=at, when="after", once=tmp_path / "died")
    with ending(scheduler := scheduler_process(), doomed, healthy := worker_process()):
        scheduler.start()
        doomed.start()
        order = {"email": receiver} if receiver == EMAIL else {"email": None, "phone": receiver}
        await happens("order.placed", await placed_order(**order))
        doomed.wait_until_dead()
        healthy.start()

        async def settled() -> bool:
            return [row["state"] in ("SENT", "UNKNOWN") for row in await ledger()] == [True]

        await until(settled, RECOVERY_SECONDS, "the message is settled")
    assert [row["state"] for row in await ledger()] == [state]
    (message,) = await list_messages(receiver)
    assert message.deliveries == deliveries
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0

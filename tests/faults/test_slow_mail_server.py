"""A mail server that answers one byte every ten seconds, through a whole worker: only as many mails wait for it as may
have a connection, and other mails and everything else go on beside them."""

import asyncio
import functools
import os
import signal
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from email import message_from_bytes

import pytest

from app import db, invariants
from app.customers import timeline
from app.messaging.providers.bulkhead import STUCK_SECONDS
from app.messaging.smtp import DEFAULT_CONNECTIONS
from tests.factories import due_runs, flows, shop
from tests.factories.messages import happens, placed_order
from tests.faults.processes import Process, ending, scheduler_process, until
from tests.faults.report import Figures
from tests.smtp_server import Mailbox, dripping_server, smtp_server
from workers.relay import Relay

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

GREETING = b"220 mx.test ESMTP\r\n"
ANSWER = b"250-mx.test takes its time\r\n"
SECONDS_A_BYTE = 10.0
REMINDERS = 70
"""More than twice a worker's threads: were each to wait for the server, nothing else would happen for long."""
OTHERS = 30
BEFORE = 10
DEADLINE_SECONDS = 500.0
"""Of a mail: nobody gives the server up before the test does, however slow the machine is."""


async def took(asked: str, key: uuid.UUID, seconds: float = 30.0) -> float:
    """How long it takes until a statement says true."""
    start = time.monotonic()

    async def true() -> bool:
        return bool(await db.fetchval(asked, key))

    await until(true, seconds, asked)
    return time.monotonic() - start


async def confirmation() -> float:
    """Seconds from an order to its confirmation's handing over."""
    order_id = await placed_order(email=f"{uuid.uuid4().hex}@guest.example")
    await happens("order.placed", order_id)
    return await took("SELECT state = 'SENT' FROM messages WHERE order_id = $1", order_id)


async def enrolment(profile_id: uuid.UUID) -> float:
    """Seconds from an event to the run that it starts."""
    async with db.unit_of_work():
        await timeline.record("checkout.started", profile_id=profile_id, data={"checkoutId": "one"})
    return await took("SELECT true FROM flow_runs WHERE profile_id = $1", profile_id)


def enrolments(profile_ids: list[uuid.UUID]) -> list[Callable[[], Awaitable[float]]]:
    return [functools.partial(enrolment, profile_id) for profile_id in profile_ids]


async def every(seconds: float, works: list[Callable[[], Awaitable[float]]]) -> list[float]:
    """One after the other is started, whether those before are done or not; how long each took, sorted."""
    tasks = []
    for work in works:
        tasks.append(asyncio.ensure_future(work()))
        await asyncio.sleep(seconds)
    return sorted(await asyncio.gather(*tasks))


async def test_a_server_that_answers_a_byte_every_ten_seconds_delays_nobody_else(
    publishing: Relay, figures: Figures
) -> None:
    await shop.shop()
    people = await due_runs.people(REMINDERS + OTHERS + BEFORE + 1)
    wait = {"key": "wait", "kind": "delay", "period": "PT1H"}
    reminder = await flows.publish("reminder", wait, {"key": "mail", **flows.MAIL}, trigger={"event": "cart.updated"})
    await flows.publish("sleeper", wait, {"key": "mail", **flows.MAIL})
    good = Mailbox()
    async with dripping_server(ANSWER, SECONDS_A_BYTE, greeting=GREETING) as slow, smtp_server(good):
        worker = Process(
            *("-m", "app.cli", "worker", "--processes", "1"),
            SMTP_URL=f"smtp://127.0.0.1:{slow.port}?starttls=off&name=slow",
            SMTP_FALLBACK_URLS=f"smtp://127.0.0.1:{good.port}?starttls=off&name=good",
            EMAIL_FROM="Tradewind <shop@shop.example>",
            SEND_TIMEOUT_SECONDS=str(DEADLINE_SECONDS),
        )
        with ending(scheduler := scheduler_process(), worker):
            scheduler.start()
            worker.start()
            await enrolment(people.pop())  # it is up
            before = await every(0.3, enrolments([people.pop() for _ in range(BEFORE)]))
            await due_runs.due(reminder, people[:REMINDERS], step="wait")
            await until(server_is_full, 30, "all places at the slow server are taken")
            await asyncio.sleep(STUCK_SECONDS)
            sendings, happenings = await asyncio.gather(
                every(0.3, [confirmation] * OTHERS),
                every(0.3, enrolments(people[REMINDERS:])),
            )
            await until(all_others_sent, 60, "every mail is sent that is not with the slow server")
            assert slow.connections == DEFAULT_CONNECTIONS
            start = time.monotonic()
            slow.hangs_up.set()
            await until(all_sent, 60, "every mail is sent after all")
            everything = time.monotonic() - start
            os.killpg(worker.pid, signal.SIGTERM)
    usual, meanwhile, mail = (statistics.median(found) for found in (before, happenings, sendings))
    ids = [message_from_bytes(mail.content)["Message-ID"] for mail in good.received if isinstance(mail.content, bytes)]
    lost, doubled = REMINDERS + OTHERS - len(set(ids)), len(ids) - len(set(ids))
    assert (lost, doubled) == (0, 0)
    figures(
        f"a mail server that drips, {REMINDERS} mails before it",
        lost=lost,
        doubled=doubled,
        recovered_seconds=everything,
        also=f"other events {meanwhile:.2f} s, {usual:.2f} s before ({meanwhile / usual:.1f} times); "
        f"other mails {mail:.2f} s",
    )
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
    broken = {violation.name for violation in await invariants.check()}
    assert broken.isdisjoint({"run_goes_on", "finished_run_rests", "run_writes_once_a_step", "message_sent_once"})


async def mails(state: str) -> int:
    number: int = await db.fetchval("SELECT count(*) FROM messages WHERE state = $1", state)
    return number


async def server_is_full() -> bool:
    return await mails("SENDING") >= DEFAULT_CONNECTIONS


async def all_others_sent() -> bool:
    return await mails("SENT") == REMINDERS + OTHERS - DEFAULT_CONNECTIONS and await server_is_full()


async def all_sent() -> bool:
    left = await db.fetchval("SELECT count(*) FROM flow_runs WHERE status = 'ACTIVE' AND due_at < business_now()")
    return (await mails("SENT"), left) == (REMINDERS + OTHERS, 0)

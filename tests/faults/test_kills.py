"""Killed with -9 at the worst moments: every order and event takes effect once, each confirmation comes once."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from app import db, events, invariants
from app.kit.ids import new_id
from tests.client import Api
from tests.faults.processes import ApiProcess, Process, ending, scheduler_process, until, worker_process
from tests.faults.report import Figures
from tests.faults.shopping import Guest, Post, open_shop
from workers.relay import Relay

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

RECOVERY_SECONDS = 12.0


@pytest.fixture
def here(api: Api) -> Post:
    """The API in this process: another replica of the one that dies."""

    async def post(document: str, variables: dict[str, object]) -> dict[str, object]:
        result = await api.query(document, variables)
        assert not result.errors, result.errors
        return {"data": result.data}

    return post


async def orders() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM orders")
    return count


async def confirmations() -> tuple[int, int]:
    """Confirmations that receivers have got, and ledger rows that are not at their end yet."""
    got: int = await db.fetchval("SELECT count(*) FROM dev_messages WHERE template = 'order_confirmation'")
    rest: int = await db.fetchval("SELECT count(*) FROM messages WHERE state <> 'SENT'")
    return got, rest


async def everything_is_delivered(expected_confirmations: int) -> bool:
    undelivered: int = await db.fetchval(
        "SELECT count(*) FROM events WHERE acknowledged_at IS NULL AND (attempts > 0 OR leased_until IS NULL)"
    )
    return undelivered == 0 and await confirmations() == (expected_confirmations, 0)


async def books_are_right() -> None:
    assert await invariants.check() == []
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0


# Where the API dies, and whether the money was taken by then: then there must be an order, else there must be none.
DEATHS = {
    "between commit and publish": ("workers.relay:Relay.publish", "before", True),
    "between holding stock and asking the gateway": ("app.checkout.settlement:authorise", "before", False),
    "between the gateway's answer and acting on it": ("app.checkout.settlement:conclude", "before", True),
    "between placing the order and answering": ("app.checkout.settlement:conclude", "after", True),
}


async def test_the_api_dies_between_any_two_steps_of_a_checkout(here: Post, figures: Figures) -> None:
    variant = await open_shop(stock=10)
    apis = {name: ApiProcess(at=at, when=when) for name, (at, when, _) in DEATHS.items()}
    worker, scheduler = worker_process(), scheduler_process()
    with ending(*apis.values(), worker, scheduler):
        await asyncio.gather(*(api.open() for api in apis.values()))
        worker.start()
        scheduler.start()
        guests = {name: Guest(variant, here) for name in DEATHS}
        for name, guest in guests.items():
            await guest.fill_cart()
            assert not await guest.try_to_pay(apis[name].post), f"{name}: the API should have died"
            apis[name].wait_until_dead()

        # Nobody asks again: the sweeper settles all of them by itself.
        async def settled() -> bool:
            live: int = await db.fetchval(
                "SELECT count(*) FROM checkout_attempts WHERE state IN ('PROCESSING', 'REQUIRES_ACTION')"
            )
            return live == 0

        seconds = await until(settled, RECOVERY_SECONDS, "the sweeper settles what the dead API left")
        expected = sum(with_order for _, _, with_order in DEATHS.values())
        assert await orders() == expected
        await until(lambda: everything_is_delivered(expected), RECOVERY_SECONDS, "each order is confirmed")

        # The shopper asks again at another replica, and hears what became of it.
        for name, guest in guests.items():
            await guest.pay()
            assert (guest.number is not None) == DEATHS[name][2], (name, guest.errors)
            first = guest.number, guest.token, guest.errors
            await guest.pay()
            assert (guest.number, guest.token, guest.errors) == first
        placed, (confirmed, _) = await orders(), await confirmations()
        lost, doubled = expected - min(placed, confirmed), max(placed, confirmed) - expected
        assert (lost, doubled) == (0, 0)
        await books_are_right()
        figures(
            f"API killed between the steps of {len(DEATHS)} checkouts",
            lost=lost,
            doubled=doubled,
            recovered_seconds=seconds,
        )


async def test_a_worker_killed_again_and_again_during_thirty_orders(
    here: Post, publishing: Relay, figures: Figures
) -> None:
    variant = await open_shop(stock=30)
    guests = [Guest(variant, here) for _ in range(30)]
    scheduler = scheduler_process()
    generator = random.Random(3)
    # The second one dies in the middle of a job, each time at the same line, until it is relieved.
    workers: list[Process] = []
    with ending(scheduler):
        scheduler.start()
        shopping = asyncio.gather(*(buy_after(guest, generator.uniform(0, 6)) for guest in guests))
        try:
            for number in range(4):
                at = "app.messaging.dev_inbox:_store" if number % 2 else None
                worker = worker_process(at=at, when="after")
                workers.append(worker)
                worker.start()
                if at is None:
                    await asyncio.sleep(generator.uniform(2.0, 3.0))
                    worker.kill()
                else:
                    await until(lambda worker=worker: _dead(worker), 15, "it dies in its first send")  # type: ignore[misc]
            relief = worker_process()
            workers.append(relief)
            relief.start()
            await shopping
            seconds = await until(lambda: everything_is_delivered(30), 30, "every confirmation is sent")
        finally:
            for worker in workers:
                worker.kill()
    assert await orders() == 30
    lost = 30 - await db.fetchval("SELECT count(DISTINCT recipient) FROM dev_messages")
    doubled = await db.fetchval("SELECT count(*) FROM dev_messages") - 30
    assert (lost, doubled) == (0, 0)
    await books_are_right()
    figures("4 workers killed during 30 orders", lost=lost, doubled=doubled, recovered_seconds=seconds)


async def buy_after(guest: Guest, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await guest.fill_cart()
    await guest.pay()


async def _dead(process: Process) -> bool:
    return not process.is_alive


async def test_a_killed_dramatiq_master_leaves_no_worker_and_its_successor_goes_on(
    here: Post, publishing: Relay
) -> None:
    variant = await open_shop(stock=2)
    command = ["-m", "app.cli", "worker", "--processes", "1", "--threads", "8"]
    first, second, scheduler = Process(*command), Process(*command), scheduler_process()
    with ending(first, second, scheduler):
        first.start()
        scheduler.start()
        guest = Guest(variant, here)
        await guest.fill_cart()
        await guest.pay()
        await until(lambda: everything_is_delivered(1), 20, "the first worker works")
        children = _descendants(first.pid)
        assert children
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: _gone(children), 5, "the master's worker processes end with it")
        guest = Guest(variant, here)
        await guest.fill_cart()
        await guest.pay()
        second.start()
        await until(lambda: everything_is_delivered(2), 20, "the second worker goes on")
    await books_are_right()


def _descendants(pid: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, frontier = [], [pid]
    while frontier:
        parent = frontier.pop()
        children = [child for child, of in parents.items() if of == parent]
        found += children
        frontier += children
    return found


async def _gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


async def test_flushall_with_a_thousand_events_queued_and_a_killed_scheduler(
    publishing: Relay, figures: Figures
) -> None:
    from app.cache import cache

    for _ in range(10):
        async with db.unit_of_work():
            for _ in range(100):
                await events.record("test.nobody_listens", subject_id=new_id())
    first, second, worker = scheduler_process(), scheduler_process(), worker_process()
    with ending(first, second, worker):
        first.start()
        await until(_broker_known, 15, "the scheduler ticks")
        first.kill()
        await cache().flushall()
        start = time.monotonic()
        second.start()
        worker.start()
        await until(_no_events_left, RECOVERY_SECONDS + 5, "a thousand events are delivered after all")
        seconds = time.monotonic() - start
    lost = 1000 - await db.fetchval("SELECT count(*) FROM events WHERE attempts > 0")
    doubled = await db.fetchval("SELECT count(*) FROM events WHERE attempts > 1")
    assert (lost, doubled) == (0, 0)
    figures(
        "Redis flushed with 1,000 events queued, scheduler killed",
        lost=lost,
        doubled=doubled,
        recovered_seconds=seconds,
    )


async def _broker_known() -> bool:
    from app.cache import cache

    return bool(await cache().exists("tradewind:broker-epoch"))


async def _no_events_left() -> bool:
    left: int = await db.fetchval("SELECT count(*) FROM events WHERE acknowledged_at IS NULL")
    return left == 0

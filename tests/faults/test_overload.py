"""Ten times as many guests as the shop can serve: those it serves, it serves; the others hear so at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import db, invariants
from app.settings import Settings
from tests.client import Api
from tests.faults.crowd import ENVIRONMENT, Crowd
from tests.faults.processes import ApiProcess, ending, scheduler_process, until, worker_process
from tests.faults.report import Figures
from tests.faults.shopping import open_shop
from tests.patience import patience

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

CONNECTIONS = 2
ORDER_SECONDS = 0.8
"""Of the database's work for one order, so that a shop that is small can be asked for too much by a small machine."""
TIMES = 10
EVERY_SECONDS = ORDER_SECONDS / CONNECTIONS / TIMES
"""Between two guests, of whom only every tenth can be served, however fast the machine is."""
USUAL_SECONDS = 4.0
RUSH_SECONDS = 4.0
GUESTS_AT_ONCE = 4
MORE_MEGABYTES = 100
READING = {"query": "{ products(first: 1) { totalCount } }"}
OLDEST_DUE = """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(visible_at)), 0)::float8 FROM events
    WHERE acknowledged_at IS NULL AND visible_at < clock_timestamp()
"""


@pytest.fixture
async def slow_orders(clean_database: None) -> AsyncIterator[None]:
    await db.execute(
        f"""
        CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep({ORDER_SECONDS}); RETURN NEW; END $$
        """
    )
    await db.execute("CREATE TRIGGER take_time BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION take_time()")
    yield
    await db.execute("DROP FUNCTION take_time CASCADE")


def resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def test_who_would_wait_too_long_is_refused_before_anything_is_begun(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_shop(stock=1)
    monkeypatch.setattr(settings, "overloaded_after_seconds", 0.05)
    all_held, release = asyncio.Barrier(settings.database_pool_max + 1), asyncio.Event()

    async def hold() -> None:
        async with db.unit_of_work():
            await all_held.wait()
            await release.wait()

    holding = [asyncio.create_task(hold()) for _ in range(settings.database_pool_max)]
    await all_held.wait()
    waiting = asyncio.create_task(api.http.post("/graphql", json=READING))
    await until(somebody_waits, 10, "a request waits for a connection")
    answer = await api.http.post("/graphql", json=READING)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "OVERLOADED")
    assert int(answer.headers["Retry-After"]) >= 1
    assert not waiting.done(), "who has begun goes on"
    release.set()
    await asyncio.gather(*holding)
    assert (await waiting).json()["data"]
    assert (await api.http.post("/graphql", json=READING)).json()["data"]


async def somebody_waits() -> bool:
    return db.longest_wait_seconds() > 0.05


@pytest.mark.usefixtures("slow_orders")
async def test_ten_times_too_many_guests(figures: Figures) -> None:
    variant = await open_shop(stock=5_000)
    api = ApiProcess(
        DATABASE_POOL_MAX=str(CONNECTIONS),
        OVERLOADED_AFTER_SECONDS="1",
        REQUEST_TIMEOUT_SECONDS=str(patience(30)),
        STATEMENT_TIMEOUT_SECONDS=str(patience(10)),
        **ENVIRONMENT,
    )
    with ending(api, worker := worker_process(), scheduler := scheduler_process()):
        worker.start()
        scheduler.start()
        await api.open()
        usual = Crowd(variant, lambda: [api.url])
        over = asyncio.Event()
        queues = [asyncio.create_task(usual.one_after_another(over)) for _ in range(GUESTS_AT_ONCE)]
        await asyncio.sleep(USUAL_SECONDS)
        over.set()
        await asyncio.gather(*queues)
        rate = len(usual.took) / USUAL_SECONDS

        before = resident_megabytes(api.pid)
        crowd = Crowd(variant, lambda: [api.url], patient=False)

        async def somebody_was_turned_away() -> bool:
            return crowd.turned_away > 0

        start, over = time.monotonic(), asyncio.Event()
        coming = asyncio.create_task(crowd.keep_coming(EVERY_SECONDS, over))
        await asyncio.sleep(RUSH_SECONDS)
        try:
            await until(somebody_was_turned_away, RUSH_SECONDS, "it is too much for the shop")
        finally:
            over.set()
            await coming
        ended = time.monotonic()
        rush = ended - start
        more = resident_megabytes(api.pid) - before
        oldest = await db.fetchval(OLDEST_DUE)
        served = len(crowd.took)
        assert served, "the shop is busy with those that it refuses"
        assert served + crowd.turned_away == len(crowd.guests), "one or the other"

        after = Crowd(variant, lambda: [api.url])
        await after.buy(1, within_seconds=0)
        recovered = time.monotonic() - ended

        async def everything_is_delivered() -> bool:
            waiting: int = await db.fetchval("SELECT count(*) FROM messages WHERE state <> 'SENT'")
            sent: int = await db.fetchval("SELECT count(*) FROM dev_messages WHERE template = 'order_confirmation'")
            orders: int = await db.fetchval("SELECT count(*) FROM orders")
            return waiting == 0 and sent == orders

        await until(everything_is_delivered, 30, "each order is confirmed")
    assert more < MORE_MEGABYTES
    orders: int = await db.fetchval("SELECT count(*) FROM orders")
    guests = [*usual.guests, *crowd.guests, *after.guests]
    assert [guest.errors for guest in guests if guest.errors] == [], "who is served gets what they came for"
    told = sum(guest.number is not None for guest in guests)
    assert orders == told, "who was refused has bought nothing"
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await invariants.check() == []
    figures(
        f"{TIMES} times too many guests ({len(crowd.guests)} in {rush:.0f} s)",
        lost=max(0, told - orders),
        doubled=max(0, orders - told),
        recovered_seconds=recovered,
        also=f"{served / rush:.1f} orders a second, {rate:.1f} before; {crowd.turned_away} turned away, all unanswered "
        f"{dict(crowd.unanswered)} after {max(crowd.waited_in_vain):.1f} s at most; {crowd.interrupted} payments tried "
        f"again; {more:+.0f} MB; oldest due event {oldest:.1f} s",
    )

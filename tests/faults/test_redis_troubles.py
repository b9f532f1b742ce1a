"""Redis away, slow and flushed while guests buy: they hardly notice, and everything is delivered in the end."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import db, invariants
from tests.faults.crowd import ENVIRONMENT, Crowd
from tests.faults.own_servers import Valkey, valkey_on
from tests.faults.processes import ApiProcess, ending, scheduler_process, until, worker_process
from tests.faults.report import Figures
from tests.faults.shopping import open_shop
from tests.faults.slow_proxy import SlowWay, slow_way_to
from workers.broker import SOCKET_TIMEOUT_SECONDS

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

GUESTS = 12
SHOPPING_SECONDS = 4.0
AWAY_SECONDS = 8.0
AWAY_ON_A_BAD_DAY_SECONDS = 60.0
LATE_SECONDS = 2.0
"""Of each answer: the connections give up after five, so that whoever waits for Redis waits for this."""
RECOVERY_SECONDS = 15.0


@dataclass
class Shop:
    valkey: Valkey
    way: SlowWay
    crowd: Crowd

    async def takes(self, within_seconds: float = SHOPPING_SECONDS) -> float:
        """Some guests buy; the usual seconds of the request that places the order."""
        before = len(self.crowd.took)
        await self.crowd.buy(GUESTS, within_seconds=within_seconds)
        return statistics.median(self.crowd.took[before:])

    async def everything_is_delivered(self) -> bool:
        waiting: int = await db.fetchval(
            """
            SELECT (SELECT count(*) FROM messages WHERE state <> 'SENT')
                 + (SELECT count(*) FROM events
                    WHERE acknowledged_at IS NULL AND (attempts > 0 OR leased_until IS NULL))
            """
        )
        sent: int = await db.fetchval("SELECT count(*) FROM dev_messages WHERE template = 'order_confirmation'")
        return waiting == 0 and sent == len(self.crowd.guests)

    async def recovers(self) -> float:
        return await until(self.everything_is_delivered, RECOVERY_SECONDS, "everything is delivered")

    async def lost_and_doubled(self) -> tuple[int, int]:
        lost, doubled = await self.crowd.lost_and_doubled()
        confirmed = await db.fetchval("SELECT count(DISTINCT recipient) FROM dev_messages")
        again: int = await db.fetchval("SELECT coalesce(sum(deliveries - 1), 0) FROM dev_messages")
        assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
        assert await invariants.check() == []
        return lost + len(self.crowd.guests) - confirmed, doubled + again


@asynccontextmanager
async def shop_at(folder: Path) -> AsyncIterator[Shop]:
    variant = await open_shop(stock=500)
    with valkey_on(folder / "valkey") as valkey:
        async with slow_way_to(valkey.port) as way:
            url = valkey.url.replace(f":{valkey.port}/", f":{way.port}/")
            api, worker, scheduler = ApiProcess(**ENVIRONMENT), worker_process(), scheduler_process()
            for process in (api, worker, scheduler):
                process.environment["REDIS_URL"] = url
            with ending(api, worker, scheduler):
                worker.start()
                scheduler.start()
                await api.open()
                yield Shop(valkey, way, Crowd(variant, lambda: [api.url]))


async def test_redis_away_slow_and_flushed_while_guests_buy(
    tmp_path: Path, figures: Figures, pytestconfig: pytest.Config
) -> None:
    full = pytestconfig.getoption("--full-length")
    away_seconds = AWAY_ON_A_BAD_DAY_SECONDS if full else AWAY_SECONDS
    async with shop_at(tmp_path) as shop:
        usual = await shop.takes()
        await shop.recovers()

        shop.valkey.kill()
        gone = time.monotonic()
        without = await shop.takes(away_seconds)
        await asyncio.sleep(max(0.0, away_seconds - (time.monotonic() - gone)))
        away_seconds = time.monotonic() - gone
        shop.valkey.start()
        recovered = await shop.recovers()
        assert without - usual < SOCKET_TIMEOUT_SECONDS, "shoppers wait until the connection to the queue gives up"
        lost, doubled = await shop.lost_and_doubled()
        assert (lost, doubled) == (0, 0)
        figures(
            f"Redis away for {away_seconds:.0f} s",
            lost=lost,
            doubled=doubled,
            recovered_seconds=recovered,
            also=f"an order took {without:.2f} s, {usual:.2f} s before",
        )

        shop.way.seconds = LATE_SECONDS
        slow = await shop.takes()
        shop.way.seconds = 0
        recovered = await shop.recovers()
        assert slow - usual < LATE_SECONDS, "shoppers wait for an answer of Redis"
        lost, doubled = await shop.lost_and_doubled()
        assert (lost, doubled) == (0, 0)
        figures(
            f"Redis answers {LATE_SECONDS:.0f} s late",
            lost=lost,
            doubled=doubled,
            recovered_seconds=recovered,
            also=f"an order took {slow:.2f} s, {usual:.2f} s before",
        )

        buying = asyncio.create_task(shop.crowd.buy(GUESTS, within_seconds=SHOPPING_SECONDS))
        for _ in range(3):
            await asyncio.sleep(SHOPPING_SECONDS / 4)
            shop.valkey.kill()
            shop.valkey.start()
        await buying
        recovered = await shop.recovers()
        lost, doubled = await shop.lost_and_doubled()
        assert (lost, doubled) == (0, 0)
        figures("Redis emptied three times", lost=lost, doubled=doubled, recovered_seconds=recovered)

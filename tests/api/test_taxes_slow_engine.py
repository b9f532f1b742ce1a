"""A tax engine that answers too late: as one that is away, and no transaction is open while it is waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from app import db, invariants
from app.cache import cache
from app.settings import get_settings
from app.tax.engines import asking
from tests.api.test_order_edit_taxes import amounts, cost
from tests.api.test_taxes_engines import COMPLETE, completed, right, uses
from tests.client import Api
from tests.factories import catalogue, checkout, orders, taxes
from tests.factories.orders import codes, edit
from tests.http_receiver import Receiver

pytestmark = pytest.mark.usefixtures("clean_database")

Drain = Callable[[], Awaitable[None]]

_OPEN = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"""


class SlowEngine(Receiver):
    """Answers what is right, but not before `may_answer`; notes how many transactions are open when it is asked. Who
    asks has no time left then, where the test said so by `is_late`."""

    def __init__(self) -> None:
        super().__init__(right)
        self.is_late = False
        self.patience_of_askers: list[asyncio.Timeout] = []
        self.may_answer = asyncio.Event()
        self.open_transactions: list[int] = []
        self.over: list[asyncio.Future[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = asyncio.get_running_loop().create_future()
        self.over.append(over)
        try:
            self.open_transactions.append(await db.fetchval(_OPEN))
            if self.is_late:
                for timeout in self.patience_of_askers:
                    timeout.reschedule(0)
            await self.may_answer.wait()
            await super().serve(reader, writer)
        finally:
            over.set_result(None)

    async def answer_late(self) -> None:
        """Whoever has asked has given up by now."""
        self.is_late = False
        self.may_answer.set()
        await asyncio.gather(*self.over)

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(seconds) as timeout:
            self.patience_of_askers.append(timeout)
            try:
                yield
            finally:
                self.patience_of_askers.remove(timeout)


@pytest.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowEngine]:
    """4 % and 4.875 %; without it, 10 %."""
    monkeypatch.setattr(get_settings(), "allow_private_addresses", True)
    slow = SlowEngine()
    server = await asyncio.start_server(slow.serve, "127.0.0.1", 0)
    slow.port = server.sockets[0].getsockname()[1]
    async with server:
        await checkout.shop_that_ships()
        await taxes.zone("US", standard=[("Own", "10")])
        monkeypatch.setattr(asking, "asyncio", SimpleNamespace(timeout=slow.limit))
        await uses(slow)
        yield slow
        await slow.answer_late()


async def a_purchase(api: Api) -> dict[str, Any]:
    return await checkout.ready_input(api, (await catalogue.product(price_minor=24_99), 2))


async def test_a_checkout_is_charged_the_own_rates_and_a_late_answer_changes_nothing(
    api: Api, drain: Drain, engine: SlowEngine
) -> None:
    given = await a_purchase(api)
    engine.is_late = True
    shown = await completed(api, given)
    # 49.98 + 5.99 at the shop's own 10 %
    assert (shown["taxEstimated"], shown["tax"]["amount"], shown["total"]["amount"]) == (True, "5.60", "61.57")
    assert engine.open_transactions == [0]
    await engine.answer_late()
    await drain()
    assert await completed(api, given) == shown
    assert await db.fetchval("SELECT count(*) FROM orders") == 1
    assert await invariants.check() == []


async def test_a_shop_that_would_rather_not_guess_has_nothing_half_sold(api: Api, engine: SlowEngine) -> None:
    given = await a_purchase(api)
    engine.is_late = True
    await uses(engine, engine_fallback="REFUSE")
    before = await checkout.footprint()
    errors = await api.refused(COMPLETE, {"input": given})
    assert [error["code"] for error in errors] == ["TAX_UNAVAILABLE"]
    assert engine.open_transactions == [0]
    await engine.answer_late()
    assert await checkout.footprint() == before


@pytest.mark.parametrize("fallback", ["OWN_RATES", "REFUSE"])
async def test_an_edit_keeps_what_it_was_sold_at_or_is_refused_whole(
    api: Api, staff_token: str, drain: Drain, engine: SlowEngine, fallback: str
) -> None:
    engine.may_answer.set()
    lamp = await catalogue.product(price_minor=2000, stock=9)
    order = await orders.bought(api, (lamp, 2), payment=checkout.CASH)
    assert amounts(await cost(api, staff_token, order, drain)) == ("3.79", "49.78", ["State", "City"])
    before = await written()
    engine.may_answer.clear()
    engine.open_transactions.clear()
    engine.is_late = True
    await uses(engine, engine_fallback=fallback)

    lines = [{"orderLineId": order.lines[0], "quantity": 3}]
    answer = await edit(api, staff_token, order.gid, lines=lines)
    assert engine.open_transactions == [0]
    await engine.answer_late()
    if fallback == "REFUSE":
        assert codes(answer) == ["TAX_UNAVAILABLE"]
        assert await written() == before
        # With the engine in time again, nothing of the first try is in the way.
        await uses(engine)
        await cache().flushdb()
        assert codes(await edit(api, staff_token, order.gid, lines=lines)) == []
    shown = await cost(api, staff_token, order, drain)
    # 65.99 * 0.04 = 2.6396, and 60.00 * 0.04875 = 2.925
    assert (amounts(shown), shown["taxEstimated"]) == (("5.57", "71.56", ["State", "City"]), fallback == "OWN_RATES")
    assert await invariants.check() == []


async def written() -> list[Any]:
    """What an edit writes to."""
    tables = ("orders", "order_lines", "order_edits", "stock_levels", "payments")
    return [[dict(row) for row in await db.fetch(f"SELECT * FROM {table} ORDER BY id")] for table in tables]

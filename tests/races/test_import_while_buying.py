"""A large import goes on for minutes, and the shop sells all the while: also what the import is at."""

import asyncio
import contextvars
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app import db, invariants
from app.catalogue.importing import running
from app.catalogue.importing.service import ImportReport, import_file
from tests.client import Api
from tests.factories import catalogue, checkout, inventory
from tests.patience import patience

COLUMNS = "Handle,Title,Variant Inventory Tracker,Variant Inventory Qty,Variant Price"


@pytest.fixture(autouse=True)
async def _shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await checkout.shop_that_ships()
    monkeypatch.setattr(running, "MAX_BATCH_PRODUCTS", 1)


class Importing:
    """An import that stops at the end of each batch, its transaction open, until it may go on."""

    def __init__(self) -> None:
        self._stopped: asyncio.Queue[None] = asyncio.Queue()
        self._go_on: asyncio.Queue[None] = asyncio.Queue()

    async def stop(self, *_: Any) -> int:
        self._stopped.put_nowait(None)
        await self._go_on.get()
        return 0

    async def batch_is_open(self) -> None:
        await asyncio.wait_for(self._stopped.get(), patience(5))

    def go_on(self, batches: int = 1) -> None:
        for _ in range(batches):
            self._go_on.put_nowait(None)


@asynccontextmanager
async def importing(
    monkeypatch: pytest.MonkeyPatch, content: str, **more: Any
) -> AsyncIterator[tuple[Importing, "asyncio.Task[ImportReport]"]]:
    steps = Importing()
    monkeypatch.setattr(running, "add_to_collections", steps.stop)
    task = asyncio.create_task(import_file(io.BytesIO(content.encode()), **more), context=contextvars.Context())
    try:
        yield steps, task
    finally:
        steps.go_on(100)
        await task


async def test_what_an_open_batch_changes_is_sold_meanwhile(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = await catalogue.product(slug="mug", stock=5, price_minor=2000)
    async with importing(monkeypatch, f"{COLUMNS}\nmug,Mug,shopify,40,21\n") as (steps, _):
        await steps.batch_is_open()
        async with asyncio.timeout(patience(10)):
            order = (await checkout.placed(api, (mug, 2)))["order"]
        assert order["cost"]["total"]["amount"] == "45.99", "the price of before, as the new one is not there yet"
    assert await inventory.available(mug.variant_id) == 3, "stock is stated once, so the units sold stay sold"
    assert await db.fetchval("SELECT price_minor FROM product_variants") == 2100
    assert await invariants.check() == []


async def test_an_order_waits_for_one_batch_at_the_most(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = await catalogue.product(slug="mug", stock=5, price_minor=2000)
    content = f"{COLUMNS}\nmug,Mug,shopify,1,20\n" + "".join(f"cup{n},Cup,shopify,1,5\n" for n in range(5))
    async with importing(monkeypatch, content, overwrite_stock=True) as (steps, task):
        await steps.batch_is_open()
        buying = asyncio.create_task(
            checkout.placed(api, (mug, 1)),
            context=contextvars.Context(),
        )
        steps.go_on()
        await steps.batch_is_open()
        async with asyncio.timeout(patience(10)):
            await buying
        assert not task.done(), "and the import still has most of its way to go"
    assert await inventory.available(mug.variant_id) == 0
    assert await invariants.check() == []

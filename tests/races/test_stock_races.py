"""Stock that is restated and made while it is sold: nobody waits in a circle, and nobody waits for nothing."""

import asyncio
import contextlib
import contextvars
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app import db, invariants
from app.inventory import receiving
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import catalogue, checkout, inventory
from tests.patience import patience

OPEN_LEVEL = """
    INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
    VALUES ($1, $2, $3, 0, 0, 0, business_now())
"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@asynccontextmanager
async def another_transaction(sql: str, *arguments: object, commit: bool = False) -> AsyncIterator[None]:
    """Somebody else has run this statement, and has not come to an end yet; at the end it is taken back, or kept."""
    begun, end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        with contextlib.suppress(ZeroDivisionError):
            async with db.unit_of_work():
                await db.execute(sql, *arguments)
                begun.set()
                await end.wait()
                if not commit:
                    raise ZeroDivisionError

    task = asyncio.create_task(hold(), context=contextvars.Context())
    await begun.wait()
    try:
        yield
    finally:
        end.set()
        await task


async def test_an_order_does_not_wait_for_an_import_that_restates_its_stock(api: Api) -> None:
    product = await catalogue.product(stock=5)
    card = {**checkout.CARD, "token": "tok_requires_action"}
    given = await checkout.ready_input(api, (product, 2), payment=card)
    assert (await checkout.complete(api, given))["paymentAction"]
    await db.execute("UPDATE test_gateway_payments SET state = 'AUTHORIZED'")

    restated, end = asyncio.Event(), asyncio.Event()

    async def import_a_file() -> None:
        async with db.unit_of_work():
            await receiving.restate_levels({product.variant_id: 40}, reason="import", reference_id=None)
            restated.set()
            await end.wait()

    importing = asyncio.create_task(import_a_file(), context=contextvars.Context())
    await restated.wait()
    try:
        async with asyncio.timeout(patience(3)):
            assert (await checkout.complete(api, given))["order"]
    finally:
        end.set()
        await importing
    assert await inventory.available(product.variant_id) == 40
    assert await invariants.check() == []


async def test_first_levels_that_two_make_in_opposite_orders(api: Api) -> None:
    """Each of them finds what the other has begun, and one of them goes first."""
    warehouse_id = await inventory.default_warehouse()

    async def make(variant_ids: list[uuid.UUID]) -> None:
        async with db.unit_of_work():
            await receiving.open_levels(dict.fromkeys(variant_ids, 3), reason="import", reference_id=None)

    for _ in range(5):
        variants = [(await catalogue.product(stock=None)).variant_id for _ in range(2)]
        for blocked in variants:
            await db.execute("DELETE FROM stock_movements")
            await db.execute("DELETE FROM stock_levels")
            async with another_transaction(OPEN_LEVEL, new_id(), blocked, warehouse_id):
                makers = [asyncio.create_task(make(order)) for order in (variants, variants[::-1])]
                await asyncio.sleep(0.05)
            await asyncio.gather(*makers)
            assert await db.fetchval("SELECT array_agg(available) FROM stock_levels") == [3, 3]
    assert await invariants.check() == []


async def test_what_is_reserved_can_be_given_back_however_much_was_restated(api: Api, staff_token: str) -> None:
    product = await catalogue.product(stock=10)
    card = {**checkout.CARD, "token": "tok_requires_action"}
    given = await checkout.ready_input(api, (product, 4), payment=card)
    assert (await checkout.complete(api, given))["paymentAction"]
    async with db.unit_of_work():
        await receiving.restate_levels({product.variant_id: 2**31 - 1}, reason="import", reference_id=None)
    assert await inventory.available(product.variant_id) == 2**31 - 5
    await db.execute("UPDATE test_gateway_payments SET state = 'DECLINED'")
    (error,) = (await checkout.complete(api, given))["userErrors"]
    assert error["code"] == "PAYMENT_DECLINED"
    assert await inventory.available(product.variant_id) == 2**31 - 1
    assert await invariants.check() == []


async def test_two_guests_are_the_first_to_want_what_was_never_in_stock(api: Api) -> None:
    """Somebody else opens the level that owes the units, between looking for it and making it."""
    product = await catalogue.product(stock=None, track_inventory=True, inventory_policy="CONTINUE")
    given = await checkout.ready_input(api, (product, 2))
    warehouse_id = await inventory.default_warehouse()
    async with another_transaction(OPEN_LEVEL, new_id(), product.variant_id, warehouse_id, commit=True):
        buying = asyncio.create_task(checkout.complete(api, given))
        await asyncio.sleep(0.2)
    assert (await buying)["order"]
    assert await db.fetchval("SELECT backordered FROM stock_levels") == 2
    assert await invariants.check() == []

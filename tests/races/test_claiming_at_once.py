"""An order that needs nothing but stock and a payment is claimed by one statement, if the stock is as it was read."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app import db, invariants
from app.checkout import queries
from tests.client import Api
from tests.factories import catalogue, checkout, inventory
from tests.factories.catalogue import MadeProduct

Happens = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
def after_reading(monkeypatch: pytest.MonkeyPatch) -> Happens:
    """Somebody else does something between the checkout's reading and its claim."""
    real = queries.standing_with_cart

    def happens(action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def read(*args: Any) -> Any:
            found = await real(*args)
            await asyncio.create_task(action(), context=contextvars.Context())
            return found

        monkeypatch.setattr(queries, "standing_with_cart", read)

    return happens


async def complete(api: Api, product: MadeProduct, units: int) -> tuple[dict[str, Any], int]:
    """What was answered, and how many transactions were opened step by step."""
    given = await checkout.ready_input(api, (product, units))
    with db.counted_statements() as statements:
        answer = await checkout.complete(api, given)
    return answer, [statement.strip() for statement in statements].count("BEGIN;")


async def test_units_that_others_buy_meanwhile_leave_enough(api: Api, after_reading: Happens) -> None:
    product = await catalogue.product(stock=5)

    async def sold() -> None:
        await inventory.stock(product.variant_id, 3)

    after_reading(sold)
    answer, transactions = await complete(api, product, 3)
    assert answer["order"]
    assert transactions == 1, "the order's"
    assert await inventory.available(product.variant_id) == 0
    assert await invariants.check() == []


async def test_units_that_others_buy_meanwhile_are_not_sold_again(api: Api, after_reading: Happens) -> None:
    product = await catalogue.product(stock=5)

    async def sold() -> None:
        await inventory.stock(product.variant_id, 2)

    after_reading(sold)
    answer, transactions = await complete(api, product, 3)
    assert [error["code"] for error in answer["userErrors"]] == ["INSUFFICIENT_STOCK"]
    assert transactions == 1, "step by step, to know how many there are"
    assert await inventory.available(product.variant_id) == 2
    assert await db.fetchval("SELECT count(*) FROM stock_reservations") == 0
    assert (await checkout.footprint())["asked"] == 0


async def test_units_that_another_warehouse_owes_meanwhile_count(api: Api, after_reading: Happens) -> None:
    """Nobody gets what is there and promised to somebody else, wherever it lies."""
    product = await catalogue.product(stock=5)
    other = await inventory.warehouse()

    async def owed() -> None:
        await inventory.stock(product.variant_id, 0, backordered=3, warehouse_id=other)

    after_reading(owed)
    answer, _ = await complete(api, product, 3)
    assert [error["code"] for error in answer["userErrors"]] == ["INSUFFICIENT_STOCK"]
    assert await inventory.available(product.variant_id) == 5


async def test_a_level_that_somebody_has_locked_is_waited_for(api: Api, after_reading: Happens) -> None:
    product = await catalogue.product(stock=5)
    given = await checkout.ready_input(api, (product, 1))
    locked, asked = asyncio.Event(), asyncio.Event()

    async def lock() -> None:
        async with db.unit_of_work():
            await db.execute("UPDATE stock_levels SET available = available - 1, reserved = reserved + 1")
            locked.set()
            await asked.wait()
            await db.execute("UPDATE stock_levels SET available = available + 1, reserved = reserved - 1")

    async def let_go() -> None:
        asyncio.get_running_loop().call_later(0.2, asked.set)

    somebody = asyncio.create_task(lock())
    await locked.wait()
    after_reading(let_go)
    with db.counted_statements() as statements:
        assert (await checkout.complete(api, given))["order"]
    await somebody
    assert [statement.strip() for statement in statements].count("BEGIN;") == 2, "step by step, and the order's"
    assert await inventory.available(product.variant_id) == 4
    assert await invariants.check() == []

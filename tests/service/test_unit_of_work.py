"""The one way to open a transaction: joined, rolled back, and never losing its connection."""

import asyncio
import random

import pytest

from app import db
from app.settings import Settings
from tests.patience import patience

pytestmark = pytest.mark.usefixtures("clean_database")

INSERT = "INSERT INTO staff_roles (id, name, permissions) VALUES (gen_random_uuid(), $1, '{}')"


async def names() -> set[str]:
    return {row["name"] for row in await db.fetch("SELECT name FROM staff_roles")}


async def test_an_error_rolls_back_and_nothing_runs_after_commit() -> None:
    ran: list[str] = []

    async def fail() -> None:
        async with db.unit_of_work() as work:
            work.after_commit(lambda: ran.append("after"))
            await db.execute(INSERT, "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await names() == set()
    assert ran == []


async def test_an_inner_unit_joins_the_outer() -> None:
    async def fail() -> None:
        async with db.unit_of_work() as outer:
            async with db.unit_of_work() as inner:
                assert inner is outer
                await db.execute(INSERT, "inner")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await names() == set()


async def test_hooks_run_once_before_and_after_the_commit() -> None:
    order: list[str] = []

    async def before() -> None:
        await db.execute(INSERT, "from the hook")
        order.append("before")

    async with db.unit_of_work() as work:
        work.before_commit(before)
        work.after_commit(lambda: order.append("after"))
    assert order == ["before", "after"]
    assert await names() == {"from the hook"}


async def test_cancelled_tasks_never_cost_a_connection(settings: Settings) -> None:
    """Tortoise's own in_transaction() loses one for each cancel that hits its entry: a pool is dead after a few."""
    generator = random.Random(20261122)

    async def work(number: int) -> None:
        async with db.unit_of_work():
            await db.execute(INSERT, f"role {number}")
            await db.fetchval("SELECT pg_sleep(0.002)")

    outcomes: list[bool] = []
    for start in range(0, 600, 30):
        tasks = [asyncio.create_task(work(number)) for number in range(start, start + 30)]
        for task in tasks:
            asyncio.get_running_loop().call_later(generator.uniform(0, 0.02), task.cancel)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results), results
        outcomes += [result is None for result in results]

    assert outcomes.count(False) > 100, "the cancels came too late to prove anything"
    pool_size = settings.database_pool_max

    async def hold() -> None:
        async with db.unit_of_work():
            await db.fetchval("SELECT pg_sleep(0.05)")

    async with asyncio.timeout(patience(5)):
        await asyncio.gather(*(hold() for _ in range(pool_size)))
    idle = await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
    assert idle == 0
    committed = await names()
    for number, finished in enumerate(outcomes):
        if finished:
            assert f"role {number}" in committed

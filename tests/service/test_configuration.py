"""Configuration in memory is never older than what the caller's own statement saw."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from app import db
from app.configuration import VERSIONS, Versioned, versions_of
from tests.factories import shop

pytestmark = pytest.mark.usefixtures("clean_database")


class Names:
    """The shop's name, read as a part of the configuration; counts how often."""

    def __init__(self) -> None:
        self.loads = 0
        self.versioned = Versioned("shop", self._load)

    async def _load(self) -> str:
        self.loads += 1
        name: str = await db.fetchval("SELECT name FROM shop")
        return name


async def seen_version() -> int:
    return versions_of(await db.fetchval(f"SELECT {VERSIONS}"))["shop"]


@asynccontextmanager
async def rolled_back() -> AsyncIterator[None]:
    with suppress(InterruptedError):
        async with db.unit_of_work():
            yield
            raise InterruptedError


async def rename(name: str) -> None:
    await db.execute("UPDATE shop SET name = $1", name)


async def test_it_is_loaded_once_and_again_after_a_change() -> None:
    names = Names()
    await shop.shop(name="Before")
    assert [await names.versioned.at(await seen_version()) for _ in range(3)] == ["Before"] * 3
    assert names.loads == 1
    await rename("After")
    assert await names.versioned.at(await seen_version()) == "After"
    assert await names.versioned.current() == "After"
    assert names.loads == 2


async def test_what_changes_nothing_is_no_new_version() -> None:
    await shop.shop()
    before = await seen_version()
    await db.execute("UPDATE shop SET name = 'Other' WHERE id = 2")
    assert await seen_version() == before


async def test_what_was_rolled_back_is_forgotten_even_when_somebody_read_it() -> None:
    names = Names()
    await shop.shop(name="Before")
    async with rolled_back():
        await rename("Never")
        assert await names.versioned.at(await seen_version()) == "Never"
    await rename("After")
    assert await names.versioned.at(await seen_version()) == "After"


async def test_own_changes_are_not_kept_under_the_number_that_was_there_before_them() -> None:
    names = Names()
    await shop.shop(name="Before")
    before = await seen_version()
    async with rolled_back():
        await rename("Never")
        assert await names.versioned.at(before) == "Never"
    assert await names.versioned.at(await seen_version()) == "Before"


async def test_a_change_that_is_not_committed_is_seen_by_nobody_else() -> None:
    names = Names()
    await shop.shop(name="Before")
    changed, read = asyncio.Event(), asyncio.Event()

    async def change() -> None:
        async with db.unit_of_work():
            await rename("After")
            changed.set()
            await read.wait()

    changing = asyncio.create_task(change())
    await changed.wait()
    assert await names.versioned.current() == "Before"
    read.set()
    await changing
    assert await names.versioned.current() == "After"

"""Renewing a lease beside the work that it covers."""

import asyncio

import pytest

from app.kit.leases import renewed
from tests.patience import patience


class LostConnectionError(Exception):
    """As of the database's driver, whose errors are of no family that the language knows."""


async def test_a_renewal_that_fails_is_tried_again_and_changes_nothing_for_the_work() -> None:
    turns = 0

    async def renew() -> None:
        nonlocal turns
        turns += 1
        raise LostConnectionError

    async with renewed(renew, every_seconds=0.01):
        async with asyncio.timeout(patience(5)):
            while turns <= 2:
                await asyncio.sleep(0.01)
        came_to = "done"
    assert came_to == "done"
    ended_at = turns
    await asyncio.sleep(0.05)
    assert turns == ended_at, "it renews after its end"


async def test_what_the_work_raises_is_what_comes_out() -> None:
    async def renew() -> None:
        raise LostConnectionError

    async def work() -> None:
        async with renewed(renew, every_seconds=0.01):
            await asyncio.sleep(0.03)
            raise ValueError("the work")

    with pytest.raises(ValueError, match="the work"):
        await work()

"""What the scheduler does now and then: one of several, and what it found is a metric."""

import asyncio

import pytest

from app import db, invariants
from app.invariants import Invariant
from app.metrics import shop as shop_metrics
from app.metrics.shop import ShopHealth
from app.settings import Settings
from app.upkeep import checking, claims

pytestmark = pytest.mark.usefixtures("clean_database")

BROKEN = Invariant("a_lie", "Nothing is what it seems.", "SELECT 1 AS id")
ENDLESS = Invariant("endless", "Takes for ever.", "SELECT pg_sleep(60)")


async def metric(settings: Settings, name: str) -> dict[str, float]:
    found = await ShopHealth(settings).metrics()
    (family,) = (family for family in found if family.name == name)
    return {next(iter(sample.labels.values())): sample.value for sample in family.samples}


async def test_what_the_last_check_found_is_a_metric(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_metrics, "KEPT_SECONDS", 0)
    monkeypatch.setattr(invariants, "INVARIANTS", [*invariants.INVARIANTS, BROKEN])
    await checking.check_if_due(settings)
    found = await metric(settings, "tradewind_invariant_violations")
    assert found.pop("a_lie") == 1
    assert "stock_not_negative" in found
    assert set(found.values()) == {0}
    assert (await metric(settings, "tradewind_upkeep_age_seconds")).keys() == {"invariants"}
    # What is no truth any more is no metric either.
    monkeypatch.setattr(invariants, "INVARIANTS", invariants.INVARIANTS[:-1])
    await checking.check_and_remember(settings)
    assert "a_lie" not in await metric(settings, "tradewind_invariant_violations")


async def test_a_truth_that_takes_too_long_keeps_no_other_from_being_checked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "STATEMENT_SECONDS", 0.6)
    monkeypatch.setattr(invariants, "INVARIANTS", [ENDLESS, BROKEN])
    assert [violation.name for violation in await checking.check_and_remember(settings)] == ["a_lie"]
    assert await metric(settings, "tradewind_invariant_violations") == {"endless": -1, "a_lie": 1}


async def test_one_scheduler_of_several_does_it_and_not_again_before_its_time() -> None:
    won = await asyncio.gather(*(claims.claim("work", every_seconds=900, lease_seconds=60) for _ in range(8)))
    assert sum(won) == 1
    await claims.done("work")
    assert not await claims.claim("work", every_seconds=900, lease_seconds=60)
    await db.execute("UPDATE upkeep SET done_at = done_at - interval '16 min'")
    assert await claims.claim("work", every_seconds=900, lease_seconds=60)


async def test_a_scheduler_that_died_over_it_keeps_it_until_its_lease_is_over() -> None:
    assert await claims.claim("work", every_seconds=900, lease_seconds=60)
    assert not await claims.claim("work", every_seconds=900, lease_seconds=60)
    await db.execute("UPDATE upkeep SET claimed_until = clock_timestamp()")
    assert await claims.claim("work", every_seconds=900, lease_seconds=60)
    await claims.gave_up("work")
    assert await claims.claim("work", every_seconds=900, lease_seconds=60)


async def test_a_check_that_fails_is_tried_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(invariants, "check_on", fails)
        with pytest.raises(OSError):
            await checking.check_if_due(settings)
    assert await claims.age_seconds(checking.NAME) is None
    await checking.check_if_due(settings)
    assert await claims.age_seconds(checking.NAME) is not None

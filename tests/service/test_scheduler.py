"""The scheduler's tick, where parts of it fail."""

import asyncio
import contextlib

import pytest

from app.events import outbox
from app.settings import Settings
from tests.patience import patience
from workers import scheduler


async def test_cleaning_that_fails_is_not_all_that_it_does(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleaning comes every ten minutes. Tried at every tick, a slow failure would hold up every timer."""
    stop, ticks, cleanings = asyncio.Event(), 0, 0

    async def publish_due(*_: object) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 5:
            stop.set()

    async def clean() -> None:
        nonlocal cleanings
        cleanings += 1
        raise RuntimeError("a statement that takes too long")

    monkeypatch.setattr(scheduler, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(scheduler, "_publish_due", publish_due)
    monkeypatch.setattr(scheduler, "_clean", clean)
    monkeypatch.setattr(scheduler, "running", lambda _: contextlib.nullcontext())
    await asyncio.wait_for(scheduler.run(settings, stop), patience(5))
    assert (ticks, cleanings) == (5, 1)


def test_pruning_keeps_up_with_millions_of_events_a_day() -> None:
    """The whole table of a busy shop is then that of its last thirty days."""
    passes_a_day = 24 * 3600 / (scheduler.CLEAN_EVERY_TICKS * scheduler.TICK_SECONDS)
    assert passes_a_day * outbox.FORGOTTEN_AT_ONCE >= 10_000_000

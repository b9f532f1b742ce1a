"""Live updates through a real Redis: who watches is woken, also across its outages."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from app import cache, live
from app.settings import Settings
from tests.patience import patience


async def count_steps(topic: str, steps: list[str], name: str) -> None:
    async with live.watch(topic) as changes:
        async for _ in changes:
            steps.append(name)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(patience(5)):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_watcher_steps_at_once_and_at_each_message_of_its_topic(clean_database: None) -> None:
    steps: list[str] = []
    watching = [
        asyncio.create_task(count_steps(topic, steps, name))
        for topic, name in (("job:1", "first"), ("job:1", "second"), ("job:2", "other"))
    ]
    try:
        # Once at once, and once more when the subscription stands, as they came before it.
        await until(lambda: len(steps) == 6)
        assert Counter(steps) == {"first": 2, "second": 2, "other": 2}
        for _ in range(2):
            steps.clear()
            await live.publish("job:1")
            await until(lambda: {"first", "second"} <= set(steps))
            # What is said later is heard later: nobody is woken by the first any more.
            await live.publish("job:2")
            await until(lambda: "other" in steps)
            assert steps.index("other") == 2
            assert Counter(steps) == {"first": 1, "second": 1, "other": 1}
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def test_the_connection_ends_with_the_last_watcher(clean_database: None) -> None:
    async with live.watch("job:1"):
        assert live._listener is not None
    assert live._listener is None
    assert live._watchers == {}


async def test_whoever_stops_watching_while_redis_connects_leaves_no_listener(clean_database: None) -> None:
    """redis-py swallows a cancellation that comes in the middle of connecting."""
    for moments in range(60):
        async with live.watch("job:1") as steps:
            await anext(steps)
            for _ in range(moments % 30):
                await asyncio.sleep(0)
            listener = live._listener
        assert listener is not None
        await asyncio.wait([listener], timeout=patience(3))
        assert listener.done(), f"it goes on after {moments} steps of the event loop"


async def test_whoever_leaves_at_the_moment_of_a_change_is_gone(clean_database: None) -> None:
    """It would go on for as long as nothing else changes: a socket that was closed, and yet reads the database."""
    for moments in range(6):
        watching = asyncio.create_task(count_steps("job:1", [], "gone"))
        await asyncio.sleep(0.05)
        live._wake(b"job:1")
        for _ in range(moments):
            await asyncio.sleep(0)
        watching.cancel()
        await asyncio.wait([watching], timeout=patience(1))
        assert watching.done(), f"it goes on, cancelled {moments} steps of the event loop after a change"


async def test_without_redis_nothing_fails_and_watchers_look_by_themselves(
    clean_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_SECONDS", 0.05)
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    there = cache._client
    cache.open_cache(away)
    try:
        await live.publish("job:1")
        steps: list[str] = []
        watching = asyncio.create_task(count_steps("job:1", steps, "first"))
        await until(lambda: len(steps) >= 3)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    finally:
        await cache.close_cache()
        cache._client = there

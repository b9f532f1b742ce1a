"""Two shops in one Redis."""

import pytest
from redis import asyncio as aioredis

from app import cache, live, rate_limit
from app.errors import DomainError
from app.settings import Settings
from tests.patience import patience


async def attempt() -> None:
    await rate_limit.allow("sign-in", "203.0.113.7", limit=1, window_seconds=60)


async def test_shops_with_names_of_their_own_share_nothing(clean_database: None, settings: Settings) -> None:
    await attempt()
    with pytest.raises(DomainError):
        await attempt()
    neighbour = aioredis.Redis.from_url(settings.redis_url)
    async with neighbour, neighbour.pubsub(ignore_subscribe_messages=True) as listening:
        await listening.psubscribe("*")
        await listening.get_message(timeout=patience(1))
        await cache.close_cache()
        cache.open_cache(settings.model_copy(update={"broker_namespace": "another-shop"}))
        try:
            await attempt()
            await live.publish("job:1")
            message = await listening.get_message(timeout=patience(1))
        finally:
            await cache.close_cache()
            cache.open_cache(settings)
    assert message is not None
    assert message["channel"] == b"another-shop:live"

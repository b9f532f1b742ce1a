"""Redis or Valkey: live updates, rate limits and caches. Nothing in it is the only copy of anything.

`redis.asyncio` is what the package aioredis became.
"""

from redis import asyncio as aioredis

from app.settings import Settings, get_settings

CONNECT_TIMEOUT_SECONDS = 1.0
ANSWER_TIMEOUT_SECONDS = 2.0

_client: aioredis.Redis | None = None
_namespace = ""


def open_cache(settings: Settings | None = None) -> None:
    """Connects lazily: the process starts while Redis is away."""
    global _client, _namespace
    settings = settings or get_settings()
    _namespace = settings.broker_namespace
    _client = aioredis.Redis.from_url(
        settings.redis_url,
        socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
        socket_timeout=ANSWER_TIMEOUT_SECONDS,
        health_check_interval=15,
    )


async def close_cache() -> None:
    global _client
    if _client is not None:
        client, _client = _client, None
        await client.aclose()


def named(name: str) -> str:
    """The name of a key or channel of this shop: several shops may share one Redis."""
    return f"{_namespace}:{name}"


def cache() -> aioredis.Redis:
    """Callers decide what happens without it: every use handles `redis.RedisError`."""
    if _client is None:
        raise RuntimeError("Redis is not open in this process")
    return _client

"""What every process opens at its start and closes at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app import cache, db
from app.metrics.sampling import sampling
from app.settings import Settings


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """The database and Redis, for one event loop."""
    await db.open_pool(settings)
    cache.open_cache(settings)
    try:
        async with sampling():
            yield
    finally:
        await cache.close_cache()
        await db.close_pool()

"""What every process opens at its start and closes at its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from app import cache, db, tracing
from app.metrics.sampling import sampling
from app.settings import Settings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """The database and Redis, for one event loop."""
    await db.open_pool(settings)
    cache.open_cache(settings)
    _trace(settings)
    try:
        async with sampling():
            yield
    finally:
        await cache.close_cache()
        await db.close_pool()
        if (traces := tracing.turn_off()) is not None:
            await asyncio.to_thread(traces.close)


def _trace(settings: Settings) -> None:
    if settings.otel_exporter_otlp_endpoint is None:
        return
    try:
        from app import tracing_export
    except ModuleNotFoundError as missing:
        log.error("no traces: install the extra `tracing`", missing=missing.name)
    else:
        tracing_export.turn_on(settings.otel_exporter_otlp_endpoint)

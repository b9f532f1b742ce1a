"""A tick a second: due timers become events, and events that nobody acknowledged are published (again).

Any number of replicas may run: every step is one statement that skips what another one holds.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator

import structlog
from redis import RedisError

from app.cache import cache, named
from app.events import outbox
from app.events.ticking import tick
from app.logging import configure_logging
from app.metrics import exposing, instruments
from app.metrics.port import open_port
from app.metrics.shop import ShopHealth
from app.payments import reconciling
from app.privacy import keeping, retention
from app.privacy.retention import RetentionKind
from app.runtime import running
from app.sessions import service as sessions
from app.settings import Settings, get_settings
from app.upkeep import checking, claims
from app.uploads import service as uploads
from app.webhooks import delivery as webhooks
from workers.broker import build_broker
from workers.relay import Relay

TICK_SECONDS = 1.0
CLEAN_EVERY_TICKS = 60
METRICS_TIMEOUT_SECONDS = 8.0
LOOK_AT_BOOKS_SECONDS = 60.0
LOOK_AT_PAYMENTS_SECONDS = 60.0
LOOK_AT_AGE_SECONDS = 60.0
EPOCH_KEY = "broker-epoch"

log = structlog.get_logger(__name__)


async def _notice_flush() -> None:
    """A broker in Redis that lost its data also lost this key: everything undelivered goes out again at once."""
    with contextlib.suppress(RedisError, OSError):
        if await cache().set(named(EPOCH_KEY), "1", nx=True):
            count = await outbox.everything_visible()
            log.info("broker was empty, publishing again", events=count)


async def _publish_due(relay: Relay, stop: asyncio.Event) -> None:
    await _notice_flush()
    while not stop.is_set() and (ids := await tick()):
        refused = await asyncio.to_thread(relay.publish_now, ids)
        if refused:
            await outbox.unpublished(refused)
            break
    await claims.done(claims.TICK)


async def _clean() -> None:
    days = {kept.kind: kept.days for kept in await retention.periods()}
    await outbox.forget_old(days[RetentionKind.EVENTS])
    await sessions.forget_old(days[RetentionKind.SESSIONS])
    await webhooks.forget_old(
        body_days=days[RetentionKind.WEBHOOK_BODIES], row_days=days[RetentionKind.WEBHOOK_DELIVERIES]
    )
    await uploads.forget_old(days[RetentionKind.UPLOADS])


@contextlib.contextmanager
def _showing_metrics(settings: Settings) -> Iterator[None]:
    """On METRICS_PORT: this process's, and those of the whole shop."""
    loop, shop = asyncio.get_running_loop(), ShopHealth(settings)

    def read() -> bytes:
        known = asyncio.run_coroutine_threadsafe(shop.metrics(), loop).result(METRICS_TIMEOUT_SECONDS)
        return exposing.exposition(known)

    port = open_port(settings, read)
    try:
        yield
    finally:
        if port is not None:
            port.close()


@contextlib.asynccontextmanager
async def _checking_books(settings: Settings) -> AsyncIterator[None]:
    """Beside the ticks: in a large shop it takes a while, and timers must not wait for it."""
    task = asyncio.create_task(_check_books(settings))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _forgetting() -> AsyncIterator[None]:
    """Beside the ticks, as it is many statements."""
    task = asyncio.create_task(_forget_what_is_too_old())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _forget_what_is_too_old() -> None:
    while True:
        try:
            await keeping.enforce_if_due()
        except Exception:
            log.exception("what is too old could not be forgotten")
        await asyncio.sleep(LOOK_AT_AGE_SECONDS)


@contextlib.asynccontextmanager
async def _comparing_payments() -> AsyncIterator[None]:
    """Beside the ticks, as it asks other servers."""
    task = asyncio.create_task(_compare_payments())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _compare_payments() -> None:
    while True:
        await asyncio.sleep(LOOK_AT_PAYMENTS_SECONDS)
        try:
            await reconciling.reconcile_if_due()
        except Exception:
            log.exception("payments could not be compared with their gateways")


async def _check_books(settings: Settings) -> None:
    while True:
        await asyncio.sleep(LOOK_AT_BOOKS_SECONDS)
        try:
            await checking.check_if_due(settings)
        except Exception:
            log.exception("the books could not be checked")


async def run(settings: Settings, stop: asyncio.Event) -> None:
    relay = Relay(build_broker(settings))
    async with running(settings), _checking_books(settings), _comparing_payments(), _forgetting():
        with _showing_metrics(settings):
            await _tick_until(stop, relay)


async def _tick_until(stop: asyncio.Event, relay: Relay) -> None:
    ticks = 0
    while not stop.is_set():
        try:
            await _publish_due(relay, stop)
            instruments.ticked("done")
            if ticks % CLEAN_EVERY_TICKS == 0:
                await _clean()
        except Exception:
            # The database may be away; a scheduler that ended would need somebody to start it again.
            log.exception("tick failed")
            instruments.ticked("failed")
        ticks += 1  # also after a failure: cleaning that fails must not be all that it does
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TICK_SECONDS)


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)


def main() -> None:
    settings = get_settings()
    configure_logging(settings)
    asyncio.run(_main(settings))


if __name__ == "__main__":
    main()

"""Delivering one event to its handlers.

What is guaranteed: a recorded event reaches every handler, over crashes of any process and over the loss of everything
in Redis. A transactional handler's effects come about exactly once, since its receipt commits with them; any other
handler may run again. What is not: any order between events.
"""

import traceback
import uuid

import orjson
import structlog

from app import db
from app.events.registry import Event, Handler, subscribed
from app.kit.ids import new_id
from app.kit.leases import renewed

LEASE_SECONDS = 5.0
RENEW_EVERY_SECONDS = 1.5
MAX_ATTEMPTS = 12
MAX_BACKOFF_SECONDS = 900.0
MAX_CAUSE_CHARS = 2000

log = structlog.get_logger(__name__)

_CLAIM = """
    UPDATE events
    SET attempts = attempts + 1,
        leased_until = clock_timestamp() + $2 * interval '1 second',
        visible_at = clock_timestamp() + $2 * interval '1 second'
    WHERE id = $1 AND acknowledged_at IS NULL AND (leased_until IS NULL OR leased_until <= clock_timestamp())
    RETURNING id, type, subject_id, payload, occurred_at, attempts
"""
_RENEW = """
    UPDATE events
    SET leased_until = clock_timestamp() + $2 * interval '1 second',
        visible_at = clock_timestamp() + $2 * interval '1 second'
    WHERE id = $1 AND acknowledged_at IS NULL AND attempts = $3
"""


def backoff_seconds(attempt: int) -> float:
    """Quick at first, since most failures are of the moment: 1, 2, 4 … up to 15 minutes."""
    return min(2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS)


async def deliver(event_id: uuid.UUID) -> None:
    """Claim the event and run the handlers that have no receipt yet. Failures are kept, never raised."""
    row = await db.fetchrow(_CLAIM, event_id, LEASE_SECONDS)
    if row is None:
        return
    event = Event(
        id=row["id"],
        type=row["type"],
        subject_id=row["subject_id"],
        payload=orjson.loads(row["payload"]),
        occurred_at=row["occurred_at"],
        attempt=row["attempts"],
    )
    handlers = subscribed(event.type)
    if event.attempt > 1 or any(not handler.transactional for handler in handlers):
        handlers = await _without_receipt(event.id, handlers)
    if event.attempt > MAX_ATTEMPTS:
        # Only a handler that ends its process gets here: it never lived to see its failure counted below.
        cause = "the process died while handling it"
        await _give_up(event, {handler: cause for handler in handlers if await _is_wanted(handler, event)})
        return
    failures: dict[Handler, str] = {}
    async with renewed(
        lambda: db.execute(_RENEW, event.id, LEASE_SECONDS, event.attempt), every_seconds=RENEW_EVERY_SECONDS
    ):
        for handler in handlers:
            try:
                await _run(handler, event)
            except Exception as error:
                log.exception(
                    "event handler failed", event_type=event.type, event_id=str(event.id), handler=handler.name
                )
                failures[handler] = "".join(traceback.format_exception(error))[-MAX_CAUSE_CHARS:]
    if not failures:
        await db.execute("UPDATE events SET acknowledged_at = clock_timestamp() WHERE id = $1", event.id)
    elif event.attempt >= MAX_ATTEMPTS:
        await _give_up(event, failures)
    else:
        await _try_later(event)


async def _run(handler: Handler, event: Event) -> None:
    if not await _is_wanted(handler, event):
        return
    if not handler.transactional:
        await handler.call(event)
        await _write_receipt(event.id, handler.name)
        return
    async with db.unit_of_work():
        if await _write_receipt(event.id, handler.name):
            await handler.call(event)


async def _is_wanted(handler: Handler, event: Event) -> bool:
    return handler.only_if is None or await handler.only_if(event)


async def _write_receipt(event_id: uuid.UUID, handler: str) -> bool:
    written = await db.execute(
        "INSERT INTO event_receipts (event_id, handler) VALUES ($1, $2) ON CONFLICT DO NOTHING", event_id, handler
    )
    return written == 1


async def _without_receipt(event_id: uuid.UUID, handlers: list[Handler]) -> list[Handler]:
    rows = await db.fetch("SELECT handler FROM event_receipts WHERE event_id = $1", event_id)
    done = {row["handler"] for row in rows}
    return [handler for handler in handlers if handler.name not in done]


async def _try_later(event: Event) -> None:
    await db.execute(
        """
        UPDATE events
        SET visible_at = clock_timestamp() + $2 * interval '1 second', leased_until = NULL
        WHERE id = $1 AND acknowledged_at IS NULL AND attempts = $3
        """,
        event.id,
        backoff_seconds(event.attempt),
        event.attempt,  # where the lease ran out on the way, the event is somebody else's by now
    )


async def _give_up(event: Event, causes: dict[Handler, str]) -> None:
    async with db.unit_of_work():
        for handler, cause in causes.items():
            await db.execute(
                """
                INSERT INTO dead_letters (id, event_id, event_type, handler, cause, attempts, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
                ON CONFLICT (event_id, handler) WHERE replayed_at IS NULL
                DO UPDATE SET cause = EXCLUDED.cause, attempts = EXCLUDED.attempts
                """,
                new_id(),
                event.id,
                event.type,
                handler.name,
                cause,
                event.attempt,
            )
            if handler.gave_up is not None:
                await handler.gave_up(event)
        await db.execute("UPDATE events SET acknowledged_at = clock_timestamp() WHERE id = $1", event.id)

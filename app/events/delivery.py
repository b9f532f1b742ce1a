"""Delivering one event to its handlers.

What is guaranteed: a recorded event reaches every handler, over crashes of any process and over the loss of everything
in Redis. A transactional handler's effects come about exactly once, since its receipt commits with them; any other
handler may run again. What is not: any order between events.
"""

import time
import uuid

import orjson
import structlog

from app import db, tracing
from app.events import recording
from app.events.registry import Event, Handler, subscribed
from app.kit.ids import new_id
from app.kit.leases import renewed
from app.logging import cause_of
from app.metrics import instruments

LEASE_SECONDS = 5.0
RENEW_EVERY_SECONDS = 1.5
MAX_ATTEMPTS = 12
MAX_BACKOFF_SECONDS = 900.0
MAX_CAUSE_CHARS = 2000
MAX_FOLLOWED = 4
"""Events that one job delivers in a row. A worker that is told to stop should not have to wait for a long chain."""

log = structlog.get_logger(__name__)

# A claim need not reach the disk: the attempts of killed workers are counted all the same, as the database lives on.
_CLAIM = """
    UPDATE events
    SET attempts = attempts + 1,
        leased_until = clock_timestamp() + $2 * interval '1 second',
        visible_at = clock_timestamp() + $2 * interval '1 second'
    WHERE id = $1 AND acknowledged_at IS NULL AND (leased_until IS NULL OR leased_until <= clock_timestamp())
    RETURNING id, type, subject_id, payload, occurred_at, attempts, traceparent,
              ARRAY(SELECT handler FROM event_receipts WHERE event_id = $1) AS done,
              set_config('synchronous_commit', 'off', true)
"""
_RENEW = """
    UPDATE events
    SET leased_until = clock_timestamp() + $2 * interval '1 second',
        visible_at = clock_timestamp() + $2 * interval '1 second'
    WHERE id = $1 AND acknowledged_at IS NULL AND attempts = $3
"""
_RECEIPT = "INSERT INTO event_receipts (event_id, handler) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ACKNOWLEDGE = "UPDATE events SET acknowledged_at = clock_timestamp() WHERE id = $1"
_RECEIPT_AND_ACKNOWLEDGEMENT = f"WITH acknowledged AS ({_ACKNOWLEDGE}) {_RECEIPT}"
# By itself it waits for no disk either: an event that a crash of the database brings back finds its receipts.
_ACKNOWLEDGE_ALONE = f"{_ACKNOWLEDGE} RETURNING set_config('synchronous_commit', 'off', true)"


def backoff_seconds(attempt: int) -> float:
    """Quick at first, since most failures are of the moment: 1, 2, 4 … up to 15 minutes."""
    return min(2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS)


async def deliver_with_consequence(event_id: uuid.UUID) -> None:
    """As `deliver`, and then what came of it, as long as that is one event: a reserved message is sent right away.

    Nothing waits for the broker in between. What is not reached, since this process dies, the scheduler finds.
    """
    following: uuid.UUID | None = event_id
    for left in reversed(range(MAX_FOLLOWED)):
        if following is None:
            return
        kept = recording.Kept()
        await deliver(following, kept if left else None)
        following = kept.event_id


async def deliver(event_id: uuid.UUID, kept: recording.Kept | None = None) -> None:
    """Claim the event and run the handlers that have no receipt yet. Failures are kept, never raised.

    Args:
        kept: takes the event that the last handler recorded, if it is one: it is the caller's to deliver.
    """
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
    with tracing.span(
        f"event {event.type}", traceparent=row["traceparent"], event_id=str(event.id), attempt=event.attempt
    ):
        await _handle(event, set(row["done"]), kept)


async def _handle(event: Event, done: set[str], kept: recording.Kept | None) -> None:
    handlers = [handler for handler in subscribed(event.type) if handler.name not in done]
    if event.attempt > MAX_ATTEMPTS:
        # Only a handler that ends its process gets here: it never lived to see its failure counted below.
        cause = "the process died while handling it"
        await _give_up(event, {handler: cause for handler in handlers if await _is_wanted(handler, event)})
        return
    failures: dict[Handler, str] = {}
    acknowledged = False
    async with renewed(
        lambda: db.execute(_RENEW, event.id, LEASE_SECONDS, event.attempt), every_seconds=RENEW_EVERY_SECONDS
    ):
        for handler in handlers:
            is_last = handler is handlers[-1] and not failures
            started = time.perf_counter()
            try:
                with recording.keeping(kept if is_last else None), tracing.span(f"handler {handler.name}"):
                    acknowledged = await _run(handler, event, acknowledge=is_last)
            except Exception as error:
                log.exception(
                    "event handler failed", event_type=event.type, event_id=str(event.id), handler=handler.name
                )
                failures[handler] = cause_of(error)[-MAX_CAUSE_CHARS:]
            instruments.event_handled(handler.name, time.perf_counter() - started, failed=handler in failures)
    if acknowledged:
        return
    if not failures:
        await db.execute(_ACKNOWLEDGE_ALONE, event.id)
    elif event.attempt >= MAX_ATTEMPTS:
        await _give_up(event, failures)
    else:
        await _try_later(event)


async def _run(handler: Handler, event: Event, *, acknowledge: bool) -> bool:
    """Run one handler, and with `acknowledge` acknowledge the event with its receipt; whether that is done."""
    if not await _is_wanted(handler, event):
        return False
    if not handler.transactional:
        await handler.call(event)
        await db.execute(_RECEIPT_AND_ACKNOWLEDGEMENT if acknowledge else _RECEIPT, event.id, handler.name)
        return acknowledge
    async with db.unit_of_work():
        if await db.execute(_RECEIPT, event.id, handler.name):
            await handler.call(event)
        if acknowledge:
            recording.withdraw(event.id)
    return acknowledge


async def _is_wanted(handler: Handler, event: Event) -> bool:
    return handler.only_if is None or await handler.only_if(event)


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
            instruments.event_given_up(handler.name)
        await db.execute(_ACKNOWLEDGE, event.id)

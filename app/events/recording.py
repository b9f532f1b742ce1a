"""Writing events inside the transaction that makes them true."""

import contextvars
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from app import db, tracing
from app.kit.ids import new_id

PUBLISH_GRACE_SECONDS = 3.0
"""How long the committing process has to publish an event itself before the scheduler does."""

_NOTE = "events"
_WITHDRAWN_NOTE = "withdrawn events"
_publish: Callable[[list[uuid.UUID]], None] | None = None

_INSERT = """
    WITH withdrawn AS (
        UPDATE events SET acknowledged_at = clock_timestamp() WHERE id = ANY($8::uuid[]) AND acknowledged_at IS NULL
    )
    INSERT INTO events (id, type, subject_id, payload, occurred_at, visible_at, leased_until, attempts, publications,
                        traceparent)
    SELECT e.id, e.type, e.subject_id, e.payload::jsonb, business_now(),
           clock_timestamp() + e.wait * interval '1 second',
           CASE WHEN e.delayed THEN clock_timestamp() + e.wait * interval '1 second' END, 0, 0, e.traceparent
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::float8[], $6::bool[], $7::text[])
         AS e (id, type, subject_id, payload, wait, delayed, traceparent)
"""


def set_publisher(publish: Callable[[list[uuid.UUID]], None] | None) -> None:
    """What hands event ids to the workers after a commit. It must return at once and never raise."""
    global _publish
    _publish = publish


@dataclass(slots=True)
class Kept:
    """Room for one event that needs no broker, as whoever caused it delivers it next."""

    event_id: uuid.UUID | None = None


_keeper: contextvars.ContextVar[Kept | None] = contextvars.ContextVar("kept_event", default=None)


@contextmanager
def keeping(kept: Kept | None) -> Iterator[None]:
    """What this task publishes while the block runs is kept there, if it is one event; more are for many workers."""
    token = _keeper.set(kept)
    try:
        yield
    finally:
        _keeper.reset(token)


def publish(ids: list[uuid.UUID]) -> None:
    kept = _keeper.get()
    if kept is not None and kept.event_id is None and len(ids) == 1:
        kept.event_id = ids[0]
        return
    if _publish is not None and ids:
        _publish(ids)


async def record(
    event_type: str,
    *,
    subject_id: uuid.UUID | None = None,
    payload: Mapping[str, object] | None = None,
    delay_seconds: float | None = None,
) -> uuid.UUID:
    """Note in the open unit of work that something happened; all of a transaction's events are one statement.

    Args:
        payload: small and JSON: ids and facts, no personal data.
        delay_seconds: real time before anybody sees it; for watching over work, not for business time (see `timers`).
    """
    pending, _ = _notes(db.current_unit_of_work())
    event_id = new_id()
    body = orjson.dumps(payload or {}).decode()
    wait = PUBLISH_GRACE_SECONDS if delay_seconds is None else delay_seconds
    trace = tracing.current_traceparent()
    pending.append((event_id, event_type, subject_id, body, wait, delay_seconds is not None, trace))
    return event_id


def withdraw(event_id: uuid.UUID) -> None:
    """Note in the open unit of work that a delayed event has become pointless: the work it watches over is done.

    It costs no statement of its own. An event that is being handled at that moment is handled all the same.
    """
    _, withdrawn = _notes(db.current_unit_of_work())
    withdrawn.append(event_id)


@dataclass(frozen=True, slots=True)
class Watch:
    """A delayed event about something that the same statement begins; see `sql_to_watch`."""

    id: uuid.UUID
    json: str


def watch(event_type: str, *, delay_seconds: float) -> Watch:
    """Real time, as with `record`."""
    event_id = new_id()
    trace = tracing.current_traceparent()
    row = {"id": event_id, "type": event_type, "wait": delay_seconds, "traceparent": trace}
    return Watch(event_id, orjson.dumps(row).decode())


def sql_to_watch(over: str, watch: str) -> str:
    """SQL: write a delayed event, as `record` does, in a statement that is a transaction by itself.

    Args:
        over: a CTE with the subject's `id`; without a row in it nothing is written.
        watch: the statement's parameter with `Watch.json`, such as `$7`.
    """
    return f"""
        INSERT INTO events (id, type, subject_id, payload, occurred_at, visible_at, leased_until, attempts,
                            publications, traceparent)
        SELECT w.id, w.type, {over}.id, '{{}}', business_now(), clock_timestamp() + w.wait * interval '1 second',
               clock_timestamp() + w.wait * interval '1 second', 0, 0, w.traceparent
        FROM {over}, jsonb_to_record({watch}::jsonb) AS w (id uuid, type text, wait float8, traceparent text)
    """


def _notes(work: db.UnitOfWork) -> tuple[list[tuple[object, ...]], list[uuid.UUID]]:
    """What the transaction has collected so far: rows to write, and ids to withdraw."""
    if _NOTE not in work.notes:
        pending = work.notes[_NOTE] = []
        withdrawn = work.notes[_WITHDRAWN_NOTE] = []
        work.before_commit(lambda: _write(pending, withdrawn))
        work.after_commit(lambda: publish([row[0] for row in pending if not row[5]]))
    return work.notes[_NOTE], work.notes[_WITHDRAWN_NOTE]


async def _write(pending: list[tuple[object, ...]], withdrawn: list[uuid.UUID]) -> None:
    columns = zip(*pending, strict=True) if pending else ([] for _ in range(7))
    await db.execute(_INSERT, *(list(column) for column in columns), withdrawn)

"""Writing events inside the transaction that makes them true."""

import contextvars
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from app import db, tracing
from app.kit.ids import new_id

PUBLISH_GRACE_SECONDS = 3.0
"""How long the committing process has to publish an event itself before the scheduler does."""

_NOTE = "events"
_publish: Callable[[list[uuid.UUID]], None] | None = None


def sql_to_write(noted: str) -> str:
    """SQL: the CTEs that write what was noted, for a statement that writes something else as well.

    Args:
        noted: the statement's parameter with what `take_noted` gave, such as `$7`.
    """
    return f"""
    withdrawn AS (
        UPDATE events SET acknowledged_at = clock_timestamp() WHERE acknowledged_at IS NULL AND id = ANY(ARRAY(
            SELECT w::uuid FROM jsonb_array_elements_text({noted}::jsonb -> 'withdrawn') AS w
        ))
    ), recorded AS (
        INSERT INTO events (id, type, subject_id, payload, occurred_at, visible_at, leased_until, attempts,
                            publications, traceparent)
        SELECT e.id, e.type, e.subject_id, e.payload, business_now(),
               clock_timestamp() + e.wait * interval '1 second',
               CASE WHEN e.delayed THEN clock_timestamp() + e.wait * interval '1 second' END, 0, 0, e.traceparent
        FROM jsonb_to_recordset({noted}::jsonb -> 'events') AS e (
            id uuid, type text, subject_id uuid, payload jsonb, wait float8, delayed bool, traceparent text
        )
    )
    """


_WRITE = f"WITH {sql_to_write('$1')} SELECT"


@dataclass(slots=True)
class _Noted:
    """What the transaction has collected and not written yet, and what is to be published once it is committed."""

    events: list[dict[str, object]] = field(default_factory=list)
    withdrawn: list[uuid.UUID] = field(default_factory=list)
    to_publish: list[uuid.UUID] = field(default_factory=list)


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
    noted = _noted(db.current_unit_of_work())
    event_id = new_id()
    noted.events.append(
        {
            "id": event_id,
            "type": event_type,
            "subject_id": subject_id,
            "payload": orjson.Fragment(orjson.dumps(payload or {})),
            "wait": PUBLISH_GRACE_SECONDS if delay_seconds is None else delay_seconds,
            "delayed": delay_seconds is not None,
            "traceparent": tracing.current_traceparent(),
        }
    )
    if delay_seconds is None:
        noted.to_publish.append(event_id)
    return event_id


def withdraw(event_id: uuid.UUID) -> None:
    """Note in the open unit of work that a delayed event has become pointless: the work it watches over is done.

    It costs no statement of its own. An event that is being handled at that moment is handled all the same.
    """
    _noted(db.current_unit_of_work()).withdrawn.append(event_id)


def take_noted() -> str:
    """What the open unit of work has noted so far, for `sql_to_write`: the statement it goes to writes it, nobody
    else does."""
    noted = _noted(db.current_unit_of_work())
    # By `str` go ids as asyncpg gives them, which orjson does not know.
    taken = orjson.dumps({"events": noted.events, "withdrawn": noted.withdrawn}, default=str).decode()
    noted.events, noted.withdrawn = [], []
    return taken


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


def _noted(work: db.UnitOfWork) -> _Noted:
    if _NOTE not in work.notes:
        noted = work.notes[_NOTE] = _Noted()
        work.before_commit(lambda: _write(noted))
        work.after_commit(lambda: publish(noted.to_publish))
    found: _Noted = work.notes[_NOTE]
    return found


async def _write(noted: _Noted) -> None:
    if noted.events or noted.withdrawn:
        await db.execute(_WRITE, take_noted())

"""What a person did or what happened to them: an outbox event and a line of their timeline, in one transaction."""

import uuid
from collections.abc import Mapping
from datetime import datetime

import orjson

from app import db, events
from app.customers.vocabulary import EVENT_TYPES
from app.kit.ids import new_id

_NOTE = "timeline"


def sql_to_write(noted: str) -> str:
    """SQL: the CTEs that write what was noted, for a statement that writes something else as well.

    A profile that was merged meanwhile lives on in another. Its row is held until the commit, so that nobody merges it
    without seeing what is written here. Of whoever was erased, nothing is noted any more.

    Args:
        noted: the statement's parameter with what `take_noted` gave, such as `$7`.
    """
    return f"""
    noted AS (
        SELECT * FROM jsonb_to_recordset({noted}::jsonb) AS n (
            id uuid, profile_id uuid, type text, occurred_at timestamptz, product_id uuid, collection_id uuid,
            cart_id uuid, order_id uuid, data jsonb
        )
    ), profile AS (
        SELECT id, merged_into_id, erased_at FROM profiles
        WHERE id = ANY(ARRAY(SELECT profile_id FROM noted)) ORDER BY id FOR KEY SHARE
    ), told AS (
        INSERT INTO profile_events (id, profile_id, type, occurred_at, product_id, collection_id, cart_id, order_id,
                                    data)
        SELECT n.id, coalesce(profile.merged_into_id, n.profile_id), n.type, coalesce(n.occurred_at, business_now()),
               n.product_id, n.collection_id, n.cart_id, n.order_id, n.data
        FROM noted n LEFT JOIN profile ON profile.id = n.profile_id
        WHERE profile.erased_at IS NULL
    )
    """


# With the events that tell of the same: what is noted here first is written first, and takes them along.
_WRITE = f"WITH {events.sql_to_write('$1')}, {sql_to_write('$2')} SELECT"


async def record(
    event_type: str,
    *,
    profile_id: uuid.UUID,
    subject_id: uuid.UUID | None = None,
    product_id: uuid.UUID | None = None,
    collection_id: uuid.UUID | None = None,
    cart_id: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
    data: Mapping[str, object] | None = None,
    occurred_at: datetime | None = None,
) -> uuid.UUID:
    """Note in the open unit of work what happened to somebody; returns the event's id, that of both rows.

    The outbox event's payload is `data` with `profileId` and the ids given here (`productId`, `cartId` …); its subject
    is `subject_id`, or else the profile.

    Args:
        event_type: one of `vocabulary.EVENT_TYPES`.
        data: small and JSON: ids and facts, no personal data.
        occurred_at: business time, where it was before now.

    Raises:
        ValueError: for a type that is not in the vocabulary.
    """
    if event_type not in EVENT_TYPES:
        raise ValueError(f"{event_type} is not in the vocabulary")
    _rows(db.current_unit_of_work())  # first, so that one statement writes both
    ids = {"productId": product_id, "collectionId": collection_id, "cartId": cart_id, "orderId": order_id}
    facts = {**{name: str(value) for name, value in ids.items() if value is not None}, **(data or {})}
    event_id = await events.record(
        event_type, subject_id=subject_id or profile_id, payload={"profileId": str(profile_id), **facts}
    )
    of = {"product_id": product_id, "collection_id": collection_id, "cart_id": cart_id, "order_id": order_id}
    _note(event_id, profile_id, event_type, occurred_at, {**of, "data": orjson.Fragment(orjson.dumps(facts))})
    return event_id


async def note(
    event_type: str,
    *,
    profile_id: uuid.UUID,
    cart_id: uuid.UUID,
    order_id: uuid.UUID,
    occurred_at: datetime | None = None,
    data: Mapping[str, object] | None = None,
) -> None:
    """A line of somebody's timeline alone: it ends what waits for such a thing, and begins nothing.

    Args:
        occurred_at: business time, where it was before now.
        data: what is known beside the ids.
    """
    body = orjson.dumps({"cartId": str(cart_id), "orderId": str(order_id), **(data or {})})
    of = {"cart_id": cart_id, "order_id": order_id, "data": orjson.Fragment(body)}
    _note(new_id(), profile_id, event_type, occurred_at, of)


def take_noted() -> str:
    """What the open unit of work has noted so far, for `sql_to_write`: the statement it goes to writes it, nobody
    else does."""
    rows = _rows(db.current_unit_of_work())
    taken = orjson.dumps(rows, default=str).decode()
    rows.clear()
    return taken


def _note(
    line_id: uuid.UUID, profile_id: uuid.UUID, event_type: str, occurred_at: datetime | None, of: dict[str, object]
) -> None:
    line = {"id": line_id, "profile_id": profile_id, "type": event_type, "occurred_at": occurred_at, **of}
    _rows(db.current_unit_of_work()).append(line)


def _rows(work: db.UnitOfWork) -> list[dict[str, object]]:
    if _NOTE not in work.notes:
        rows = work.notes[_NOTE] = []
        work.before_commit(lambda: _write(rows))
    noted: list[dict[str, object]] = work.notes[_NOTE]
    return noted


async def _write(rows: list[dict[str, object]]) -> None:
    if rows:
        await db.execute(_WRITE, events.take_noted(), take_noted())

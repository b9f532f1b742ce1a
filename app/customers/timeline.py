"""What a person did or what happened to them: an outbox event and a line of their timeline, in one transaction."""

import uuid
from collections.abc import Mapping
from datetime import datetime

import orjson

from app import db, events
from app.customers.vocabulary import EVENT_TYPES
from app.kit.ids import new_id

_NOTE = "timeline"

# A profile that was merged meanwhile lives on in another. Its row is held until the commit, so that nobody merges it
# without seeing what is written here. Of whoever was erased, nothing is noted any more.
_INSERT = """
    WITH profile AS (
        SELECT id, merged_into_id, erased_at FROM profiles WHERE id = ANY($2::uuid[]) ORDER BY id FOR KEY SHARE
    )
    INSERT INTO profile_events (id, profile_id, type, occurred_at, product_id, collection_id, cart_id, order_id, data)
    SELECT e.id, coalesce(profile.merged_into_id, e.profile_id), e.type, coalesce(e.occurred_at, business_now()),
           e.product_id, e.collection_id, e.cart_id, e.order_id, e.data::jsonb
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
                $9::text[])
         AS e (id, profile_id, type, occurred_at, product_id, collection_id, cart_id, order_id, data)
    LEFT JOIN profile ON profile.id = e.profile_id
    WHERE profile.erased_at IS NULL
"""


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
    ids = {"productId": product_id, "collectionId": collection_id, "cartId": cart_id, "orderId": order_id}
    facts = {**{name: str(value) for name, value in ids.items() if value is not None}, **(data or {})}
    event_id = await events.record(
        event_type, subject_id=subject_id or profile_id, payload={"profileId": str(profile_id), **facts}
    )
    rows = _rows(db.current_unit_of_work())
    body = orjson.dumps(facts).decode()
    rows.append((event_id, profile_id, event_type, occurred_at, product_id, collection_id, cart_id, order_id, body))
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
    body = orjson.dumps({"cartId": str(cart_id), "orderId": str(order_id), **(data or {})}).decode()
    _rows(db.current_unit_of_work()).append(
        (new_id(), profile_id, event_type, occurred_at, None, None, cart_id, order_id, body)
    )


def _rows(work: db.UnitOfWork) -> list[tuple[object, ...]]:
    if _NOTE not in work.notes:
        rows = work.notes[_NOTE] = []
        work.before_commit(lambda: _write(rows))
    noted: list[tuple[object, ...]] = work.notes[_NOTE]
    return noted


async def _write(rows: list[tuple[object, ...]]) -> None:
    await db.execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)))

"""What visitors do in the storefront: products and collections that they look at, and what they search for."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app import clock, db
from app.customers import identification, timeline
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.crypto import token_matches
from app.kit.text import check_text
from app.rate_limit import allow

MAX_EVENTS = 50
MAX_QUERY_CHARS = 200
MAX_KEY_CHARS = 64
OLDEST = timedelta(hours=24)
"""What a storefront kept while it was offline may come this late."""
AHEAD = timedelta(minutes=5)
"""Clocks of browsers are not ours; what lies ahead by less counts as now."""
WINDOW_SECONDS = 60
EVENTS_PER_VISITOR = 120
EVENTS_PER_CLIENT = 1200
"""Of all visitors behind one address, in a window."""


class StorefrontEventType(StrEnum):
    PRODUCT_VIEWED = "PRODUCT_VIEWED"
    COLLECTION_VIEWED = "COLLECTION_VIEWED"
    SEARCHED = "SEARCHED"


_RECORDED_AS = {
    StorefrontEventType.PRODUCT_VIEWED: "product.viewed",
    StorefrontEventType.COLLECTION_VIEWED: "collection.viewed",
    StorefrontEventType.SEARCHED: "search.performed",
}
_NEEDS = {
    StorefrontEventType.PRODUCT_VIEWED: "product_id",
    StorefrontEventType.COLLECTION_VIEWED: "collection_id",
    StorefrontEventType.SEARCHED: "search_query",
}
_FIELDS = {"product_id": "productId", "collection_id": "collectionId", "search_query": "searchQuery"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorefrontEvent:
    """One thing that a visitor did.

    Attributes:
        occurred_at: business time; None is now.
        key: the storefront's own for it; the same key of the same visitor is the same event.
    """

    type: StorefrontEventType
    product_id: uuid.UUID | None = None
    collection_id: uuid.UUID | None = None
    search_query: str | None = None
    occurred_at: datetime | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class CartHeld:
    """A cart that the visitor holds, and what opens it."""

    id: uuid.UUID
    secret: str


async def track(
    visitor_id: uuid.UUID, events: Sequence[StorefrontEvent], cart: CartHeld | None = None, *, client: str
) -> int:
    """Note what a visitor did, all of it or nothing; returns how much of it was new.

    The first event makes the visitor's profile, without a name or address. With a cart, the visitor is whoever the
    cart's person is, from then on.

    Args:
        client: where the request comes from, for the limit.

    Raises:
        DomainErrors: TOO_MANY, REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE for a time, NOT_FOUND for a product,
            collection or cart; paths begin with `input`.
        DomainError: RATE_LIMITED.
    """
    if len(events) > MAX_EVENTS:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_EVENTS} events.", ["input", "events"])
    await _limit(visitor_id, client, len(events))
    moment = await clock.now()
    errors = [error for place, event in enumerate(events) for error in _wrong(event, moment, place)]
    errors += await _unknown(events)
    if errors:
        raise DomainErrors(errors)
    if not events and cart is None:
        return 0
    async with db.unit_of_work():
        profile_id = await _profile(visitor_id, cart)
        return await _record(profile_id, visitor_id, events, moment)


async def _limit(visitor_id: uuid.UUID, client: str, number: int) -> None:
    await allow(
        "events", str(visitor_id), limit=EVENTS_PER_VISITOR, window_seconds=WINDOW_SECONDS, attempts=max(1, number)
    )
    await allow(
        "events-client", client, limit=EVENTS_PER_CLIENT, window_seconds=WINDOW_SECONDS, attempts=max(1, number)
    )


def _wrong(event: StorefrontEvent, moment: datetime, place: int) -> list[DomainError]:
    at: list[str | int] = ["input", "events", place]
    errors: list[DomainError | None] = []
    for name, field in _FIELDS.items():
        given = getattr(event, name)
        if name == _NEEDS[event.type]:
            if given is None or given == "":
                errors.append(DomainError(CommonErrorCode.REQUIRED, f"{event.type} needs it.", [*at, field]))
        elif given is not None:
            errors.append(DomainError(CommonErrorCode.INVALID, f"{event.type} has no {field}.", [*at, field]))
    errors.append(check_text(event.search_query or "", MAX_QUERY_CHARS, [*at, "searchQuery"]))
    if event.key is not None:
        if not event.key:
            errors.append(DomainError(CommonErrorCode.REQUIRED, "A key is not empty.", [*at, "key"]))
        errors.append(check_text(event.key, MAX_KEY_CHARS, [*at, "key"]))
    if event.occurred_at is not None and not moment - OLDEST <= event.occurred_at <= moment + AHEAD:
        message = f"At most {OLDEST.total_seconds() / 3600:.0f} hours ago, and not in the future."
        errors.append(DomainError(CommonErrorCode.OUT_OF_RANGE, message, [*at, "occurredAt"]))
    return [error for error in errors if error]


async def _unknown(events: Sequence[StorefrontEvent]) -> list[DomainError]:
    """Products and collections that shoppers cannot have seen."""
    products = {event.product_id for event in events if event.product_id}
    collections = {event.collection_id for event in events if event.collection_id}
    if not products and not collections:
        return []
    rows = await db.fetch(
        """
        SELECT id FROM products WHERE id = ANY($1::uuid[]) AND status = 'ACTIVE'
        UNION ALL SELECT id FROM collections WHERE id = ANY($2::uuid[]) AND is_published
        """,
        list(products),
        list(collections),
    )
    known = {row["id"] for row in rows}
    errors = []
    for place, event in enumerate(events):
        at: list[str | int] = ["input", "events", place]
        if event.product_id and event.product_id not in known:
            errors.append(not_found("product", [*at, "productId"]))
        if event.collection_id and event.collection_id not in known:
            errors.append(not_found("collection", [*at, "collectionId"]))
    return errors


async def _profile(visitor_id: uuid.UUID, cart: CartHeld | None) -> uuid.UUID:
    """Whose events these are; locked, so that what is sent twice at the same time is seen to be the same."""
    if cart is None:
        return await identification.anonymous(visitor_id)
    row = await db.fetchrow(
        """
        SELECT c.secret_hash, c.profile_id, c.state, EXISTS (SELECT FROM cart_lines l WHERE l.cart_id = c.id) AS filled
        FROM carts c WHERE c.id = $1 FOR NO KEY UPDATE OF c
        """,
        cart.id,
    )
    if row is None or not token_matches(cart.secret, row["secret_hash"]):
        raise not_found("cart", ["input", "cartId"])
    profile_id = await identification.anonymous(visitor_id, cart_id=cart.id, cart_profile_id=row["profile_id"])
    if row["profile_id"] is None and row["filled"] and row["state"] == "OPEN":
        await timeline.record("cart.updated", profile_id=profile_id, cart_id=cart.id)
    return profile_id


_NEW_KEYS = """
    WITH seen AS (UPDATE profiles SET last_seen_at = greatest(last_seen_at, business_now()) WHERE id = $3)
    SELECT k.key FROM unnest($2::text[]) AS k (key)
    WHERE NOT EXISTS (
        SELECT FROM profile_events e
        WHERE e.data ? 'clientKey' AND e.data ->> 'visitorId' = $1 AND e.data ->> 'clientKey' = k.key
    )
"""


async def _record(
    profile_id: uuid.UUID, visitor_id: uuid.UUID, events: Sequence[StorefrontEvent], moment: datetime
) -> int:
    keys = [event.key for event in events if event.key is not None]
    fresh = {row["key"] for row in await db.fetch(_NEW_KEYS, str(visitor_id), keys, profile_id)}
    recorded = 0
    for event in events:
        facts: dict[str, object] = {"visitorId": str(visitor_id)}
        if event.search_query is not None:
            facts["query"] = event.search_query
        if event.key is not None:
            if event.key not in fresh:
                continue
            fresh.discard(event.key)
            facts["clientKey"] = event.key
        await timeline.record(
            _RECORDED_AS[event.type],
            profile_id=profile_id,
            product_id=event.product_id,
            collection_id=event.collection_id,
            data=facts,
            occurred_at=min(event.occurred_at, moment) if event.occurred_at else None,
        )
        recorded += 1
    return recorded

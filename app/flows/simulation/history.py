"""What people did, for a batch of them at a time: the memory that a simulation takes does not grow with the shop."""

import uuid
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.customers import suppressions
from app.flows.asking import Happened
from app.messaging.models import MessageChannel
from app.orders.shop_currency import sql_of_shop_total

ORDER_PLACED = "order.placed"
MAX_EVENTS_A_PERSON = 2_000
"""The latest of them; whoever has more is a test or a machine."""


@dataclass(frozen=True, slots=True)
class PastOrder:
    id: uuid.UUID
    cart_id: uuid.UUID
    placed_at: datetime
    cancelled_at: datetime | None
    total_minor: int
    shop_total_minor: int
    """In the shop's currency."""
    products: frozenset[uuid.UUID]
    product_types: frozenset[str]


@dataclass(slots=True)
class Past:
    """One person's history up to the simulation's end."""

    profile: dict[str, Any]
    orders: list[PastOrder] = field(default_factory=list)
    """By the moment they were placed."""
    events: list[Happened] = field(default_factory=list)
    """By the moment they happened."""
    consents: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    """By channel: what was said, and when."""
    suppressed: dict[str, list[tuple[datetime, datetime | None]]] = field(default_factory=dict)
    """By channel: from when to when."""
    written: dict[str, list[datetime]] = field(default_factory=dict)
    """By channel: marketing of other flows and campaigns, and then the simulation's own."""

    @property
    def id(self) -> uuid.UUID:
        found: uuid.UUID = self.profile["id"]
        return found

    def orders_by(self, now: datetime) -> Sequence[PastOrder]:
        """Placed by then, and not cancelled by then."""
        placed = self.orders[: bisect_right(self.orders, now, key=lambda order: order.placed_at)]
        return [order for order in placed if order.cancelled_at is None or order.cancelled_at > now]

    def consent(self, channel: MessageChannel, now: datetime) -> str | None:
        said = [action for at, action in self.consents.get(channel, ()) if at <= now]
        return said[-1] if said else None

    def is_suppressed(self, channel: MessageChannel, now: datetime) -> bool:
        return any(
            begun <= now and (lifted is None or lifted > now)
            for one in suppressions.channels_of(channel)
            for begun, lifted in self.suppressed.get(one, ())
        )


_PROFILES = """
    SELECT * FROM profiles WHERE merged_into_id IS NULL AND created_at <= $3 AND ($1::uuid IS NULL OR id > $1)
    ORDER BY id LIMIT $2
"""
_ORDERS = f"""
    SELECT o.id, o.profile_id, o.cart_id, o.placed_at, o.cancelled_at, o.total_minor,
           coalesce({sql_of_shop_total("o")}, 0) AS shop_total_minor, b.products, b.product_types
    FROM orders o
    LEFT JOIN LATERAL (
        SELECT array_agg(DISTINCT l.product_id) AS products,
               array_agg(DISTINCT lower(p.product_type)) FILTER (WHERE p.product_type IS NOT NULL) AS product_types
        FROM order_lines l LEFT JOIN products p ON p.id = l.product_id WHERE l.order_id = o.id
    ) b ON $3
    WHERE o.profile_id = ANY($1) AND o.placed_at <= $2 ORDER BY o.placed_at, o.id
"""
_EVENTS = f"""
    SELECT e.* FROM unnest($1::uuid[]) AS p (id) CROSS JOIN LATERAL (
        SELECT id, profile_id, type, occurred_at, order_id, data FROM profile_events
        WHERE profile_id = p.id AND type = ANY($2) AND occurred_at <= $3
        ORDER BY occurred_at DESC, id DESC LIMIT {MAX_EVENTS_A_PERSON}
    ) e ORDER BY e.occurred_at, e.id
"""
_CONSENTS = """
    SELECT profile_id, channel, action, recorded_at FROM consents WHERE profile_id = ANY($1) ORDER BY id
"""
_SUPPRESSIONS = """
    SELECT p.id AS profile_id, s.channel, s.created_at, s.lifted_at FROM profiles p
    JOIN suppressions s ON s.address = CASE WHEN s.channel = 'EMAIL' THEN p.email ELSE p.phone END
    WHERE p.id = ANY($1)
"""
_WRITTEN = """
    SELECT profile_id, channel, sent_at FROM messages
    WHERE profile_id = ANY($1) AND purpose = 'MARKETING' AND state IN ('SENT', 'UNKNOWN') AND sent_at IS NOT NULL
      AND flow_id IS DISTINCT FROM $2 ORDER BY sent_at
"""


async def load(
    after: uuid.UUID | None,
    limit: int,
    *,
    types: Collection[str],
    until: datetime,
    flow_id: uuid.UUID,
    with_products: bool,
) -> list[Past]:
    """The next people in the order of their ids, each with their history; six statements.

    An order without an event of its own, as an import leaves it, counts as one that was placed.
    """
    rows = await db.fetch(_PROFILES, after, limit, until)
    people = {row["id"]: Past(dict(row)) for row in rows}
    if not people:
        return []
    ids = list(people)
    for row in await db.fetch(_ORDERS, ids, until, with_products):
        people[row["profile_id"]].orders.append(_order(row))
    told: set[uuid.UUID] = set()
    for row in await db.fetch(_EVENTS, ids, list(types), until):
        happened = Happened(row["id"], row["type"], row["occurred_at"], orjson.loads(row["data"]))
        people[row["profile_id"]].events.append(happened)
        if row["type"] == ORDER_PLACED and row["order_id"]:
            told.add(row["order_id"])
    if ORDER_PLACED in types:
        for past in people.values():
            _tell_of_orders(past, told)
    for row in await db.fetch(_CONSENTS, ids):
        said = people[row["profile_id"]].consents.setdefault(row["channel"], [])
        said.append((row["recorded_at"], row["action"]))
    for row in await db.fetch(_SUPPRESSIONS, ids):
        spans = people[row["profile_id"]].suppressed.setdefault(row["channel"], [])
        spans.append((row["created_at"], row["lifted_at"]))
    for row in await db.fetch(_WRITTEN, ids, flow_id):
        people[row["profile_id"]].written.setdefault(row["channel"], []).append(row["sent_at"])
    return list(people.values())


def _order(row: db.Record) -> PastOrder:
    return PastOrder(
        row["id"],
        row["cart_id"],
        row["placed_at"],
        row["cancelled_at"],
        row["total_minor"],
        row["shop_total_minor"],
        frozenset(row["products"] or ()),
        frozenset(row["product_types"] or ()),
    )


def _tell_of_orders(past: Past, told: Collection[uuid.UUID]) -> None:
    silent = [order for order in past.orders if order.id not in told]
    if not silent:
        return
    for order in silent:
        facts = {"orderId": str(order.id), "cartId": str(order.cart_id), "totalMinor": order.total_minor}
        past.events.append(Happened(uuid.uuid5(order.id, ORDER_PLACED), ORDER_PLACED, order.placed_at, facts))
    past.events.sort(key=lambda happened: (happened.occurred_at, happened.id))

"""What conditions ask about people, for many people in a handful of statements, however many there are."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import orjson

from app import db
from app.conditions.names import CARTS, CONSENT, ORDERS, events_need
from app.conditions.typed import FactCall
from app.customers.addresses import address_hashes
from app.messaging.models import MessageChannel
from app.orders.shop_currency import sql_of_shop_total

MAX_COUNTED = 1000
"""Happenings of one kind that are counted for a person."""

Window: TypeAlias = timedelta | None
"""The last while; None for ever."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many within a window, and the oldest of them: when that leaves the window, the number changes."""

    count: int = 0
    oldest_at: datetime | None = None


@dataclass(slots=True)
class ProfileFacts:
    """What is known about one person for the conditions that are asked."""

    profile: Mapping[str, Any]
    now: datetime
    """Business time."""
    currency_code: str
    last_placed_at: datetime | None = None
    spent_minor: dict[timedelta, Tally] = field(default_factory=dict)
    bought: set[uuid.UUID] = field(default_factory=set)
    bought_types: set[str] = field(default_factory=set)
    views: dict[tuple[uuid.UUID, Window], Tally] = field(default_factory=dict)
    tallies: dict[tuple[str, Window], Tally] = field(default_factory=dict)
    last_at: dict[str, datetime] = field(default_factory=dict)
    open_cart: bool = False
    open_checkout: bool = False
    segments: set[str] = field(default_factory=set)
    consented: set[str] = field(default_factory=set)
    products: Mapping[str, uuid.UUID] = field(default_factory=dict)
    """By how they were named."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that some conditions need together. Names of products are texts by now, whatever they came from."""

    needs: frozenset[str]
    calls: frozenset[FactCall]

    def of(self, *functions: str) -> list[tuple[Any, ...]]:
        return sorted({call.arguments for call in self.calls if call.function in functions}, key=repr)


_PROFILES = """
    SELECT p.*, business_now() AS now, coalesce((SELECT currency_code FROM shop WHERE id = 1), 'USD') AS shop_currency
    FROM profiles p WHERE p.id = ANY($1) AND p.merged_into_id IS NULL AND p.erased_at IS NULL
"""
_LAST_PLACED = "SELECT profile_id, max(placed_at) AS at FROM orders WHERE profile_id = ANY($1) GROUP BY profile_id"
_SPENT = f"""
    SELECT o.profile_id, w.place,
           least(9223372036854775807, coalesce(sum({sql_of_shop_total("o")}), 0))::bigint AS spent,
           min(o.placed_at) AS oldest
    FROM orders o JOIN unnest($2::interval[]) WITH ORDINALITY w (span, place) ON o.placed_at > $3::timestamptz - w.span
    WHERE o.profile_id = ANY($1) AND o.status <> 'CANCELLED' GROUP BY 1, 2
"""
_BOUGHT = """
    SELECT DISTINCT o.profile_id, l.product_id, lower(p.product_type) AS product_type
    FROM orders o JOIN order_lines l ON l.order_id = o.id LEFT JOIN products p ON p.id = l.product_id
    WHERE o.profile_id = ANY($1) AND o.status <> 'CANCELLED'
      AND (l.product_id = ANY($2) OR lower(p.product_type) = ANY($3))
"""
_PRODUCTS = "SELECT id, slug FROM products WHERE slug = ANY($1)"
_VIEWS = f"""
    SELECT p.id AS profile_id, w.place, count(e.at) AS count, min(e.at) AS oldest
    FROM unnest($1::uuid[]) AS p (id)
    CROSS JOIN unnest($2::uuid[], $3::interval[]) WITH ORDINALITY AS w (product_id, span, place)
    CROSS JOIN LATERAL (
        SELECT e.occurred_at AS at FROM profile_events e
        WHERE e.profile_id = p.id AND e.type = 'product.viewed' AND e.product_id = w.product_id
          AND e.occurred_at > coalesce($4::timestamptz - w.span, '-infinity')
        ORDER BY e.occurred_at DESC LIMIT {MAX_COUNTED}
    ) e GROUP BY 1, 2
"""
_TALLIES = f"""
    SELECT p.id AS profile_id, w.place, count(e.at) AS count, min(e.at) AS oldest
    FROM unnest($1::uuid[]) AS p (id)
    CROSS JOIN unnest($2::text[], $3::interval[]) WITH ORDINALITY AS w (type, span, place)
    CROSS JOIN LATERAL (
        SELECT e.occurred_at AS at FROM profile_events e
        WHERE e.profile_id = p.id AND e.type = w.type
          AND e.occurred_at > coalesce($4::timestamptz - w.span, '-infinity')
        ORDER BY e.occurred_at DESC LIMIT {MAX_COUNTED}
    ) e GROUP BY 1, 2
"""
_LAST = """
    SELECT p.id AS profile_id, t.type, e.at
    FROM unnest($1::uuid[]) AS p (id) CROSS JOIN unnest($2::text[]) AS t (type)
    CROSS JOIN LATERAL (
        SELECT e.occurred_at AS at FROM profile_events e
        WHERE e.profile_id = p.id AND e.type = t.type ORDER BY e.occurred_at DESC LIMIT 1
    ) e
"""
_OPEN_CARTS = """
    SELECT c.profile_id, bool_or(EXISTS (SELECT FROM cart_lines l WHERE l.cart_id = c.id)) AS cart,
           bool_or(EXISTS (
               SELECT FROM checkouts k WHERE k.cart_id = c.id AND k.started_event_at IS NOT NULL
           )) AS checkout
    FROM carts c WHERE c.profile_id = ANY($1) AND c.state = 'OPEN' GROUP BY 1
"""
_SEGMENTS = """
    SELECT m.profile_id, s.key FROM segment_memberships m JOIN segments s ON s.id = m.segment_id
    WHERE m.profile_id = ANY($1) AND m.member AND s.key = ANY($2)
"""
_CONSENTS = """
    SELECT DISTINCT ON (channel, address_hash) channel, address_hash, id, action FROM consents
    WHERE channel = ANY($1) AND address_hash = ANY($2) ORDER BY channel, address_hash, id DESC
"""


async def load(wanted: Wanted, profile_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ProfileFacts]:
    """The facts about each living profile of these; who does not exist, or was merged, is not in the answer."""
    rows = await db.fetch(_PROFILES, list(profile_ids))
    people = {row["id"]: ProfileFacts(row, row["now"], row["shop_currency"]) for row in rows}
    if people:
        loader = _Loader(wanted, people)
        await loader.orders()
        await loader.events()
        await loader.others()
    return people


class _Loader:
    def __init__(self, wanted: Wanted, people: dict[uuid.UUID, ProfileFacts]) -> None:
        self._wanted = wanted
        self._people = people
        self._ids = list(people)
        self._now = next(iter(people.values())).now

    async def orders(self) -> None:
        if ORDERS not in self._wanted.needs:
            return
        if self._wanted.of("orderedSince"):
            for row in await db.fetch(_LAST_PLACED, self._ids):
                self._people[row["profile_id"]].last_placed_at = row["at"]
        if spans := [span for (span,) in self._wanted.of("spentIn")]:
            for row in await db.fetch(_SPENT, self._ids, spans, self._now):
                tally = Tally(row["spent"], row["oldest"])
                self._people[row["profile_id"]].spent_minor[spans[row["place"] - 1]] = tally
        types = [text.lower() for (text,) in self._wanted.of("boughtType")]
        products = await self._products(text for (text,) in self._wanted.of("bought"))
        if products or types:
            for row in await db.fetch(_BOUGHT, self._ids, products, types):
                self._people[row["profile_id"]].bought.add(row["product_id"])
                self._people[row["profile_id"]].bought_types.add(row["product_type"])

    async def _products(self, named: Iterable[str | None]) -> list[uuid.UUID]:
        """The ids of products that are named by id or slug; noted for all, as everybody is asked about the same."""
        texts = {text for text in named if text}
        known = {text: found for text in texts if (found := product_id_of(text))}
        if slugs := sorted(texts - known.keys()):
            known |= {row["slug"]: row["id"] for row in await db.fetch(_PRODUCTS, slugs)}
        for facts in self._people.values():
            facts.products = {**facts.products, **known}
        return sorted(set(known.values()))

    async def events(self) -> None:
        if not any(need.startswith(events_need("")) for need in self._wanted.needs):
            return
        if views := self._wanted.of("viewCount"):
            await self._products(text for text, _ in views)
            named = next(iter(self._people.values())).products
            pairs = [(named[text], span) for text, span in views if text in named]
            for row in await self._tallied(_VIEWS, pairs):
                self._people[row["profile_id"]].views[pairs[row["place"] - 1]] = Tally(row["count"], row["oldest"])
        counts = [(type_, span) for type_, span in self._wanted.of("eventCount")]
        for row in await self._tallied(_TALLIES, counts):
            self._people[row["profile_id"]].tallies[counts[row["place"] - 1]] = Tally(row["count"], row["oldest"])
        types = {type_ for (type_,) in self._wanted.of("eventSince", "lastEventAt")}
        if self._wanted.of("couponIssuedSince"):
            types.add("coupon.issued")
        if types:
            for row in await db.fetch(_LAST, self._ids, sorted(types)):
                self._people[row["profile_id"]].last_at[row["type"]] = row["at"]

    async def _tallied(self, sql: str, pairs: Sequence[tuple[Any, Window]]) -> list[db.Record]:
        if not pairs:
            return []
        whats, spans = zip(*pairs, strict=True)
        return await db.fetch(sql, self._ids, list(whats), list(spans), self._now)

    async def others(self) -> None:
        if CARTS in self._wanted.needs:
            for row in await db.fetch(_OPEN_CARTS, self._ids):
                facts = self._people[row["profile_id"]]
                facts.open_cart, facts.open_checkout = row["cart"], row["checkout"]
        if keys := [key for (key,) in self._wanted.of("inSegment")]:
            for row in await db.fetch(_SEGMENTS, self._ids, keys):
                self._people[row["profile_id"]].segments.add(row["key"])
        if CONSENT in self._wanted.needs:
            await self._consents([MessageChannel(channel) for (channel,) in self._wanted.of("consented")])

    async def _consents(self, channels: list[MessageChannel]) -> None:
        """As `customers.consent.state` has it: what holds is the latest word about the address, whoever gave it."""
        asked: dict[tuple[str, bytes], list[uuid.UUID]] = defaultdict(list)
        for profile_id, facts in self._people.items():
            for channel in channels:
                address = facts.profile["email" if channel is MessageChannel.EMAIL else "phone"]
                for hashed in address_hashes(channel, address) if address else ():
                    asked[channel.value, hashed].append(profile_id)
        hashes = sorted({hashed for _, hashed in asked})
        if not hashes:
            return
        latest: dict[tuple[uuid.UUID, str], tuple[uuid.UUID, str]] = {}
        for row in await db.fetch(_CONSENTS, [channel.value for channel in channels], hashes):
            for profile_id in asked.get((row["channel"], bytes(row["address_hash"])), ()):
                key = (profile_id, row["channel"])
                latest[key] = max(latest.get(key, (row["id"], row["action"])), (row["id"], row["action"]))
        for (profile_id, channel_name), (_, action) in latest.items():
            if action == "GRANTED":
                self._people[profile_id].consented.add(channel_name)


def product_id_of(text: str) -> uuid.UUID | None:
    """`prod_…` and a bare UUID; None for a slug."""
    try:
        return uuid.UUID(hex=text.removeprefix("prod_"))
    except ValueError:
        return None


def properties_of(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = row["properties"]
    loaded: dict[str, Any] = orjson.loads(kept) if isinstance(kept, str) else dict(kept or {})
    return loaded

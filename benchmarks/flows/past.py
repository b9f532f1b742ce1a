"""A purchase history as rows: people who agreed to mail, their orders, and the figures that the shop keeps of them."""

import statistics
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from typing import Any

from app import db
from app.customers import lifecycle
from app.customers.addresses import address_hashes
from app.customers.lifecycle_rules import (
    SAME_OCCASION,
    Figures,
    Standing,
    frequency_bucket,
    monetary_bucket,
    score,
    standing,
)
from app.customers.merging import STAGE_DUE
from app.kit.ids import new_id
from app.messaging.models import MessageChannel

OPENS_AT = time(10)
BETWEEN = timedelta(minutes=20)
"""Orders of one person on one day are given an order of their own."""
DELIVERED_AFTER = timedelta(days=4)
"""The history knows nothing of parcels."""
AT_ONCE = 5_000

_PEOPLE = """
    WITH given AS (
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::int[], $6::int[], $7::int[],
                             $8::int[], $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::bigint[],
                             $13::timestamptz[], $14::timestamptz[], $15::timestamptz[])
            AS g (id, email, address_hash, stage, recency, frequency, monetary, orders, spent, first_at, last_at,
                  median, expected_at, lapses_at, changes_at)
    ), people AS (
        INSERT INTO profiles (id, email, first_name, language, country_code, properties, stage, recency_score,
                              frequency_score, monetary_score, order_count, total_spent_minor, first_order_at,
                              last_order_at, median_interval_seconds, next_order_expected_at, lapses_at, created_at,
                              updated_at)
        SELECT id, email, 'Ada', 'en', 'US', '{}', stage, recency, frequency, monetary, orders, spent, first_at,
               last_at, median, expected_at, lapses_at, first_at, last_at
        FROM given
    ), agreed AS (
        INSERT INTO consents (id, profile_id, channel, address, address_hash, action, purpose, source, text_id,
                              recorded_at)
        SELECT uuidv7(), id, 'EMAIL', email, address_hash, 'GRANTED', 'MARKETING', 'CHECKOUT', $16, first_at FROM given
    )
    INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
    SELECT uuidv7(), $17, id, '{}', changes_at, now() FROM given WHERE changes_at IS NOT NULL
"""
_ORDERS = """
    WITH given AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::timestamptz[])
            AS g (id, cart_id, profile_id, email, total, placed_at)
    ), orders AS (
        INSERT INTO orders (id, number, attempt_id, cart_id, token_hash, email, status, payment_status,
                            fulfillment_status, currency_code, subtotal_minor, discount_minor, shipping_minor,
                            tax_minor, tax_included, total_minor, attributes, profile_id, placed_at, updated_at)
        SELECT id, nextval('order_numbers'), uuidv7(), cart_id, sha256(uuid_send(id)), email, 'COMPLETED', 'PAID',
               'FULFILLED', 'USD', total, 0, 0, 0, false, total, '[]', profile_id, placed_at, placed_at
        FROM given
    ), lines AS (
        INSERT INTO order_lines (id, order_id, position, product_id, variant_id, product_name, variant_name, quantity,
                                 selected_options, attributes, unit_price_minor, subtotal_minor, discount_minor,
                                 tax_minor, total_minor, weight_grams, requires_shipping, fulfilled_quantity)
        SELECT uuidv7(), g.id, 0, v.product_id, v.id, 'Discs', 'M', 1, '[]', '[]', g.total, g.total,
               0, 0, g.total, 0, true, 1
        FROM given g CROSS JOIN (SELECT id, product_id FROM product_variants ORDER BY id LIMIT 1) v
    )
    INSERT INTO profile_events (id, profile_id, type, occurred_at, cart_id, order_id, data)
    SELECT uuidv7(), profile_id, 'order.placed', placed_at, cart_id, id,
           jsonb_build_object('orderId', id, 'cartId', cart_id, 'totalMinor', total)
    FROM given
    UNION ALL
    SELECT uuidv7(), profile_id, 'order.delivered', placed_at + $7::interval, cart_id, id,
           jsonb_build_object('orderId', id, 'cartId', cart_id)
    FROM given WHERE placed_at + $7::interval <= now()
"""
_COUNTS = """
    INSERT INTO figure_counts (figure, bucket, shard, profiles)
    SELECT * FROM unnest($1::text[], $2::smallint[], $3::smallint[], $4::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Purchase:
    customer: str
    day: date
    total_minor: int


@dataclass(frozen=True, slots=True)
class _Customer:
    id: uuid.UUID
    email: str
    orders: list[tuple[datetime, Purchase]]
    figures: Figures
    stands: Standing


def parse(text: str, *, people: int | None = None) -> list[Purchase]:
    """Below a line of titles: customer, day (YYYYMMDD), number of discs and dollars, apart by spaces.

    Args:
        people: only the first so many of them.
    """
    found = [
        Purchase(customer, date.fromisoformat(day), round(float(dollars) * 100))
        for customer, day, _, dollars in map(str.split, text.splitlines()[1:])
    ]
    if people is None:
        return found
    kept = set(list(dict.fromkeys(purchase.customer for purchase in found))[:people])
    return [purchase for purchase in found if purchase.customer in kept]


async def load(purchases: list[Purchase]) -> int:
    """Write the history, its last day being yesterday; returns how many people it has."""
    now = datetime.now(UTC)
    moved = now.date() - timedelta(days=1) - max(purchase.day for purchase in purchases)
    by_customer: defaultdict[str, list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        by_customer[purchase.customer].append(purchase)
    customers = [_customer(theirs, moved, now) for theirs in by_customer.values()]
    text_id = await db.fetchval("SELECT id FROM consent_texts LIMIT 1")
    rows = _profiles(customers)
    for start in range(0, len(rows), AT_ONCE):
        await db.execute(_PEOPLE, *_columns(rows[start : start + AT_ONCE]), text_id, STAGE_DUE)
    orders = [
        (new_id(), new_id(), one.id, one.email, purchase.total_minor, placed_at)
        for one in customers
        for placed_at, purchase in one.orders
    ]
    for start in range(0, len(orders), AT_ONCE):
        await db.execute(_ORDERS, *_columns(orders[start : start + AT_ONCE]), DELIVERED_AFTER)
    await db.execute("ANALYZE")
    await _count(customers)
    return len(customers)


def _customer(purchases: list[Purchase], moved: timedelta, now: datetime) -> _Customer:
    orders: list[tuple[datetime, Purchase]] = []
    on_day: Counter[date] = Counter()
    for purchase in sorted(purchases, key=lambda one: one.day):
        moment = datetime.combine(purchase.day + moved, OPENS_AT, UTC) + BETWEEN * on_day[purchase.day]
        on_day[purchase.day] += 1
        orders.append((moment, purchase))
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(orders)]
    occasions = [gap.total_seconds() for gap in gaps if gap >= SAME_OCCASION]
    figures = Figures(
        order_count=len(orders),
        total_spent_minor=sum(purchase.total_minor for _, purchase in orders),
        first_order_at=orders[0][0],
        last_order_at=orders[-1][0],
        median_interval=timedelta(seconds=int(statistics.median(occasions))) if occasions else None,
    )
    stands = standing(figures, now, usual=None, reachable=True, dormant=False)
    return _Customer(new_id(), f"{new_id().hex}@customer.example", orders, figures, stands)


def _profiles(customers: list[_Customer]) -> list[tuple[Any, ...]]:
    fewer = _below([frequency_bucket(one.figures.order_count) for one in customers])
    less = _below([monetary_bucket(one.figures.total_spent_minor) for one in customers])
    rows = []
    for one in customers:
        figures, stands = one.figures, one.stands
        rows.append(
            (
                one.id,
                one.email,
                address_hashes(MessageChannel.EMAIL, one.email)[0],
                stands.stage.value,
                stands.recency_score,
                score(fewer[frequency_bucket(figures.order_count)], len(customers)),
                score(less[monetary_bucket(figures.total_spent_minor)], len(customers)),
                figures.order_count,
                figures.total_spent_minor,
                figures.first_order_at,
                figures.last_order_at,
                None if figures.median_interval is None else int(figures.median_interval.total_seconds()),
                stands.next_order_expected_at,
                stands.lapses_at,
                stands.changes_at,
            )
        )
    return rows


def _below(buckets: list[int]) -> dict[int, int]:
    """How many are in lower buckets, by bucket."""
    counts = Counter(buckets)
    ordered = sorted(counts)
    return dict(zip(ordered, accumulate((counts[bucket] for bucket in ordered), initial=0), strict=False))


async def _count(customers: list[_Customer]) -> None:
    counts: Counter[tuple[str, int, int]] = Counter()
    for one in customers:
        shard = one.id.int % lifecycle.SHARDS
        counts["FREQUENCY", frequency_bucket(one.figures.order_count), shard] += 1
        counts["MONETARY", monetary_bucket(one.figures.total_spent_minor), shard] += 1
    await db.execute(_COUNTS, *_columns([(*key, count) for key, count in sorted(counts.items())]))


def _columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]

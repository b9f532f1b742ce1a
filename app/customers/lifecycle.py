"""Keeping what a profile shows of its orders: figures, stage, scores, and when the next order is expected.

Everything is counted anew from the person's own orders at each of their events, so that an event that comes twice, late
or never does no lasting harm; nobody else's profile is touched. See docs/decisions/lifecycle.md.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app import db
from app.customers import identification
from app.customers.lifecycle_rules import SAME_OCCASION, Figures, frequency_bucket, monetary_bucket, score, standing
from app.customers.merging import STAGE_DUE
from app.customers.models import LifecycleStage
from app.events import timers
from app.orders.shop_currency import sql_of_shop_total

SHARDS = 8
REORDERS_LOOKED_AT = 101
MIN_REORDERS = 3
"""Fewer times that a product was bought again say nothing."""

_FIGURES = f"""
    WITH mine AS (
        SELECT o.placed_at, {sql_of_shop_total("o")} AS total_minor,
               o.placed_at - lag(o.placed_at) OVER (ORDER BY o.placed_at, o.id) AS gap
        FROM orders o WHERE o.profile_id = $1 AND o.status <> 'CANCELLED'
    )
    SELECT business_now() AS now, count(*) AS order_count,
           least(9223372036854775807, coalesce(sum(total_minor), 0))::bigint AS total_spent_minor,
           min(placed_at) AS first_order_at, max(placed_at) AS last_order_at,
           (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM gap)) FILTER (WHERE gap >= $2))::bigint
               AS median_seconds
    FROM mine
"""

# Of what was bought last: the product that is bought again soonest, by the latest times that it was.
_USUAL = """
    SELECT min(usual.seconds)::bigint
    FROM (
        SELECT o.id FROM orders o
        WHERE o.profile_id = $1 AND o.status <> 'CANCELLED' ORDER BY o.placed_at DESC, o.id DESC LIMIT 1
    ) latest
    CROSS JOIN LATERAL (SELECT DISTINCT l.product_id FROM order_lines l WHERE l.order_id = latest.id) bought
    CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY r.interval_seconds) AS seconds, count(*) AS times
        FROM (
            SELECT interval_seconds FROM product_reorders
            WHERE product_id = bought.product_id ORDER BY ordered_at DESC LIMIT $2
        ) r
    ) usual
    WHERE usual.times >= $3
"""

# One row less in the bucket that the profile leaves, one more in the one that it enters; always in the same order.
_COUNT = """
    INSERT INTO figure_counts AS c (figure, bucket, shard, profiles)
    SELECT m.figure, m.bucket, $4, sum(m.change)
    FROM unnest($1::text[], $2::smallint[], $3::int[]) AS m (figure, bucket, change)
    GROUP BY m.figure, m.bucket HAVING sum(m.change) <> 0 ORDER BY m.figure, m.bucket
    ON CONFLICT (figure, bucket, shard) DO UPDATE SET profiles = c.profiles + EXCLUDED.profiles
"""
_BELOW = """
    SELECT coalesce(sum(profiles) FILTER (WHERE figure = 'FREQUENCY' AND bucket < $1), 0)::bigint AS fewer_orders,
           coalesce(sum(profiles) FILTER (WHERE figure = 'MONETARY' AND bucket < $2), 0)::bigint AS less_money,
           coalesce(sum(profiles) FILTER (WHERE figure = 'FREQUENCY'), 0)::bigint AS customers
    FROM figure_counts
"""

_NAMES = {
    "stage": "stage",
    "recency_score": "recencyScore",
    "frequency_score": "frequencyScore",
    "monetary_score": "monetaryScore",
    "order_count": "orderCount",
    "total_spent_minor": "totalSpent",
    "first_order_at": "firstOrderAt",
    "last_order_at": "lastOrderAt",
    "median_interval_seconds": "medianInterval",
    "next_order_expected_at": "nextOrderExpectedAt",
    "lapses_at": "lapsesAt",
}
"""Columns that are kept here, and what `profile.updated` calls them."""

_WRITE = f"""
    UPDATE profiles SET {", ".join(f"{name} = ${place}" for place, name in enumerate(_NAMES, start=2))},
                        updated_at = business_now()
    WHERE id = $1
"""


async def refresh(profile_id: uuid.UUID) -> None:
    """Bring a profile up to its orders and to the time, in the open unit of work; tell what changed, if anything."""
    profile_id = await identification.lock(profile_id, or_erased=True)
    before = await db.fetchrow("SELECT * FROM profiles WHERE id = $1", profile_id)
    counted = await db.fetchrow(_FIGURES, profile_id, SAME_OCCASION)
    if before is None or counted is None:
        raise LookupError("there is no such profile")
    figures = Figures(
        order_count=counted["order_count"],
        total_spent_minor=counted["total_spent_minor"],
        first_order_at=counted["first_order_at"],
        last_order_at=counted["last_order_at"],
        median_interval=None if counted["median_seconds"] is None else timedelta(seconds=counted["median_seconds"]),
    )
    stands = standing(
        figures,
        counted["now"],
        usual=await _usual_time(profile_id) if figures.order_count and not figures.median_interval else None,
        reachable=before["email"] is not None or before["phone"] is not None,
        dormant=before["stage"] == LifecycleStage.DORMANT and before["last_order_at"] == figures.last_order_at,
    )
    frequency, monetary = await _scores(before, figures)
    after: dict[str, Any] = {
        "stage": stands.stage.value,
        "recency_score": stands.recency_score,
        "frequency_score": frequency,
        "monetary_score": monetary,
        "order_count": figures.order_count,
        "total_spent_minor": figures.total_spent_minor,
        "first_order_at": figures.first_order_at,
        "last_order_at": figures.last_order_at,
        "median_interval_seconds": counted["median_seconds"],
        "next_order_expected_at": stands.next_order_expected_at,
        "lapses_at": stands.lapses_at,
    }
    if stands.changes_at is None:
        await timers.cancel(STAGE_DUE, subject_id=profile_id)
    else:
        await timers.schedule(STAGE_DUE, subject_id=profile_id, due_at=stands.changes_at)
    changed = [shown for name, shown in _NAMES.items() if before[name] != after[name]]
    if changed:
        await db.execute(_WRITE, profile_id, *(after[name] for name in _NAMES))
        await identification.updated(profile_id, changed)


async def mark_dormant(profile_id: uuid.UUID) -> bool:
    """Winning somebody back is given up, in the open unit of work; their next order ends it.

    Returns:
        False, and nothing changed, for who has not lapsed.
    """
    profile_id = await identification.lock(profile_id)
    marked = await db.execute(
        "UPDATE profiles SET stage = 'DORMANT', updated_at = business_now() WHERE id = $1 AND stage = 'LAPSED'",
        profile_id,
    )
    if marked:
        await identification.updated(profile_id, ["stage"])
    return marked == 1


async def _usual_time(profile_id: uuid.UUID) -> timedelta | None:
    seconds: int | None = await db.fetchval(_USUAL, profile_id, REORDERS_LOOKED_AT, MIN_REORDERS)
    return None if seconds is None else timedelta(seconds=seconds)


async def _scores(before: Mapping[str, Any], figures: Figures) -> tuple[int | None, int | None]:
    """Frequency and monetary score among all customers as they stand now; None for who has no order."""
    had = _buckets(before["order_count"], before["total_spent_minor"])
    has = _buckets(figures.order_count, figures.total_spent_minor)
    moves = [*((*bucket, -1) for bucket in had.items()), *((*bucket, 1) for bucket in has.items())]
    if had != has:
        columns = zip(*moves, strict=True)
        await db.execute(_COUNT, *(list(column) for column in columns), before["id"].int % SHARDS)
    if not has:
        return None, None
    row = await db.fetchrow(_BELOW, has["FREQUENCY"], has["MONETARY"])
    if row is None:
        raise RuntimeError("counting gave no row")
    return score(row["fewer_orders"], row["customers"]), score(row["less_money"], row["customers"])


def _buckets(order_count: int, total_spent_minor: int) -> dict[str, int]:
    if not order_count:
        return {}
    return {"FREQUENCY": frequency_bucket(order_count), "MONETARY": monetary_bucket(total_spent_minor)}


async def forget_merged(gone_id: uuid.UUID) -> None:
    """A merged profile's orders are the living one's: it counts as a customer no more. Repeating it changes nothing."""
    gone = await db.fetchrow(
        "SELECT id, order_count, total_spent_minor FROM profiles WHERE id = $1 AND order_count > 0 FOR UPDATE", gone_id
    )
    if gone is None:
        return
    await _scores(gone, Figures(0, 0, None, None, None))
    await db.execute(
        """
        UPDATE profiles SET order_count = 0, total_spent_minor = 0, first_order_at = NULL, last_order_at = NULL,
            next_order_expected_at = NULL, lapses_at = NULL
        WHERE id = $1
        """,
        gone_id,
    )


async def note_reorders(order_id: uuid.UUID) -> None:
    """Of each product in an order: how long ago its buyer bought it before. Repeating it changes nothing."""
    await db.execute(
        """
        INSERT INTO product_reorders (product_id, order_id, interval_seconds, ordered_at)
        SELECT bought.product_id, o.id, extract(epoch FROM o.placed_at - earlier.placed_at)::bigint, o.placed_at
        FROM orders o
        CROSS JOIN LATERAL (SELECT DISTINCT l.product_id FROM order_lines l WHERE l.order_id = o.id) bought
        CROSS JOIN LATERAL (
            SELECT e.placed_at FROM orders e
            WHERE e.profile_id = o.profile_id AND e.status <> 'CANCELLED' AND e.placed_at <= o.placed_at - $2::interval
              AND EXISTS (SELECT FROM order_lines l WHERE l.order_id = e.id AND l.product_id = bought.product_id)
            ORDER BY e.placed_at DESC LIMIT 1
        ) earlier
        WHERE o.id = $1 AND o.status <> 'CANCELLED'
        ON CONFLICT (order_id, product_id) DO NOTHING
        """,
        order_id,
        SAME_OCCASION,
    )


async def forget_reorders(order_id: uuid.UUID) -> None:
    """The order was cancelled."""
    await db.execute("DELETE FROM product_reorders WHERE order_id = $1", order_id)

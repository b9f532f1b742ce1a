"""Units that a checkout keeps for its shopper before there is anything to pay, for some minutes.

They are as taken as those of an attempt: nobody else sees or gets them. A checkout follows its cart, every change of
either begins the minutes anew, and the sum of them is limited; a timer lets go of what is over. An attempt takes them
over in the statement that claims it (`reservations.sql_to_hold`). See docs/decisions/checkout-terms.md.

Only what can run out is kept: of variants that are not counted, or sold beyond their stock, nobody takes any away.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from app import db
from app.alerts import watching
from app.events import timers
from app.inventory.allocation import Demand, Level, Share, allocate
from app.inventory.reservations import shares_json

RESERVATION_ENDED = "inventory.reservation_ended"
"""Timer, and the event that it becomes."""
SERIES = timedelta(days=1)
"""After it, the minutes that one checkout may keep its units are counted anew."""

_LOCK = """
    SELECT s.id, s.variant_id, s.available, s.backordered, w.priority
    FROM stock_levels s JOIN warehouses w ON w.id = s.warehouse_id
    WHERE s.variant_id IN (
        SELECT l.variant_id FROM cart_lines l WHERE l.cart_id = ANY($2::uuid[])
        UNION SELECT r.variant_id FROM stock_reservations r WHERE r.checkout_id = ANY($1::uuid[])
    )
    ORDER BY s.id FOR NO KEY UPDATE OF s
"""
# Read once the levels are locked, as nobody changes what is held of them then.
_STANDING = """
    SELECT business_now() AS now, s.reservation_minutes, s.reservation_max_minutes, s.reservation_unit_limit,
           k.reserved_since,
           (
               SELECT json_agg(json_build_array(r.stock_level_id, r.variant_id, r.quantity))
               FROM stock_reservations r WHERE r.checkout_id = k.id AND r.state = 'HELD'
           ) AS held,
           (
               SELECT json_agg(json_build_array(w.variant_id, w.units)) FROM (
                   SELECT l.variant_id, sum(l.quantity) AS units
                   FROM cart_lines l JOIN product_variants v ON v.id = l.variant_id
                   WHERE l.cart_id = k.cart_id AND v.track_inventory AND v.inventory_policy = 'DENY'
                   GROUP BY l.variant_id ORDER BY l.variant_id
               ) w
           ) AS wanted
    FROM checkouts k CROSS JOIN shop s WHERE k.id = $1 AND s.id = 1
"""
_REWRITE = """
    WITH gone AS (
        DELETE FROM stock_reservations WHERE checkout_id = $1 AND state = 'HELD' RETURNING stock_level_id, quantity
    ), share AS (
        SELECT (s ->> 0)::uuid AS level_id, (s ->> 1)::uuid AS variant_id, (s ->> 2)::int AS quantity
        FROM jsonb_array_elements($2::jsonb) AS s
    ), moved AS (
        SELECT level_id, sum(units)::int AS units FROM (
            SELECT level_id, quantity AS units FROM share
            UNION ALL SELECT stock_level_id, -quantity FROM gone
        ) both_ways GROUP BY level_id HAVING sum(units) <> 0
    ), levels AS (
        UPDATE stock_levels l
        SET available = l.available - moved.units, reserved = l.reserved + moved.units, updated_at = business_now()
        FROM moved WHERE l.id = moved.level_id AND l.id = ANY(ARRAY(SELECT level_id FROM moved))
    ), held AS (
        INSERT INTO stock_reservations (id, checkout_id, stock_level_id, variant_id, quantity, backordered, state,
                                        shipped_quantity, expires_at, created_at)
        SELECT gen_random_uuid(), $1, level_id, variant_id, quantity, 0, 'HELD', 0, $4, business_now() FROM share
    )
    UPDATE checkouts SET reserved_since = $3, reserved_until = $4 WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """As the shop sets them."""

    minutes: int
    max_minutes: int
    unit_limit: int


async def follow(checkout_id: uuid.UUID, cart_id: uuid.UUID) -> datetime | None:
    """Keep what the cart has now, for the minutes that the shop gives from now on; let go of what it has no more.

    Joins the open unit of work, which has the cart's row locked. What somebody else was quicker with is not kept;
    whoever shows the checkout says so.

    Returns:
        Until when; None where nothing is kept.
    """
    db.current_unit_of_work()
    rows = await db.fetch(_LOCK, [checkout_id], [cart_id])
    standing = await db.fetchrow(_STANDING, checkout_id)
    if standing is None:
        return None
    held = [Share(uuid.UUID(level), uuid.UUID(variant), units, 0) for level, variant, units in _list(standing["held"])]
    wanted = {uuid.UUID(variant): units for variant, units in _list(standing["wanted"])}
    terms = Terms(
        standing["reservation_minutes"], standing["reservation_max_minutes"], standing["reservation_unit_limit"]
    )
    since, until = period(standing["now"], standing["reserved_since"], terms)
    rows.sort(key=lambda row: (row["priority"], row["id"]))
    levels = [Level(row["id"], row["variant_id"], row["available"], row["backordered"]) for row in rows]
    shares = kept(wanted, levels, held, terms.unit_limit) if until else []
    if not shares and not held:
        return None
    ends = until if shares else None
    await db.execute(_REWRITE, checkout_id, shares_json(shares), since, ends)
    if ends:
        await timers.schedule(RESERVATION_ENDED, subject_id=checkout_id, due_at=ends)
    await watching.changed(_less(held, shares))
    return ends


async def lock(checkout_ids: Sequence[uuid.UUID], cart_ids: Sequence[uuid.UUID]) -> None:
    """Before several follow their carts in one unit of work: the levels of all of them, in the order of their ids."""
    await db.execute(_LOCK, list(checkout_ids), list(cart_ids))


def period(now: datetime, since: datetime | None, terms: Terms) -> tuple[datetime, datetime | None]:
    """Since when the checkout keeps units, and until when it may by what is done now; None for not at all."""
    if since is None or now >= since + SERIES:
        since = now
    until = min(now + timedelta(minutes=terms.minutes), since + timedelta(minutes=terms.max_minutes))
    return since, until if until > now else None


def kept(wanted: dict[uuid.UUID, int], levels: Sequence[Level], held: Sequence[Share], limit: int) -> list[Share]:
    """What is kept of what is wanted: what there is, what the checkout has already included, and `limit` at the most.

    Args:
        wanted: units by variant.
        levels: in the order in which they are to be sold from.
        held: by the same checkout, to be dealt out anew.
    """
    own: Counter[uuid.UUID] = Counter()
    for share in held:
        own[share.level_id] += share.quantity
    free = [Level(one.id, one.variant_id, one.available + own[one.id], one.owed) for one in levels]
    there: Counter[uuid.UUID] = Counter()
    for level in free:
        there[level.variant_id] += level.available - level.owed
    units = {variant: min(quantity, limit, there[variant]) for variant, quantity in wanted.items()}
    return allocate([Demand(variant, some, False) for variant, some in units.items() if some > 0], free).shares


def _less(before: Iterable[Share], after: Iterable[Share]) -> list[uuid.UUID]:
    """Variants of which others can have more now."""
    units: Counter[uuid.UUID] = Counter()
    for share in before:
        units[share.variant_id] += share.quantity
    for share in after:
        units[share.variant_id] -= share.quantity
    return sorted(variant for variant, more in units.items() if more > 0)


async def end(checkout_id: uuid.UUID) -> None:
    """Let go of what a checkout keeps and whose time is over. Repeating it changes nothing."""
    async with db.unit_of_work():
        await db.execute(
            """
            SELECT id FROM stock_levels
            WHERE id IN (SELECT stock_level_id FROM stock_reservations WHERE checkout_id = $1)
            ORDER BY id FOR NO KEY UPDATE
            """,
            checkout_id,
        )
        rows = await db.fetch(
            """
            WITH gone AS (
                DELETE FROM stock_reservations
                WHERE checkout_id = $1 AND state = 'HELD' AND expires_at <= business_now()
                RETURNING stock_level_id, variant_id, quantity
            ), levels AS (
                UPDATE stock_levels l
                SET available = l.available + back.units, reserved = l.reserved - back.units,
                    updated_at = business_now()
                FROM (SELECT stock_level_id, sum(quantity)::int AS units FROM gone GROUP BY stock_level_id) back
                WHERE l.id = back.stock_level_id
            )
            SELECT DISTINCT variant_id FROM gone
            """,
            checkout_id,
        )
        await watching.changed(row["variant_id"] for row in rows)


def _list(text: str | None) -> list[list[Any]]:
    found: list[list[Any]] = orjson.loads(text) if text else []
    return found

"""Products to suggest: bought together, looked at, left in a cart, related, bought most often.

Everything is counted when it is asked for, from the latest orders alone (see docs/decisions/recommendations.md).
Only what can be bought now is ever suggested: active, with a variant that is in stock or sold without stock.
"""

import uuid
from collections.abc import Iterable, Sequence
from enum import StrEnum

from app import db

ORDERS_COUNTED = 500
"""The latest of each product: enough to rank, and a bound on the cost whatever the shop has sold."""
CANDIDATES = 200
"""Of each kind, before what cannot be bought is left out."""
VIEWED_DAYS = 30
MAX_SUGGESTED = 24


class RecommendationIntent(StrEnum):
    RELATED = "RELATED"
    """Of the same kind: shared collections, tags and type."""
    BOUGHT_TOGETHER = "BOUGHT_TOGETHER"
    """In the same orders as it."""


_FOR_SALE = """
    p.status = 'ACTIVE' AND EXISTS (
        SELECT FROM product_variants v
        WHERE v.product_id = p.id AND v.removed_at IS NULL AND (
            NOT v.track_inventory OR v.inventory_policy = 'CONTINUE'
            OR (SELECT sum(s.available - s.backordered) FROM stock_levels s WHERE s.variant_id = v.id) > 0
        )
    )
"""
_BOUGHT_TOGETHER = f"""
    WITH sold AS (
        SELECT DISTINCT recent.order_id
        FROM unnest($1::uuid[]) AS asked (product_id)
        CROSS JOIN LATERAL (
            SELECT l.order_id FROM order_lines l WHERE l.product_id = asked.product_id
            ORDER BY l.order_id DESC LIMIT {ORDERS_COUNTED}
        ) recent
    ), together AS (
        SELECT l.product_id, count(DISTINCT l.order_id) AS orders
        FROM sold JOIN orders o ON o.id = sold.order_id AND o.status <> 'CANCELLED'
        JOIN order_lines l ON l.order_id = sold.order_id
        WHERE l.product_id <> ALL($1::uuid[]) AND l.product_id <> ALL($2::uuid[])
        GROUP BY l.product_id
    )
    SELECT p.id FROM together t JOIN products p ON p.id = t.product_id
    WHERE {_FOR_SALE} ORDER BY t.orders DESC, p.id DESC LIMIT $3
"""
_RELATED = f"""
    WITH asked AS (SELECT id, product_type, tags FROM products WHERE id = ANY($1::uuid[])),
    near AS (
        SELECT c.id, 2 AS points FROM asked a
        CROSS JOIN LATERAL (
            SELECT other.product_id AS id
            FROM collection_products own JOIN collection_products other ON other.collection_id = own.collection_id
            WHERE own.product_id = a.id LIMIT {CANDIDATES}
        ) c
        UNION ALL
        SELECT t.id, 3 FROM asked a
        CROSS JOIN LATERAL (
            SELECT p.id FROM products p WHERE p.product_type = a.product_type ORDER BY p.id DESC LIMIT {CANDIDATES}
        ) t
        UNION ALL
        SELECT t.id, 1 FROM asked a
        CROSS JOIN LATERAL (SELECT p.id FROM products p WHERE p.tags && a.tags LIMIT {CANDIDATES}) t
    )
    SELECT p.id FROM (SELECT id, sum(points) AS points FROM near GROUP BY id) n JOIN products p ON p.id = n.id
    WHERE p.id <> ALL($1::uuid[]) AND p.id <> ALL($2::uuid[]) AND {_FOR_SALE}
    ORDER BY n.points DESC, p.id DESC LIMIT $3
"""
_POPULAR = f"""
    WITH latest AS (SELECT id FROM orders WHERE status <> 'CANCELLED' ORDER BY id DESC LIMIT {ORDERS_COUNTED}),
    candidates AS (
        SELECT l.product_id AS id, count(*) AS orders FROM latest JOIN order_lines l ON l.order_id = latest.id
        GROUP BY l.product_id
        UNION ALL
        SELECT newest.id, 0 FROM (SELECT id FROM products ORDER BY id DESC LIMIT {CANDIDATES}) newest
    )
    SELECT p.id FROM (SELECT id, max(orders) AS orders FROM candidates GROUP BY id) c JOIN products p ON p.id = c.id
    WHERE p.id <> ALL($1::uuid[]) AND {_FOR_SALE}
    ORDER BY c.orders DESC, p.id DESC LIMIT $2
"""
_VIEWED = f"""
    SELECT p.id FROM (
        SELECT e.product_id, max(e.occurred_at) AS seen_at FROM profile_events e
        WHERE e.profile_id = $1 AND e.type = 'product.viewed' AND e.product_id IS NOT NULL
          AND e.occurred_at > business_now() - $2 * interval '1 day'
        GROUP BY e.product_id ORDER BY seen_at DESC LIMIT 50
    ) seen JOIN products p ON p.id = seen.product_id
    WHERE p.id <> ALL($3::uuid[]) AND {_FOR_SALE} ORDER BY seen.seen_at DESC LIMIT $4
"""
_LEFT_IN_CART = f"""
    SELECT p.id FROM cart_lines l JOIN carts c ON c.id = l.cart_id AND c.state = 'OPEN'
    JOIN product_variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id
    WHERE c.id = $1 AND {_FOR_SALE} GROUP BY p.id ORDER BY min(l.id::text) LIMIT $2
"""


async def bought_together(
    product_ids: Sequence[uuid.UUID], *, exclude: Iterable[uuid.UUID] = (), first: int
) -> list[uuid.UUID]:
    """What stands most often in the same orders, cancelled ones left out."""
    return await _ids(_BOUGHT_TOGETHER, list(product_ids), list(exclude), first) if product_ids else []


async def related(
    product_ids: Sequence[uuid.UUID], *, exclude: Iterable[uuid.UUID] = (), first: int
) -> list[uuid.UUID]:
    """What shares collections, type and tags with these."""
    return await _ids(_RELATED, list(product_ids), list(exclude), first) if product_ids else []


async def popular(*, exclude: Iterable[uuid.UUID] = (), first: int) -> list[uuid.UUID]:
    """What the latest orders have most often; what nobody bought lately comes last, newest first."""
    return await _ids(_POPULAR, list(exclude), first)


async def viewed(profile_id: uuid.UUID, *, exclude: Iterable[uuid.UUID] = (), first: int) -> list[uuid.UUID]:
    """What somebody looked at in the last 30 days, the latest first."""
    return await _ids(_VIEWED, profile_id, VIEWED_DAYS, list(exclude), first)


async def left_in_cart(cart_id: uuid.UUID, *, first: int) -> list[uuid.UUID]:
    """The products of an open cart."""
    return await _ids(_LEFT_IN_CART, cart_id, first)


async def recommended(near: Sequence[uuid.UUID], *, exclude: Iterable[uuid.UUID] = (), first: int) -> list[uuid.UUID]:
    """For somebody who bought, chose or looked at `near`: bought together, then related, then popular."""
    left_out = {*near, *exclude}
    found = await bought_together(near, exclude=left_out, first=first)
    if len(found) < first:
        found += await related(near, exclude={*left_out, *found}, first=first - len(found))
    if len(found) < first:
        found += await popular(exclude={*left_out, *found}, first=first - len(found))
    return found


async def _ids(sql: str, *args: object) -> list[uuid.UUID]:
    return [row["id"] for row in await db.fetch(sql, *args)]

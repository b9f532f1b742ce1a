"""Products to suggest: bought together, related, bought most often.

Everything is counted when it is asked for, among candidates whose number has a bound (see
docs/decisions/recommendations.md). Only what can be bought now is ever suggested: active, with a variant that is in
stock or sold without stock.
"""

import uuid
from collections.abc import Iterable, Sequence
from enum import StrEnum

from app import db
from app.catalogue.availability import for_sale
from app.markets.prices import sql_of_hidden

MAX_SUGGESTED = 24
DEFAULT_SUGGESTED = 10
ORDERS_COUNTED = 300
"""The latest, of all products that suggestions are asked for together."""
LINES_COUNTED = 50
"""Of one order: who buys a hundred things tells little about any two of them."""
CANDIDATES = 200
"""Before what cannot be bought is left out."""
RELATED_COUNTED = 100
"""Of each collection, of the type and of the tags, of all products together as above."""
COLLECTIONS_COUNTED = 10
COMMON_TAG_PRODUCTS = 500
"""A tag that more products have says nothing of what is alike, and its entries in the index are many to walk."""
LEAST_SHARE = 10
"""Of each product, where many share the numbers above."""


class RecommendationIntent(StrEnum):
    RELATED = "RELATED"
    """Of the same kind: shared collections, tags and type."""
    BOUGHT_TOGETHER = "BOUGHT_TOGETHER"
    """In the same orders as it."""


# --- statements -------------------------------------------------------------------------------------------------------
# Arguments are SQL: arrays of ids, and numbers. LIMITs in what is joined laterally make PostgreSQL go by index from row
# to row; left to itself it reads the whole table as soon as it expects some hundred rows. Candidates are sorted before
# they are joined with what tells whether they are for sale, so that this is asked of the first few alone.


def _bought_together(asked: str, left_out: str, *, orders: str, first: str, shown: str = "") -> str:
    """Rows of id and position. What was ordered with `asked`, cancelled orders apart."""
    return f"""
        SELECT p.id, row_number() OVER (ORDER BY counted.orders DESC, p.id DESC) AS position
        FROM (
            SELECT l.product_id AS id, count(DISTINCT sold.order_id) AS orders
            FROM (
                SELECT DISTINCT recent.order_id FROM unnest({asked}) AS one (id)
                CROSS JOIN LATERAL (
                    SELECT own.order_id FROM order_lines own WHERE own.product_id = one.id
                    ORDER BY own.order_id DESC LIMIT {orders}
                ) recent
            ) sold
            CROSS JOIN LATERAL (
                SELECT other.product_id FROM order_lines other WHERE other.order_id = sold.order_id
                ORDER BY other.position LIMIT {LINES_COUNTED}
            ) l
            CROSS JOIN LATERAL (
                SELECT FROM orders o WHERE o.id = sold.order_id AND o.status <> 'CANCELLED' LIMIT 1
            ) kept
            WHERE l.product_id <> ALL ({asked}) AND l.product_id <> ALL ({left_out})
            GROUP BY l.product_id ORDER BY orders DESC, l.product_id DESC LIMIT {CANDIDATES}
        ) counted JOIN products p ON p.id = counted.id
        WHERE {for_sale("p")}{shown} ORDER BY counted.orders DESC, p.id DESC LIMIT {first}
    """


# As far as PostgreSQL's own statistics know: of tags that many have, they always do.
_COMMON_TAGS = f"""
    SELECT coalesce(array_agg(often.tag), '{{}}')
    FROM pg_stats known
    CROSS JOIN unnest(known.most_common_elems::text::text[], known.most_common_elem_freqs) AS often (tag, share)
    JOIN pg_class kept ON kept.oid = 'products'::regclass
    WHERE known.schemaname = kept.relnamespace::regnamespace::text AND known.tablename = 'products'
      AND known.attname = 'tags' AND often.tag IS NOT NULL
      AND often.share * kept.reltuples > {COMMON_TAG_PRODUCTS}
"""


def _related(asked: str, left_out: str, *, candidates: str, first: str, shown: str = "") -> str:
    """Rows of id and position. What shares collections (2 points each), type (3) and tags (1) with `asked`."""
    return f"""
        SELECT p.id, row_number() OVER (ORDER BY near.points DESC, p.id DESC) AS position
        FROM (
            SELECT c.id, sum(c.points) AS points
            FROM products one
            CROSS JOIN LATERAL (
                SELECT shown.product_id AS id, 2 AS points
                FROM (
                    SELECT own.collection_id FROM collection_products own WHERE own.product_id = one.id
                    ORDER BY own.collection_id LIMIT {COLLECTIONS_COUNTED}
                ) own
                CROSS JOIN LATERAL (
                    SELECT other.product_id FROM collection_products other
                    WHERE other.collection_id = own.collection_id
                    ORDER BY other.position, other.product_id LIMIT {candidates}
                ) shown
                UNION ALL
                SELECT same.id, 3 FROM (
                    SELECT typed.id FROM products typed
                    WHERE typed.product_type = one.product_type AND typed.status = 'ACTIVE'
                    ORDER BY typed.id DESC LIMIT {candidates}
                ) same
                UNION ALL
                SELECT alike.id, 1 FROM (
                    SELECT tagged.id FROM products tagged
                    WHERE tagged.tags && ARRAY(SELECT unnest(one.tags) EXCEPT ALL SELECT unnest(({_COMMON_TAGS})))
                    LIMIT {candidates}
                ) alike
            ) c
            WHERE one.id = ANY ({asked}) AND c.id <> ALL ({asked}) AND c.id <> ALL ({left_out})
            GROUP BY c.id ORDER BY points DESC, c.id DESC LIMIT {CANDIDATES}
        ) near JOIN products p ON p.id = near.id
        WHERE {for_sale("p")}{shown} ORDER BY near.points DESC, p.id DESC LIMIT {first}
    """


def _shown(market: str) -> str:
    """Nothing is hidden where the market is null."""
    return f" AND NOT {sql_of_hidden('p.id', f'{market}::uuid')}"


_POPULAR = f"""
    SELECT p.id FROM (
        SELECT bought.id, sum(bought.orders) AS orders
        FROM (
            SELECT l.product_id AS id, 1 AS orders
            FROM (SELECT id FROM orders WHERE status <> 'CANCELLED' ORDER BY id DESC LIMIT {ORDERS_COUNTED}) latest
            CROSS JOIN LATERAL (
                SELECT product_id FROM order_lines WHERE order_id = latest.id ORDER BY position LIMIT {LINES_COUNTED}
            ) l
            UNION ALL
            SELECT newest.id, 0 FROM (SELECT id FROM products ORDER BY id DESC LIMIT {CANDIDATES}) newest
        ) bought
        WHERE bought.id <> ALL ($1::uuid[])
        GROUP BY bought.id ORDER BY orders DESC, bought.id DESC LIMIT {CANDIDATES}
    ) counted JOIN products p ON p.id = counted.id
    WHERE {for_sale("p")}{_shown("$3")} ORDER BY counted.orders DESC, p.id DESC LIMIT $2
"""
_BOUGHT_TOGETHER_WITH_MANY = _bought_together("$1::uuid[]", "$2::uuid[]", orders="$3", first="$4", shown=_shown("$5"))
_RELATED_TO_MANY = _related("$1::uuid[]", "$2::uuid[]", candidates="$3", first="$4", shown=_shown("$5"))


def of_one(product: str, intent: RecommendationIntent, first: int, *, shown: str = "") -> str:
    """Rows of id and position to suggest beside the product with this alias, as a subquery of any statement.

    Where too few were bought together with it, related ones follow.

    Args:
        shown: one more condition of the products `p`, beginning with AND.
    """
    asked = f"ARRAY[{product}.id]"
    related = _related(asked, "ARRAY[]::uuid[]", candidates=str(RELATED_COUNTED), first=str(first), shown=shown)
    if intent is RecommendationIntent.RELATED:
        return related
    together = _bought_together(asked, "ARRAY[]::uuid[]", orders=str(ORDERS_COUNTED), first=str(first), shown=shown)
    more = _related(
        asked, "ARRAY(SELECT id FROM together)", candidates=str(RELATED_COUNTED), first=str(first), shown=shown
    )
    # A condition without columns is asked before the rest is looked for.
    return f"""
        WITH together AS MATERIALIZED ({together})
        SELECT id, position FROM together
        UNION ALL
        SELECT more.id, {MAX_SUGGESTED} + more.position FROM ({more}) more
        WHERE (SELECT count(*) FROM together) < {first}
        ORDER BY position LIMIT {first}
    """


# --- reads ------------------------------------------------------------------------------------------------------------


async def bought_together(
    product_ids: Sequence[uuid.UUID],
    *,
    exclude: Iterable[uuid.UUID] = (),
    first: int,
    market_id: uuid.UUID | None = None,
) -> list[uuid.UUID]:
    """What stands most often in the same orders, cancelled ones left out."""
    if not product_ids:
        return []
    orders = max(LEAST_SHARE, ORDERS_COUNTED // len(product_ids))
    return await _ids(_BOUGHT_TOGETHER_WITH_MANY, list(product_ids), list(exclude), orders, first, market_id)


async def related(
    product_ids: Sequence[uuid.UUID],
    *,
    exclude: Iterable[uuid.UUID] = (),
    first: int,
    market_id: uuid.UUID | None = None,
) -> list[uuid.UUID]:
    """What shares collections, type and tags with these."""
    if not product_ids:
        return []
    candidates = max(LEAST_SHARE, RELATED_COUNTED // len(product_ids))
    return await _ids(_RELATED_TO_MANY, list(product_ids), list(exclude), candidates, first, market_id)


async def popular(
    *, exclude: Iterable[uuid.UUID] = (), first: int, market_id: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """What the latest orders have most often; what nobody bought lately comes last, newest first."""
    return await _ids(_POPULAR, list(exclude), first, market_id)


async def recommended(
    near: Sequence[uuid.UUID],
    *,
    exclude: Iterable[uuid.UUID] = (),
    first: int,
    market_id: uuid.UUID | None = None,
) -> list[uuid.UUID]:
    """For somebody who bought, chose or looked at `near`: bought together, then related, then popular.

    Args:
        market_id: what it hides is not suggested.
    """
    left_out = {*near, *exclude}
    found = await bought_together(near, exclude=left_out, first=first, market_id=market_id)
    if len(found) < first:
        found += await related(near, exclude={*left_out, *found}, first=first - len(found), market_id=market_id)
    if len(found) < first:
        found += await popular(exclude={*left_out, *found}, first=first - len(found), market_id=market_id)
    return found


async def _ids(sql: str, *args: object) -> list[uuid.UUID]:
    return [row["id"] for row in await db.fetch(sql, *args)]

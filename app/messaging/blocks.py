"""The blocks of products that a template can print."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from babel import Locale

from app import db
from app.catalogue import recommendations
from app.catalogue.availability import for_sale
from app.markets.prices import sql_of_hidden
from app.messaging import product_values
from app.messaging.product_values import ProductValues
from app.messaging.recipients import Reader
from app.settings import Settings

SUGGESTED = 2
SHOWN = 4
"""Two in a row."""
VIEWED_DAYS = 30
BOUGHT_DAYS = 30
"""Who bought it that lately is not shown it again."""
NEAR_VIEWS = 3
NEAR_PRODUCTS = 20

_VIEWED = f"""
    SELECT p.id FROM (
        SELECT e.product_id, max(e.occurred_at) AS seen_at FROM profile_events e
        WHERE e.profile_id = $1 AND e.type = 'product.viewed' AND e.product_id IS NOT NULL
          AND e.occurred_at > business_now() - {VIEWED_DAYS} * interval '1 day'
        GROUP BY e.product_id ORDER BY seen_at DESC LIMIT 50
    ) seen JOIN products p ON p.id = seen.product_id
    WHERE p.id <> ALL($2::uuid[]) AND {for_sale("p")} AND NOT {sql_of_hidden("p.id", "$4")}
    ORDER BY seen.seen_at DESC, p.id LIMIT $3
"""
_LEFT_IN_CART = f"""
    SELECT p.id FROM cart_lines l JOIN carts c ON c.id = l.cart_id AND c.state = 'OPEN'
    JOIN product_variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id
    WHERE c.id = $1 AND {for_sale("p")} AND NOT {sql_of_hidden("p.id", "$3")}
    GROUP BY p.id ORDER BY min(l.id::text) LIMIT $2
"""
_BOUGHT = f"""
    SELECT DISTINCT l.product_id AS id FROM order_lines l WHERE l.order_id IN (
        SELECT id FROM orders WHERE profile_id = $1 AND status <> 'CANCELLED'
            AND placed_at > business_now() - {BOUGHT_DAYS} * interval '1 day'
        UNION SELECT unnest($2::uuid[])
    )
"""
_LATEST_ORDER = """
    SELECT id FROM orders WHERE profile_id = $1 AND status <> 'CANCELLED' ORDER BY placed_at DESC LIMIT 1
"""
_OF_ORDER = f"SELECT product_id AS id FROM order_lines WHERE order_id = $1 ORDER BY position LIMIT {NEAR_PRODUCTS}"
_IN_CART = """
    SELECT DISTINCT v.product_id AS id FROM cart_lines l JOIN product_variants v ON v.id = l.variant_id
    WHERE l.cart_id = $1
"""
BLOCKS = ("left_in_cart", "viewed", "bought_together", "recommended")
"""In the order in which they choose: those that can show only what there was come before those with a choice."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the message is about, as far as it is about something."""

    profile_id: uuid.UUID
    cart_id: uuid.UUID | None
    order_id: uuid.UUID | None
    product_id: uuid.UUID | None


async def build(
    names: Iterable[str], around: Around, locale: Locale, settings: Settings, reader: Reader
) -> dict[str, list[ProductValues]]:
    """The blocks of these names. One with nothing to show is empty, and its heading is not printed.

    No product stands in two of them, and what somebody bought lately stands in none but that of their cart.

    Args:
        reader: whose prices are shown, and what is hidden in their market is not chosen.
    """
    wanted = {name for name in names if name}
    if wanted.isdisjoint(BLOCKS):
        return {name: [] for name in wanted}
    surroundings = await _look_around(around, reader.market.id)
    chosen: dict[str, list[uuid.UUID]] = {}
    shown: set[uuid.UUID] = set()
    for name in BLOCKS:
        if name in wanted:
            chosen[name] = await _chosen(name, surroundings, shown)
            shown.update(chosen[name])
    values = await product_values.by_id([one for ids in chosen.values() for one in ids], locale, settings, reader)
    return {name: [values[one] for one in chosen.get(name, []) if one in values] for name in wanted}


@dataclass(frozen=True, slots=True)
class _Surroundings:
    around: Around
    bought: list[uuid.UUID]
    """Lately, in the order that the message is about, and in the latest."""
    in_order: list[uuid.UUID]
    """Of the order that the message is about; of the latest in `in_latest`."""
    in_latest: list[uuid.UUID]
    in_cart: list[uuid.UUID]
    market_id: uuid.UUID


async def _look_around(around: Around, market_id: uuid.UUID) -> _Surroundings:
    latest = await db.fetchval(_LATEST_ORDER, around.profile_id)
    orders = [order_id for order_id in (around.order_id, latest) if order_id is not None]
    return _Surroundings(
        around=around,
        bought=await _ids(_BOUGHT, around.profile_id, orders),
        in_order=await _ids(_OF_ORDER, around.order_id) if around.order_id else [],
        in_latest=await _ids(_OF_ORDER, latest) if latest else [],
        in_cart=await _ids(_IN_CART, around.cart_id) if around.cart_id else [],
        market_id=market_id,
    )


async def _chosen(name: str, there: _Surroundings, shown: set[uuid.UUID]) -> list[uuid.UUID]:
    around, market_id = there.around, there.market_id
    left_out = {*shown, *there.bought, *there.in_cart}
    about = {around.product_id} if around.product_id else set()
    near = there.in_order or there.in_cart[:NEAR_PRODUCTS]
    match name:
        case "left_in_cart":
            return await _ids(_LEFT_IN_CART, around.cart_id, SHOWN, market_id) if around.cart_id else []
        case "viewed":
            return await _viewed(around.profile_id, market_id, exclude=left_out, first=SHOWN)
        case "bought_together":
            return await recommendations.bought_together(
                near or there.in_latest, exclude=left_out | about, first=SUGGESTED, market_id=market_id
            )
        case _:
            # What they looked at says what they like, and is no news to them.
            seen = await _viewed(around.profile_id, market_id, first=SHOWN)
            near = near or list(about) or seen[:NEAR_VIEWS] or there.in_latest
            return await recommendations.recommended(
                near, exclude=left_out | about | set(seen), first=SUGGESTED, market_id=market_id
            )


async def _viewed(
    profile_id: uuid.UUID, market_id: uuid.UUID, *, exclude: Iterable[uuid.UUID] = (), first: int
) -> list[uuid.UUID]:
    """What can be bought of what somebody looked at in the last 30 days, the latest first."""
    return await _ids(_VIEWED, profile_id, list(exclude), first, market_id)


async def _ids(sql: str, *args: object) -> list[uuid.UUID]:
    return [row["id"] for row in await db.fetch(sql, *args)]

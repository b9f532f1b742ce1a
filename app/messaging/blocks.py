"""The blocks of products that a template can print."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from babel import Locale

from app import db
from app.messaging import product_values, recommendations
from app.messaging.product_values import ProductValues
from app.settings import Settings

SUGGESTED = 2
SHOWN = 4
"""Two in a row."""
NEAR_VIEWS = 3
NEAR_ORDER_PRODUCTS = 20


@dataclass(frozen=True, slots=True)
class Around:
    """What the message is about, as far as it is about something."""

    profile_id: uuid.UUID
    cart_id: uuid.UUID | None
    order_id: uuid.UUID | None
    product_id: uuid.UUID | None


async def build(
    names: Iterable[str], around: Around, locale: Locale, settings: Settings
) -> dict[str, list[ProductValues]]:
    """The blocks of these names. One with nothing to show is empty, and its heading is not printed."""
    chosen = {name: await _chosen(name, around) for name in names if name}
    return {name: await product_values.products(ids, locale, settings) for name, ids in chosen.items()}


async def _chosen(name: str, around: Around) -> list[uuid.UUID]:
    match name:
        case "viewed":
            return await recommendations.viewed(around.profile_id, first=SHOWN)
        case "left_in_cart":
            return await recommendations.left_in_cart(around.cart_id, first=SHOWN) if around.cart_id else []
        case "bought_together":
            near = await _in_order(around) or await _in_cart(around) or await _in_latest_order(around)
            return await recommendations.bought_together(near, first=SUGGESTED)
        case "recommended":
            near = await _in_order(around) or await _in_cart(around)
            if not near and around.product_id:
                near = [around.product_id]
            bought = await _in_latest_order(around)
            near = near or await recommendations.viewed(around.profile_id, first=NEAR_VIEWS) or bought
            # Seen at the top of the same mail, and bought already, are no suggestions.
            seen = await recommendations.viewed(around.profile_id, first=SHOWN)
            return await recommendations.recommended(near, exclude={*bought, *seen}, first=SUGGESTED)
        case _:
            return []


async def _in_order(around: Around) -> list[uuid.UUID]:
    return await _bought(around.order_id) if around.order_id else []


async def _in_latest_order(around: Around) -> list[uuid.UUID]:
    latest = await db.fetchval(
        "SELECT id FROM orders WHERE profile_id = $1 AND status <> 'CANCELLED' ORDER BY placed_at DESC LIMIT 1",
        around.profile_id,
    )
    return await _bought(latest) if latest else []


async def _bought(order_id: uuid.UUID) -> list[uuid.UUID]:
    rows = await db.fetch(
        "SELECT product_id FROM order_lines WHERE order_id = $1 ORDER BY position LIMIT $2",
        order_id,
        NEAR_ORDER_PRODUCTS,
    )
    return [row["product_id"] for row in rows]


async def _in_cart(around: Around) -> list[uuid.UUID]:
    if around.cart_id is None:
        return []
    rows = await db.fetch(
        """
        SELECT DISTINCT v.product_id FROM cart_lines l JOIN product_variants v ON v.id = l.variant_id
        WHERE l.cart_id = $1
        """,
        around.cart_id,
    )
    return [row["product_id"] for row in rows]

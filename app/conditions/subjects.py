"""The cart, checkout, order and product that an event or a run names, as conditions see them."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from app import db
from app.conditions.names import SUBJECT_IDS
from app.kit.money import Money

MAX_LISTED = 100
"""Of products, types, codes and tags that a condition can go over."""

_CAN_BE_BOUGHT = """
    v.removed_at IS NULL AND p.status = 'ACTIVE' AND (
        NOT v.track_inventory OR v.inventory_policy = 'CONTINUE'
        OR (SELECT coalesce(sum(s.available - s.backordered), 0) FROM stock_levels s WHERE s.variant_id = v.id) > 0
    )
"""
_CART = f"""
    SELECT c.id AS cart_id, k.id AS checkout_id, c.created_at, c.updated_at, k.started_event_at,
           k.created_at AS checkout_created_at, k.updated_at AS checkout_updated_at,
           coalesce((SELECT currency_code FROM shop WHERE id = 1), c.currency_code) AS currency_code,
           c.state = 'OPEN' AS is_open,
           coalesce(c.email, c.phone, k.email, k.phone) IS NOT NULL AS has_contact,
           coalesce(l.total, 0)::bigint AS total_minor, coalesce(l.items, 0)::bigint AS item_count,
           coalesce(l.in_stock, false) AS in_stock,
           coalesce(l.product_ids[:{MAX_LISTED}], '{{}}') AS product_ids,
           coalesce(l.product_types[:{MAX_LISTED}], '{{}}') AS product_types
    FROM carts c
    LEFT JOIN checkouts k ON k.cart_id = c.id
    LEFT JOIN LATERAL (
        SELECT sum(l.quantity * v.price_minor) AS total, sum(l.quantity) AS items,
               bool_or({_CAN_BE_BOUGHT}) AS in_stock,
               array_agg(DISTINCT p.id::text) AS product_ids,
               array_agg(DISTINCT p.product_type) FILTER (WHERE p.product_type <> '') AS product_types
        FROM cart_lines l
        JOIN product_variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id
        WHERE l.cart_id = c.id
    ) l ON true
    WHERE c.id = $1 OR k.id = $2
"""
_ORDER = f"""
    SELECT o.id, o.total_minor, o.currency_code, o.status, o.payment_status, o.fulfillment_status, o.placed_at,
           coalesce(o.shipping_address, o.billing_address) ->> 'country_code' AS country_code,
           coalesce(l.items, 0)::bigint AS item_count,
           coalesce(l.product_ids[:{MAX_LISTED}], '{{}}') AS product_ids,
           coalesce(l.product_types[:{MAX_LISTED}], '{{}}') AS product_types,
           ARRAY(
               SELECT d ->> 'code' FROM jsonb_array_elements(o.discounts) d WHERE d ->> 'code' IS NOT NULL
               LIMIT {MAX_LISTED}
           ) AS discount_codes,
           NOT EXISTS (
               SELECT FROM orders earlier
               WHERE earlier.profile_id = o.profile_id AND earlier.status <> 'CANCELLED'
                 AND (earlier.placed_at, earlier.id) < (o.placed_at, o.id)
           ) AS is_first
    FROM orders o
    LEFT JOIN LATERAL (
        SELECT sum(l.quantity) AS items, array_agg(DISTINCT l.product_id::text) AS product_ids,
               array_agg(DISTINCT p.product_type) FILTER (WHERE p.product_type <> '') AS product_types
        FROM order_lines l LEFT JOIN products p ON p.id = l.product_id WHERE l.order_id = o.id
    ) l ON true
    WHERE o.id = $1
"""
_PRODUCT = f"""
    SELECT p.id, p.slug, p.name, p.vendor, p.product_type, p.tags[:{MAX_LISTED}] AS tags, p.min_price_minor,
           coalesce((SELECT currency_code FROM shop WHERE id = 1), 'USD') AS currency_code,
           EXISTS (SELECT FROM product_variants v WHERE v.product_id = p.id AND {_CAN_BE_BOUGHT}) AS in_stock
    FROM products p WHERE p.id = $1
"""


def major(amount_minor: int, currency_code: str) -> float:
    """1990 cents as 19.9: for comparing with what people write, never for reckoning."""
    return float(Money(amount_minor, currency_code).decimal)


def named(subject: str, *mappings: Mapping[str, Any] | None) -> dict[str, uuid.UUID]:
    """The ids by which the first of these mappings that names the subject does so."""
    for mapping in mappings:
        found = {name: uuid_ for name in SUBJECT_IDS[subject] if (uuid_ := _uuid((mapping or {}).get(name)))}
        if found:
            return found
    return {}


def _uuid(value: object) -> uuid.UUID | None:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value)) if value else None
    except ValueError:
        return None


async def load(wanted: Collection[str], *mappings: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """What these subjects are like now, by their fields' names. One that does not exist has no field here.

    Args:
        mappings: the event's data, then the run's: who names a subject first, means it.
    """
    found: dict[str, dict[str, Any]] = {}
    for subject in ("cart", "checkout"):
        if subject in wanted and (ids := named(subject, *mappings)):
            row = await db.fetchrow(_CART, ids.get("cartId"), ids.get("checkoutId"))
            if row is not None and (subject == "cart" or row["checkout_id"] is not None):
                found[subject] = _cart(row) if subject == "cart" else _checkout(row)
    if "order" in wanted and (ids := named("order", *mappings)):
        row = await db.fetchrow(_ORDER, ids["orderId"])
        if row is not None:
            found["order"] = _order(row)
    if "product" in wanted and (ids := named("product", *mappings)):
        row = await db.fetchrow(_PRODUCT, ids["productId"])
        if row is not None:
            found["product"] = _product(row)
    return found


def _cart(row: db.Record) -> dict[str, Any]:
    return {
        "id": str(row["cart_id"]),
        "total": major(row["total_minor"], row["currency_code"]),
        "totalMinor": row["total_minor"],
        "currencyCode": row["currency_code"],
        "itemCount": row["item_count"],
        "inStock": row["in_stock"],
        "isOpen": row["is_open"],
        "hasContact": row["has_contact"],
        "productIds": list(row["product_ids"]),
        "productTypes": list(row["product_types"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _checkout(row: db.Record) -> dict[str, Any]:
    return {
        **_cart(row),
        "id": str(row["checkout_id"]),
        "startedAt": row["started_event_at"],
        "createdAt": row["checkout_created_at"],
        "updatedAt": row["checkout_updated_at"],
    }


def _order(row: db.Record) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "total": major(row["total_minor"], row["currency_code"]),
        "totalMinor": row["total_minor"],
        "currencyCode": row["currency_code"],
        "itemCount": row["item_count"],
        "isFirst": row["is_first"],
        "status": row["status"],
        "paymentStatus": row["payment_status"],
        "fulfillmentStatus": row["fulfillment_status"],
        "placedAt": row["placed_at"],
        "countryCode": row["country_code"],
        "discountCodes": list(row["discount_codes"]),
        "productIds": list(row["product_ids"]),
        "productTypes": list(row["product_types"]),
    }


def _product(row: db.Record) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "slug": row["slug"],
        "name": row["name"],
        "vendor": row["vendor"],
        "type": row["product_type"],
        "tags": list(row["tags"] or ()),
        "price": major(row["min_price_minor"], row["currency_code"]),
        "priceMinor": row["min_price_minor"],
        "inStock": row["in_stock"],
    }

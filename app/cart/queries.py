"""Reading carts: one statement, whatever the number of lines. Who does not hold the secret sees nothing."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app import db
from app.cart.models import CartState
from app.cart.snapshots import CartLineSnapshot, CartSnapshot, VariantSnapshot
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.kit.crypto import token_matches

__all__ = ["CartLineSnapshot", "CartSnapshot", "VariantSnapshot", "load_cart"]

# $2: whether names, picture and options are wanted. A CASE that is not taken runs no subquery.
_VARIANT_PAIRS = """
    'variant_id', v.id, 'product_id', p.id, 'product_status', p.status, 'product_kind', p.kind,
    'unit_price_minor', v.price_minor, 'requires_shipping', v.requires_shipping, 'weight_grams', v.weight_grams,
    'taxable', v.taxable, 'track_inventory', v.track_inventory, 'inventory_policy', v.inventory_policy,
    'available_quantity', (SELECT coalesce(sum(s.available), 0) FROM stock_levels s WHERE s.variant_id = v.id),
    'product_name', CASE WHEN $2 THEN p.name END,
    'variant_name', CASE WHEN $2 THEN v.name END,
    'sku', CASE WHEN $2 THEN v.sku END,
    'image_url', CASE WHEN $2 THEN coalesce(
        (SELECT i.url FROM product_images i WHERE i.id = v.image_id),
        (SELECT i.url FROM product_images i WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1)
    ) END,
    'selected_options', CASE WHEN $2 THEN (
        SELECT json_agg(json_build_object('name', o.name, 'value', chosen.value) ORDER BY chosen.n)
        FROM unnest(v.option_values) WITH ORDINALITY AS chosen (value, n)
        JOIN (
            SELECT name, row_number() OVER (ORDER BY position) AS n FROM product_options WHERE product_id = p.id
        ) o USING (n)
    ) END
"""

# $1: ids of carts, $3: variants that are wanted beside those in the lines.
_CARTS = f"""
    SELECT c.id, c.secret_hash, c.state, c.revision, c.currency_code, c.email, c.phone, c.country_code, c.note,
           c.attributes, c.created_at, c.updated_at,
           EXISTS (
               SELECT FROM checkout_attempts a
               WHERE a.cart_id = c.id AND a.state IN ('PROCESSING', 'REQUIRES_ACTION')
           ) AS checkout_in_progress,
           (
               SELECT json_agg(json_build_object(
                   'id', l.id, 'quantity', l.quantity, 'attributes', l.attributes,
                   'attributes_key', l.attributes_key, {_VARIANT_PAIRS}
               ) ORDER BY l.id)
               FROM cart_lines l
               JOIN product_variants v ON v.id = l.variant_id
               JOIN products p ON p.id = v.product_id
               WHERE l.cart_id = c.id
           ) AS lines
    FROM carts c WHERE c.id = ANY($1)
"""


async def load_cart(cart_id: uuid.UUID, secret: str, *, lock: bool = False) -> CartSnapshot | None:
    """The cart with all that an order needs to know of its lines; None for a wrong secret as for no cart.

    Args:
        lock: inside a unit of work, nobody else changes the cart until it ends. That takes a statement of its own:
            one that waits for a row lock goes on to read the other tables as they were before it waited.
    """
    if lock:
        await lock_cart(cart_id)
    row = await db.fetchrow(_CARTS, [cart_id], True)
    if row is None or not token_matches(secret, row["secret_hash"]):
        return None
    return _cart(row, secret)


async def lock_cart(cart_id: uuid.UUID) -> None:
    """Lock the cart until the open unit of work ends, and turn away changes that were decided on before."""
    db.current_unit_of_work()
    await db.execute("UPDATE carts SET revision = revision + 1 WHERE id = $1", cart_id)


def _cart(row: Mapping[str, Any], secret: str) -> CartSnapshot:
    return CartSnapshot(
        id=row["id"],
        secret=secret,
        state=CartState(row["state"]),
        revision=row["revision"],
        currency_code=row["currency_code"],
        email=row["email"],
        phone=row["phone"],
        country_code=row["country_code"],
        note=row["note"],
        attributes=orjson.loads(row["attributes"]),
        checkout_in_progress=row["checkout_in_progress"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        lines=[_line(line) for line in _decoded(row["lines"])],
    )


def _decoded(text: str | None) -> Sequence[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(text) if text else []
    return rows


def _line(row: dict[str, Any]) -> CartLineSnapshot:
    row["id"] = uuid.UUID(row["id"])
    return CartLineSnapshot(**_typed(row))


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    row["variant_id"] = uuid.UUID(row["variant_id"])
    row["product_id"] = uuid.UUID(row["product_id"])
    row["product_status"] = ProductStatus(row["product_status"])
    row["product_kind"] = ProductKind(row["product_kind"])
    row["inventory_policy"] = InventoryPolicy(row["inventory_policy"])
    row["product_name"] = row["product_name"] or ""
    row["variant_name"] = row["variant_name"] or ""
    row["selected_options"] = row["selected_options"] or []
    return row

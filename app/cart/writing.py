"""The two statements that write carts. Each is whole by itself and needs no transaction around it."""

import uuid
from collections.abc import Iterable, Mapping

import orjson

from app import db
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.kit.crypto import hash_token

# As in `queries`, no parameter's value changes what PostgreSQL estimates, so that it keeps one plan for each text.
_LINES = """
    INSERT INTO cart_lines (id, cart_id, variant_id, quantity, attributes, attributes_key, created_at)
    SELECT line.id, cart.id, line.variant_id, line.quantity, line.attributes, line.key, cart.updated_at
    FROM cart, json_to_recordset($8::json)
         AS line (id uuid, variant_id uuid, quantity int, attributes jsonb, key text)
"""

_CREATE = f"""
    WITH cart AS (
        INSERT INTO carts (id, secret_hash, state, currency_code, email, phone, country_code, note, attributes,
                           discount_codes, profile_id, customer_id, revision, created_at, updated_at)
        VALUES ($1, $2, 'OPEN', $9, $3, $4, $5, $6, $7::jsonb, $11::jsonb, $12, $13, 0, $10, $10)
        RETURNING id, updated_at
    )
    {_LINES}
"""

# Nothing happens where the revision is another one by now: PostgreSQL waits for whoever is changing the row and looks
# at the row's newest state then.
_CHANGE = f"""
    WITH cart AS (
        UPDATE carts
        SET revision = revision + 1, updated_at = business_now(),
            email = $3, phone = $4, country_code = $5, note = $6, attributes = $7::jsonb, discount_codes = $10::jsonb
        WHERE id = $1 AND revision = $2 AND state = 'OPEN'
        RETURNING id, updated_at, profile_id
    ), removed AS (
        DELETE FROM cart_lines USING cart
        WHERE cart_lines.cart_id = cart.id AND cart_lines.id = ANY(ARRAY(SELECT unnest($9::uuid[])))
    ), lines AS ({_LINES}
        ON CONFLICT (id) DO UPDATE
        SET quantity = EXCLUDED.quantity, attributes = EXCLUDED.attributes, attributes_key = EXCLUDED.attributes_key
    )
    SELECT updated_at, profile_id FROM cart
"""

COMPLETE = """
    completed_cart AS (
        UPDATE carts SET state = 'COMPLETED', revision = revision + 1, updated_at = business_now()
        FROM attempt WHERE carts.id = attempt.cart_id AND carts.state = 'OPEN'
        RETURNING carts.profile_id
    )
"""
"""The cart has become an order. Part of the one statement that settles an attempt; it reads `attempt (cart_id)`."""


async def insert_cart(cart: CartSnapshot, customer_id: uuid.UUID | None = None) -> None:
    await db.execute(
        _CREATE,
        cart.id,
        hash_token(cart.secret),
        *_details(cart),
        _rows(cart.lines),
        cart.currency_code,
        cart.created_at,
        orjson.dumps(cart.discount_codes).decode(),
        cart.profile_id,
        customer_id,
    )


async def write_change(before: CartSnapshot, after: CartSnapshot) -> db.Record | None:
    """Write what differs, if the cart still has the revision that it had before; None when it has not.

    Returns:
        `updated_at`, and `profile_id` as it stands: that may change without a new revision.
    """
    had: Mapping[uuid.UUID, CartLineSnapshot] = {line.id: line for line in before.lines}
    has = {line.id for line in after.lines}
    return await db.fetchrow(
        _CHANGE,
        before.id,
        before.revision,
        *_details(after),
        _rows(line for line in after.lines if had.get(line.id) != line),
        [line_id for line_id in had if line_id not in has],
        orjson.dumps(after.discount_codes).decode(),
    )


def _details(cart: CartSnapshot) -> tuple[object, ...]:
    return (cart.email, cart.phone, cart.country_code, cart.note, orjson.dumps(cart.attributes).decode())


def _rows(lines: Iterable[CartLineSnapshot]) -> str:
    return orjson.dumps(
        [
            {
                "id": line.id,
                "variant_id": line.variant_id,
                "quantity": line.quantity,
                "attributes": line.attributes,
                "key": line.attributes_key,
            }
            for line in lines
        ]
    ).decode()

"""The two statements that write carts. Each is whole by itself and needs no transaction around it."""

import uuid
from collections.abc import Iterable, Mapping

import orjson

from app import db
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.kit.crypto import hash_token

# As in `queries`, no parameter's value changes what PostgreSQL estimates, so that it keeps one plan for each text.
_LINES = """
    INSERT INTO cart_lines (id, cart_id, variant_id, quantity, attributes, attributes_key, customizations, gift_options,
                            created_at)
    SELECT line.id, cart.id, line.variant_id, line.quantity, line.attributes, line.attributes_key, line.customizations,
           line.gift_options, cart.updated_at
    FROM cart, jsonb_to_recordset($3::jsonb) AS line (
        id uuid, variant_id uuid, quantity int, attributes jsonb, attributes_key text, customizations jsonb,
        gift_options jsonb
    )
"""

_DETAILS = """
    jsonb_to_record($2::jsonb) AS details (
        email text, phone text, country_code text, note text, attributes jsonb, discount_codes jsonb, market_id uuid,
        company_id uuid, tax_id text, gift_options jsonb, gift_card_ids jsonb, use_store_credit bool
    )
"""

_CREATE = f"""
    WITH cart AS (
        INSERT INTO carts (id, secret_hash, state, currency_code, profile_id, customer_id, revision, created_at,
                           updated_at, email, phone, country_code, note, attributes, discount_codes, market_id,
                           company_id, tax_id, gift_options, gift_card_ids, use_store_credit)
        SELECT $1, $4, 'OPEN', $5, $7, $8, 0, $6, $6, details.* FROM {_DETAILS}
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
            email = details.email, phone = details.phone, country_code = details.country_code, note = details.note,
            attributes = details.attributes, discount_codes = details.discount_codes, market_id = details.market_id,
            company_id = details.company_id, tax_id = details.tax_id, gift_options = details.gift_options,
            gift_card_ids = details.gift_card_ids, use_store_credit = details.use_store_credit, currency_code = $6
        FROM {_DETAILS}
        WHERE id = $1 AND revision = $4 AND state = 'OPEN'
        RETURNING id, updated_at, profile_id
    ), removed AS (
        DELETE FROM cart_lines USING cart
        WHERE cart_lines.cart_id = cart.id AND cart_lines.id = ANY(ARRAY(SELECT unnest($5::uuid[])))
    ), lines AS ({_LINES}
        ON CONFLICT (id) DO UPDATE
        SET quantity = EXCLUDED.quantity, attributes = EXCLUDED.attributes, attributes_key = EXCLUDED.attributes_key,
            customizations = EXCLUDED.customizations, gift_options = EXCLUDED.gift_options
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
        _details(cart),
        _rows(cart.lines),
        hash_token(cart.secret),
        cart.currency_code,
        cart.created_at,
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
        _details(after),
        _rows(line for line in after.lines if had.get(line.id) != line),
        before.revision,
        [line_id for line_id in had if line_id not in has],
        after.currency_code,
    )


def _details(cart: CartSnapshot) -> str:
    return orjson.dumps(
        {
            "email": cart.email,
            "phone": cart.phone,
            "country_code": cart.country_code,
            "note": cart.note,
            "attributes": cart.attributes,
            "discount_codes": cart.discount_codes,
            "market_id": cart.market_id and str(cart.market_id),
            "company_id": cart.company_id and str(cart.company_id),
            "tax_id": cart.tax_id,
            "gift_options": cart.gift_options,
            "gift_card_ids": cart.gift_card_ids,
            "use_store_credit": cart.use_store_credit,
        }
    ).decode()


def _rows(lines: Iterable[CartLineSnapshot]) -> str:
    return orjson.dumps(
        [
            {
                "id": line.id,
                "variant_id": line.variant_id,
                "quantity": line.quantity,
                "attributes": line.attributes,
                "attributes_key": line.attributes_key,
                "customizations": line.customizations,
                "gift_options": line.gift_options,
            }
            for line in lines
        ]
    ).decode()

"""Reading checkouts: the cart, what was said about buyer and delivery, and whether somebody is paying."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from app import db
from app.addresses.postal import PostalAddress
from app.checkout.requests import Details

_STANDING = """
    SELECT c.id AS cart_id, c.secret_hash, c.state AS cart_state, c.revision, c.country_code, business_now() AS now,
           c.email AS cart_email, c.phone AS cart_phone, c.profile_id, k.started_event_at,
           EXISTS (SELECT FROM cart_lines n WHERE n.cart_id = c.id) AS has_lines,
           (SELECT s.reservation_minutes FROM shop s WHERE s.id = 1) AS reservation_minutes,
           k.reserved_until, k.confirmed_age,
           k.id AS checkout_id, k.email, k.phone, k.shipping_address, k.billing_address, k.shipping_quote_id,
           a.id AS attempt_id, a.fingerprint, a.state, a.refusal, a.order_id,
           coalesce(a.leased_until > clock_timestamp(), false) AS leased,
           EXISTS (
               SELECT FROM checkout_attempts l
               WHERE l.cart_id = c.id AND l.state IN ('PROCESSING', 'REQUIRES_ACTION')
           ) AS live
    FROM carts c
    LEFT JOIN checkouts k ON k.cart_id = c.id
    LEFT JOIN checkout_attempts a ON a.cart_id = c.id AND a.idempotency_key = $3
    WHERE c.id = coalesce($1, (SELECT cart_id FROM checkouts WHERE id = $2))
"""


async def standing(
    cart_id: uuid.UUID | None, checkout_id: uuid.UUID | None, key: str | None = None
) -> Mapping[str, Any] | None:
    """The cart with its checkout, the attempt under this key, and whether any attempt is live; by either id.

    Whoever calls it compares the secret with `secret_hash`.
    """
    return await db.fetchrow(_STANDING, cart_id, checkout_id, key)


async def age_of_cart(cart_id: uuid.UUID) -> tuple[int | None, str]:
    """The age from which on all that is in it may be bought, and how the shop has it confirmed."""
    row = await db.fetchrow(
        """
        SELECT s.age_check, (
            SELECT max(t.minimum_age) FROM cart_lines l
            JOIN product_variants v ON v.id = l.variant_id JOIN product_terms t ON t.product_id = v.product_id
            WHERE l.cart_id = $1
        ) AS age
        FROM shop s WHERE s.id = 1
        """,
        cart_id,
    )
    if row is None:
        raise RuntimeError("the shop has no row; migrations make one")
    return row["age"], row["age_check"]


def stored_details(row: Mapping[str, Any]) -> Details:
    """What a checkout keeps, from its columns."""
    return Details(
        email=row["email"],
        phone=row["phone"],
        shipping_address=_address(row["shipping_address"]),
        billing_address=_address(row["billing_address"]),
        shipping_quote_id=row["shipping_quote_id"],
        confirmed_age=row["confirmed_age"],
    )


def _address(text: str | None) -> PostalAddress | None:
    stored = orjson.loads(text) if text else None
    return PostalAddress.from_json(stored) if stored else None

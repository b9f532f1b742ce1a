"""Reading checkouts: the cart, what was said about buyer and delivery, and whether somebody is paying."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from app import db
from app.addresses.postal import PostalAddress
from app.cart.statements import carts_with
from app.checkout.requests import Details
from app.inventory import reservations

_COLUMNS = {
    "cart_id": "c.id",
    "secret_hash": "c.secret_hash",
    "cart_state": "c.state",
    "revision": "c.revision",
    "country_code": "c.country_code",
    "now": "business_now()",
    "cart_email": "c.email",
    "cart_phone": "c.phone",
    "profile_id": "c.profile_id",
    "has_lines": "EXISTS (SELECT FROM cart_lines n WHERE n.cart_id = c.id)",
    "reservation_minutes": "(SELECT s.reservation_minutes FROM shop s WHERE s.id = 1)",
    "started_event_at": "k.started_event_at",
    "reserved_until": "k.reserved_until",
    "confirmed_age": "k.confirmed_age",
    "checkout_id": "k.id",
    "email": "k.email",
    "phone": "k.phone",
    "shipping_address": "k.shipping_address",
    "billing_address": "k.billing_address",
    "shipping_quote_id": "k.shipping_quote_id",
    "attempt_id": "a.id",
    "fingerprint": "a.fingerprint",
    "state": "a.state",
    "refusal": "a.refusal",
    "order_id": "a.order_id",
    "leased": "coalesce(a.leased_until > clock_timestamp(), false)",
    "live": """EXISTS (
        SELECT FROM checkout_attempts l WHERE l.cart_id = c.id AND l.state IN ('PROCESSING', 'REQUIRES_ACTION')
    )""",
}
_BESIDE = """
    LEFT JOIN checkouts k ON k.cart_id = c.id
    LEFT JOIN checkout_attempts a ON a.cart_id = c.id AND a.idempotency_key = $3
"""
_WHICH = "c.id = coalesce($1, (SELECT cart_id FROM checkouts WHERE id = $2))"
_STANDING = f"""
    SELECT {", ".join(f"{sql} AS {name}" for name, sql in _COLUMNS.items())}
    FROM carts c {_BESIDE} WHERE {_WHICH}
"""
# Columns of the cart have some of the same names.
_WITH_CART = carts_with(
    "".join(f", {sql} AS standing_{name}" for name, sql in _COLUMNS.items())
    + f", {reservations.SQL_OF_LEVELS} AS standing_levels",
    which=_WHICH,
    beside=_BESIDE,
    described=True,
)


async def standing(
    cart_id: uuid.UUID | None, checkout_id: uuid.UUID | None, key: str | None = None
) -> Mapping[str, Any] | None:
    """The cart with its checkout, the attempt under this key, and whether any attempt is live; by either id.

    Whoever calls it compares the secret with `secret_hash`.
    """
    return await db.fetchrow(_STANDING, cart_id, checkout_id, key)


async def standing_with_cart(
    cart_id: uuid.UUID | None, checkout_id: uuid.UUID | None, key: str
) -> tuple[Mapping[str, Any], db.Record] | None:
    """As `standing`, with `levels` (`reservations.levels_of`) besides; and the row for `cart.queries.described`."""
    row = await db.fetchrow(_WITH_CART, cart_id, checkout_id, key)
    if row is None:
        return None
    return {name: row[f"standing_{name}"] for name in (*_COLUMNS, "levels")}, row


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

"""Which carts are an account's. Its devices share them: the secret of each is derived anew from the key ring."""

import uuid

from app import db
from app.cart import restoring
from app.cart.owners import CART_UPDATED
from app.cart.service import CartKey
from app.customers import identification, timeline

MAX_OPEN_CARTS = 20
"""That are looked at; an account has one, and more only where two could not be merged."""
SOURCE = "ACCOUNT"

# One that holds something is in use, whatever was touched last.
_OPEN = """
    SELECT c.id, c.secret_hash FROM carts c WHERE c.customer_id = $1 AND c.state = 'OPEN'
    ORDER BY EXISTS (SELECT FROM cart_lines l WHERE l.cart_id = c.id) DESC, c.updated_at DESC, c.id DESC
    LIMIT $2
"""


async def open_keys(customer_id: uuid.UUID) -> list[CartKey]:
    """What opens the account's open carts, the one in use first. One whose key has left the ring is left out."""
    rows = await db.fetch(_OPEN, customer_id, MAX_OPEN_CARTS)
    keys = [restoring.matching_key(row["id"], row["secret_hash"]) for row in rows]
    return [key for key in keys if key is not None]


async def give(cart_id: uuid.UUID, customer_id: uuid.UUID) -> None:
    """Make a cart the account's, in the open unit of work that has its row locked.

    A cart without a contact stands for the person of a verified account from then on, as one with their address would.
    """
    row = await db.fetchrow(
        """
        UPDATE carts c SET customer_id = $2, updated_at = business_now()
        FROM customers k WHERE c.id = $1 AND k.id = $2
        RETURNING c.profile_id, k.email,
            k.profile_id IS NOT NULL AND c.email IS NULL AND c.phone IS NULL
            AND NOT EXISTS (
                SELECT FROM checkouts o WHERE o.cart_id = c.id AND (o.email IS NOT NULL OR o.phone IS NOT NULL)
            ) AS is_nobodys
        """,
        cart_id,
        customer_id,
    )
    if row is None or not row["is_nobodys"]:
        return
    profile_id = await identification.identify(
        email=row["email"], cart_id=cart_id, cart_profile_id=row["profile_id"], source=SOURCE
    )
    await timeline.record(CART_UPDATED, profile_id=profile_id, cart_id=cart_id)

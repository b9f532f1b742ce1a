"""Links that bring a cart back on any device.

A link is signed by the key ring and carries the cart's id alone: no secret and no address. The secret is derived again
from the key that the cart was made under, so a link works as long as both keys are in the ring.
"""

import uuid
from urllib.parse import quote

from app import db
from app.cart import queries
from app.cart.service import CartKey
from app.cart.snapshots import CartSnapshot
from app.keys import keyring
from app.kit import ids
from app.kit.crypto import token_matches
from app.settings import Settings, get_settings

RESTORE_PATH = "/cart/restore"
MAX_TOKEN_CHARS = 300
_PURPOSE = "cart restore"
_SECRET = "cart"  # noqa: S105 - names what the secret is for
_CART_PREFIX = "cart"


def restore_token(cart_id: uuid.UUID) -> str:
    return keyring().sign(_PURPOSE, cart_id.hex)


def restore_url(cart_id: uuid.UUID) -> str:
    return f"{get_settings().public_url}{RESTORE_PATH}/{restore_token(cart_id)}"


def read_token(token: str) -> uuid.UUID | None:
    """The cart's id, or None for anything that was not signed here for this purpose."""
    payload = keyring().unsign(_PURPOSE, token) if len(token) <= MAX_TOKEN_CHARS else None
    try:
        return uuid.UUID(hex=payload) if isinstance(payload, str) else None
    except ValueError:
        return None


async def key_of(cart_id: uuid.UUID) -> CartKey | None:
    """The id and secret of a cart; None for no cart, and for one whose key has left the ring."""
    stored = await db.fetchval("SELECT secret_hash FROM carts WHERE id = $1", cart_id)
    return None if stored is None else matching_key(cart_id, stored)


def matching_key(cart_id: uuid.UUID, stored: bytes) -> CartKey | None:
    """The same for who has read the secret's hash already."""
    secrets = keyring().derivations(_SECRET, cart_id)
    secret = next((secret for secret in secrets if token_matches(secret, stored)), None)
    return CartKey(cart_id, secret) if secret is not None else None


async def open_cart(cart_id: uuid.UUID) -> CartSnapshot | None:
    """The cart with all that its lines are called, without asking for its secret: for links and mails of the shop."""
    for secret in keyring().derivations(_SECRET, cart_id):
        if (cart := await queries.load_cart(cart_id, secret)) is not None:
            return cart
    return None


def public_id(cart: CartSnapshot) -> str:
    """As GraphQL gives it: whoever holds it holds the cart."""
    return ids.encode_with_secret(_CART_PREFIX, cart.id, cart.secret)


def storefront_url(cart: CartSnapshot, settings: Settings) -> str | None:
    """The storefront's page of the cart; None where STOREFRONT_CART_URL is not set."""
    pattern = settings.storefront_cart_url
    if not pattern or "{cartId}" not in pattern:
        return None
    return pattern.replace("{cartId}", quote(public_id(cart), safe=""))

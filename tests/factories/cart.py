"""Carts, made by the use case that storefronts call; the shop has to be there (`factories.shop`)."""

import uuid
from dataclasses import dataclass

from app import db
from app.cart import creating
from app.cart.identity import BuyerIdentity
from app.cart.rules import LineToAdd
from app.kit import ids
from app.kit.ids import new_id


@dataclass(frozen=True, slots=True)
class MadeCart:
    id: uuid.UUID
    secret: str
    line_ids: list[uuid.UUID]

    @property
    def gid(self) -> str:
        """As the API shows it: cart_…_…"""
        return ids.encode_with_secret("cart", self.id, self.secret)

    @property
    def line_gids(self) -> list[str]:
        return [ids.encode_with_secret("cline", line_id, self.secret) for line_id in self.line_ids]


async def cart(*lines: tuple[uuid.UUID, int], email: str | None = None, country_code: str | None = None) -> MadeCart:
    """A cart with these variants, each with its quantity."""
    identity = BuyerIdentity(email=email, country_code=country_code)
    asked = [LineToAdd(new_id(), variant, units) for variant, units in lines]
    made = (await creating.create_cart(asked, identity)).cart
    return MadeCart(made.id, made.secret, [line.id for line in made.lines])


async def complete(cart_id: uuid.UUID) -> None:
    """As if it had become an order."""
    await db.execute("UPDATE carts SET state = 'COMPLETED' WHERE id = $1", cart_id)


async def begin_payment(cart_id: uuid.UUID, state: str = "PROCESSING") -> uuid.UUID:
    """As if a payment for it were under way; returns the attempt's id."""
    attempt_id = new_id()
    await db.execute(
        """
        INSERT INTO checkout_attempts (id, cart_id, idempotency_key, fingerprint, state, created_at)
        VALUES ($1, $2, 'key', '\\x00', $3, clock_timestamp())
        """,
        attempt_id,
        cart_id,
        state,
    )
    return attempt_id

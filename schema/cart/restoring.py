"""Carts that come back by the link from a message."""

from typing import Annotated

import strawberry

from app.cart import queries, restoring
from schema.access import PUBLIC, query
from schema.cart.showing import CartView
from schema.cart.types import Cart
from schema.context import Info
from schema.selection import Selection


@strawberry.type
class CartRestoreQueries:
    @query(
        access=PUBLIC,
        description="The cart that a link from a message brings back, its id with the secret included; null for a "
        "token that is wrong or no longer good. For storefronts that take the token of "
        "`/cart/restore/<token>` themselves. A cart that has become an order is shown as it was.",
    )
    async def cart_restore(
        self, info: Info, token: Annotated[str, strawberry.argument(description="The last part of the link.")]
    ) -> Cart | None:
        view = CartView.of(Selection.of(info))
        cart_id = restoring.read_token(token)
        key = await restoring.key_of(cart_id) if cart_id is not None else None
        cart = await queries.show_cart(key.id, key.secret) if key is not None else None
        return await view.show(info, cart) if cart else None

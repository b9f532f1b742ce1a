"""The carts of an account: `Customer.cart`, with the secret in its id, so that every device of its owner can use it."""

import uuid
from collections.abc import Sequence

import strawberry

from app.cart import belonging, queries
from schema.accounts.parts import Attributes, customer_part
from schema.cart import Cart, CartView
from schema.context import Info
from schema.selection import Selection


@strawberry.type
class CustomerCarts:
    """Fields of `Customer`."""

    cart: Cart | None = strawberry.field(
        default=None,
        description="The open cart, on whichever device it was filled; null where there is none, and for everybody but "
        "the account's owner.",
    )
    carts: list[Cart] = strawberry.field(
        default_factory=list,
        description="All open carts, `cart` first: there are several where two could not be merged. Empty for "
        "everybody but the account's owner.",
    )


def check_carts(selection: Selection) -> None:
    """Raises DomainError for pages of lines that cannot be had."""
    CartView.of(selection.below("cart", "carts"))


@customer_part
async def _load(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> Attributes:
    if info.context.staff is not None or not ("cart" in selection or "carts" in selection):
        return {}
    view = CartView.of(selection.below("cart", "carts"))
    shown = {}
    # One account: nobody but staff sees another's.
    for customer_id in customer_ids:
        keys = await belonging.open_keys(customer_id)
        wanted = keys if "carts" in selection else keys[:1]
        found = await queries.show_carts([(key.id, key.secret) for key in wanted])
        carts = await view.show_all(info, [cart for cart in found if cart])
        shown[customer_id] = {"cart": carts[0] if carts else None, "carts": carts}
    return shown

"""Gift options of carts and their lines."""

import uuid
from dataclasses import replace

from app.cart import rules
from app.cart.rules import Variants
from app.cart.service import CartKey, Changed, change
from app.cart.snapshots import CartSnapshot
from app.errors import DomainError, DomainErrors
from app.gifting import terms
from app.gifting.errors import GiftingErrorCode
from app.gifting.options import GiftChange, GiftOptions, chosen

_FIELD = "giftOptions"


async def change_gift_options(key: CartKey, asked: GiftChange, line_id: uuid.UUID | None, *, of_line: bool) -> Changed:
    """Change the options of a cart, or of one of its lines.

    Args:
        line_id: None with `of_line` for a line of another cart.

    Raises:
        DomainErrors: TOO_LONG, INVALID below `giftOptions`; GIFT_WRAP_UNAVAILABLE where the shop does not wrap, or
            nothing of it is shipped; NOT_FOUND at `lineId`; see `service.change` for the rest.
    """
    offered = await terms.current() if asked.get("wrap") else None

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        wraps = terms.wraps_in(offered, cart.currency_code)
        if asked.get("wrap"):
            cart = replace(cart, wrap_terms=offered)
        if of_line:
            return Changed(replace(cart, lines=rules.give_line(cart.lines, line_id, asked, wraps=wraps).lines), [])
        ships = any(line.requires_shipping for line in cart.lines)
        options, errors = chosen(GiftOptions.of(cart.gift_options), asked, wraps=wraps, ships=ships, field=[_FIELD])
        if errors:
            raise DomainErrors(errors)
        return Changed(replace(cart, gift_options=options.to_json()), [])

    return await change(key, decide)


def unwrapped(cart: CartSnapshot) -> list[DomainError]:
    """What keeps an order from being placed: wrapping that was chosen, and that the shop has stopped to offer since."""
    wanted = [cart.gift_options, *(line.gift_options for line in cart.lines)]
    if not any(GiftOptions.of(stored).wrap for stored in wanted):
        return []
    if terms.wraps_in(cart.wrap_terms, cart.currency_code):
        return []
    message = "The shop does not wrap gifts any more; take the wrapping out."
    return [DomainError(GiftingErrorCode.GIFT_WRAP_UNAVAILABLE, message, ["cart", _FIELD, "wrap"])]

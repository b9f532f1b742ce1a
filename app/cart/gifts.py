"""Gift options of carts and their lines."""

import uuid
from dataclasses import replace

from app.cart.rules import Variants
from app.cart.service import CartKey, Changed, change
from app.cart.snapshots import CartSnapshot
from app.errors import DomainError, not_found
from app.gifting import terms
from app.gifting.errors import GiftingErrorCode
from app.gifting.options import GiftChange, GiftOptions
from app.gifting.terms import WrapTerms

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
        if asked.get("wrap"):
            cart = replace(cart, wrap_terms=offered)
        if not of_line:
            changed = _changed(GiftOptions.of(cart.gift_options), asked)
            _check_wrap(asked, offered, cart.currency_code, ships=any(line.requires_shipping for line in cart.lines))
            return Changed(replace(cart, gift_options=changed.to_json()), [])
        line = next((one for one in cart.lines if one.id == line_id), None)
        if line is None:
            raise not_found("line in this cart", ["lineId"])
        _check_wrap(asked, offered, cart.currency_code, ships=line.requires_shipping)
        wrapped = replace(line, gift_options=_changed(GiftOptions.of(line.gift_options), asked).to_json())
        return Changed(replace(cart, lines=[wrapped if one is line else one for one in cart.lines]), [])

    return await change(key, decide)


def unwrapped(cart: CartSnapshot) -> list[DomainError]:
    """What keeps an order from being placed: wrapping that was chosen, and that the shop has stopped to offer since."""
    chosen = [cart.gift_options, *(line.gift_options for line in cart.lines)]
    if not any(GiftOptions.of(stored).wrap for stored in chosen):
        return []
    if cart.wrap_terms is not None and cart.wrap_terms.in_currency(cart.currency_code) is not None:
        return []
    message = "The shop does not wrap gifts any more; take the wrapping out."
    return [DomainError(GiftingErrorCode.GIFT_WRAP_UNAVAILABLE, message, ["cart", _FIELD, "wrap"])]


def _changed(options: GiftOptions, asked: GiftChange) -> GiftOptions:
    try:
        return options.changed(asked)
    except DomainError as wrong:
        raise wrong.under(_FIELD) from None


def _check_wrap(asked: GiftChange, offered: WrapTerms | None, currency: str, *, ships: bool) -> None:
    if not asked.get("wrap"):
        return
    if offered is None or offered.in_currency(currency) is None:
        message = "The shop does not wrap gifts."
    elif not ships:
        message = "Nothing of it is shipped, so there is nothing to wrap."
    else:
        return
    raise DomainError(GiftingErrorCode.GIFT_WRAP_UNAVAILABLE, message, [_FIELD, "wrap"])

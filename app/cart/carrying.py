"""What becomes of a checkout whose cart is merged into another: where it goes, and how, go with the lines.

In the open unit of work, which has both carts locked and their lines written.
"""

from app import db
from app.cart.joining import FIELD
from app.cart.snapshots import CartSnapshot
from app.cart.warnings import CartWarning, WarningCode
from app.errors import DomainError
from app.inventory import checkout_holds
from app.kit.ids import new_id
from app.shipping.quotes import read_quote
from app.shipping.rules import fingerprint_of_lines

# What the target's checkout has stays. Who buys is the carts' to say, and is joined with them.
_CARRY = """
    INSERT INTO checkouts AS k (id, cart_id, shipping_address, billing_address, shipping_quote_id, confirmed_age,
                                reserved_since, created_at, updated_at)
    SELECT $1, $3, s.shipping_address, s.billing_address, CASE WHEN $4 THEN s.shipping_quote_id END, s.confirmed_age,
           s.reserved_since, business_now(), business_now()
    FROM checkouts s WHERE s.cart_id = $2
    ON CONFLICT (cart_id) DO UPDATE SET
        shipping_address = coalesce(k.shipping_address, EXCLUDED.shipping_address),
        billing_address = coalesce(k.billing_address, EXCLUDED.billing_address),
        shipping_quote_id = CASE
            WHEN k.shipping_address IS NULL OR k.shipping_address = EXCLUDED.shipping_address
            THEN coalesce(EXCLUDED.shipping_quote_id, k.shipping_quote_id) ELSE k.shipping_quote_id
        END,
        confirmed_age = greatest(k.confirmed_age, EXCLUDED.confirmed_age),
        reserved_since = least(k.reserved_since, EXCLUDED.reserved_since), updated_at = EXCLUDED.updated_at
    RETURNING k.id
"""
_QUOTES = "SELECT shipping_quote_id FROM checkouts WHERE cart_id = $1"


async def carry(given: CartSnapshot, kept: CartSnapshot, after: CartSnapshot) -> list[CartWarning]:
    """Take the source's checkout along, and let what the two keep of the stock follow the lines.

    Nobody's address is put beside somebody else's email: where the carts name different people, it stays behind. A
    promise to ship holds for the lines that it was made for; where these are others now, a new one is to be chosen.
    """
    source, target = given.checkout, kept.checkout
    warnings: list[CartWarning] = []
    checkout_id = target.id if target else None
    if source is not None and given.lines and not _strangers(given, kept):
        quote_id: str | None = await db.fetchval(_QUOTES, given.id)
        holds = quote_id is not None and _holds(quote_id, after)
        checkout_id = await db.fetchval(_CARRY, new_id(), given.id, kept.id, holds)
        if quote_id is not None and not holds:
            message = "Choose a way to ship again: the one that was chosen is for other items."
            warnings.append(CartWarning(WarningCode.CHECKOUT_NOT_MERGED, message, FIELD))
    keeps = given.keeps_units or kept.keeps_units
    if keeps and source and checkout_id:
        # All levels at once, in their order: each of the two would otherwise wait for levels behind those of the other.
        await checkout_holds.lock([source.id, checkout_id], [given.id, kept.id])
    if given.keeps_units and source:
        await checkout_holds.follow(source.id, given.id)
    if keeps and checkout_id:
        await checkout_holds.follow(checkout_id, kept.id)
    return warnings


def _strangers(one: CartSnapshot, other: CartSnapshot) -> bool:
    pairs = zip(one.contact, other.contact, strict=True)
    return any(mine and theirs and mine != theirs for mine, theirs in pairs)


def _holds(quote_id: str, cart: CartSnapshot) -> bool:
    try:
        quote = read_quote(quote_id)
    except DomainError:
        return False
    return quote.lines == fingerprint_of_lines(cart.lines) and quote.currency == cart.currency_code

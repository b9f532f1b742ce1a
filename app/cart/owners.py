"""Whose a cart is: known by the contact that was given in it, or by the visitor who holds it.

What happens to a cart without anybody is told to nobody, and costs nothing.
"""

import uuid

from app import db
from app.cart.snapshots import CartSnapshot
from app.customers import identification, timeline

CART_UPDATED = "cart.updated"
CHECKOUT_STARTED = "checkout.started"
SOURCE = "CART"

Contact = tuple[str | None, str | None]
"""Email and phone."""


async def created(cart: CartSnapshot, account_profile_id: uuid.UUID | None = None) -> uuid.UUID | None:
    """Whose a new cart is, in the open unit of work and before it is written: nobody can wait for it yet.

    Args:
        account_profile_id: of who is signed in; whatever contact is given decides before it.
    """
    email, phone = cart.contact
    if email or phone:
        profile_id = await identification.identify(
            email=email, phone=phone, country_code=cart.country_code, source=SOURCE
        )
    elif account_profile_id:
        profile_id = await identification.lock(account_profile_id)
    else:
        return None
    await timeline.record(CART_UPDATED, profile_id=profile_id, cart_id=cart.id)
    return profile_id


async def changed(before: CartSnapshot, after: CartSnapshot, profile_id: uuid.UUID | None) -> uuid.UUID | None:
    """Whose a cart is after a change that has just been written in the open unit of work; their timeline hears of it.

    Args:
        profile_id: what the cart's row, now locked, says.
    """
    profile_id = await follow(
        after.id,
        profile_id,
        before=before.contact,
        after=after.contact,
        facts={"country_code": after.country_code},
        source=SOURCE,
    )
    if profile_id is None:
        return None
    await timeline.record(CART_UPDATED, profile_id=profile_id, cart_id=after.id)
    checkout = after.checkout
    if checkout and not checkout.started and after.lines and any(after.contact):
        await start_checkout(checkout.id, after.id, profile_id)
    return profile_id


async def follow(
    cart_id: uuid.UUID,
    profile_id: uuid.UUID | None,
    *,
    before: Contact,
    after: Contact,
    facts: identification.Facts,
    source: str,
    again: bool = False,
) -> uuid.UUID | None:
    """The cart's person after its contact has changed, or has not; its row is locked.

    Args:
        facts: what else was given of the person (`identification.identify`).
        again: there is more to note of who is known already.
    """
    email, phone = after
    if not any(after):
        if any(before) and profile_id is not None:
            await db.execute("UPDATE carts SET profile_id = NULL WHERE id = $1", cart_id)
            return None
        return profile_id
    if profile_id is not None and before == after and not again:
        return profile_id
    return await identification.identify(
        email=email, phone=phone, cart_id=cart_id, cart_profile_id=profile_id, source=source, **facts
    )


async def start_checkout(checkout_id: uuid.UUID, cart_id: uuid.UUID, profile_id: uuid.UUID) -> None:
    """Tell, once, that there is a checkout of lines by somebody who can be written to. The cart's row is locked."""
    moment = await db.fetchval(
        "UPDATE checkouts SET started_event_at = business_now() WHERE id = $1 AND started_event_at IS NULL "
        "RETURNING started_event_at",
        checkout_id,
    )
    if moment is not None:
        facts = {"checkoutId": str(checkout_id), "startedAt": moment.isoformat()}
        await timeline.record(CHECKOUT_STARTED, profile_id=profile_id, cart_id=cart_id, data=facts)

"""Consent to marketing that is given with a cart: for the addresses in it, in the transaction that changes it."""

import uuid
from collections.abc import Sequence

from app.cart.snapshots import CartSnapshot
from app.customers import consenting, identification
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven, Reachable
from app.customers.models import ConsentSource
from app.errors import DomainErrors

SOURCE = "CART"


async def take(cart: CartSnapshot, given: Sequence[ConsentGiven], proof: Proof) -> None:
    """Inside the unit of work that wrote the cart; what is not granted takes back only what this cart gave.

    Raises:
        DomainErrors: see `consenting.take`; fields below `marketingConsent`.
    """
    if given:
        addresses = Reachable(cart.email, cart.phone)
        await take_for(cart.id, cart.profile_id, addresses, given, proof=proof, source=ConsentSource.CART)


async def take_for(
    cart_id: uuid.UUID,
    profile_id: uuid.UUID | None,
    addresses: Reachable,
    given: Sequence[ConsentGiven],
    *,
    proof: Proof,
    source: ConsentSource,
) -> None:
    """The same for a cart's checkout, which may have addresses of its own."""
    try:
        consenting.check(given, addresses)
        if addresses.email is None and addresses.phone is None:
            return
        person = (
            await identification.lock(profile_id)
            if profile_id
            else await identification.identify(email=addresses.email, phone=addresses.phone, source=SOURCE)
        )
        await consenting.take(
            given, addresses, profile_id=person, source=source, proof=proof, given_in=f"cart:{cart_id.hex}"
        )
    except DomainErrors as wrong:
        raise DomainErrors([error.under("marketingConsent") for error in wrong.errors]) from wrong

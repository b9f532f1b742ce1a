"""Consent to marketing that is given with a cart: for the addresses in it, in the transaction that changes it."""

import uuid
from collections.abc import Sequence

from app import rate_limit
from app.cart.snapshots import CartSnapshot
from app.customers import consenting, identification
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven, Reachable
from app.customers.models import ConsentSource
from app.errors import DomainErrors

SOURCE = "CART"
LIMIT_PER_CLIENT = 200
LIMIT_WINDOW_SECONDS = 3600
"""Far more than the shoppers behind one address tick, and little for who has a list of strangers' addresses."""


async def limit(given: Sequence[ConsentGiven], proof: Proof) -> None:
    """Count consent that is given in carts and checkouts: each may send a stranger a confirmation.

    Before the unit of work. A cart without it is never refused.

    Raises:
        DomainError: RATE_LIMITED.
    """
    if any(one.granted for one in given):
        client = rate_limit.client_unit(proof.ip or "")
        await rate_limit.allow("cart-consent", client, limit=LIMIT_PER_CLIENT, window_seconds=LIMIT_WINDOW_SECONDS)


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

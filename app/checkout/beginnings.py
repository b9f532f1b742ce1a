"""What a purchase that brings everything in one request says of its buyer: consent, and a checkout left behind.

Who makes a checkout first is told of then (`service`). An order that goes through is told of as such and pays for
nothing here, unless a box was ticked.
"""

from collections.abc import Sequence

from app import db
from app.cart.owners import CHECKOUT_STARTED
from app.checkout.requests import Details
from app.customers import consenting, identification, timeline
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven, Reachable
from app.customers.models import ConsentSource
from app.errors import DomainError, DomainErrors
from app.kit.ids import new_id
from app.orders.draft import OrderDraft
from app.orders.models import OrderSource

SOURCE = "CHECKOUT"
_FIELD = ("input", "marketingConsent")

# The checkout keeps how to reach the buyer, as if it had been noted there first: whoever takes that out again is
# reminded of nothing. A cart that has been told of, or has become an order, stays as it is.
_BEGIN = """
    WITH cart AS (
        UPDATE carts SET revision = revision + 1
        WHERE id = $2 AND state = 'OPEN'
          AND NOT EXISTS (SELECT FROM checkouts WHERE cart_id = $2 AND started_event_at IS NOT NULL)
        RETURNING id, profile_id
    )
    INSERT INTO checkouts AS k (id, cart_id, email, phone, started_event_at, created_at, updated_at)
    SELECT $1, cart.id, $3, $4, business_now(), business_now(), business_now() FROM cart
    ON CONFLICT (cart_id) DO UPDATE
    SET email = coalesce(EXCLUDED.email, k.email), phone = coalesce(EXCLUDED.phone, k.phone),
        started_event_at = EXCLUDED.started_event_at, updated_at = EXCLUDED.updated_at
    WHERE k.started_event_at IS NULL
    RETURNING k.id, k.started_event_at, (SELECT cart.profile_id FROM cart)
"""


def check_consent(given: Sequence[ConsentGiven], details: Details) -> list[DomainError]:
    """What is wrong with the boxes for the addresses that the order would have."""
    try:
        consenting.check(given, Reachable(details.email, details.phone))
    except DomainErrors as wrong:
        return [error.under(*_FIELD) for error in wrong.errors]
    return []


async def tell(order: OrderDraft) -> None:
    """Somebody checks out, in the open unit of work, and has no order yet: told once for each checkout.

    What staff wrote for somebody is no cart that was left behind.
    """
    if order.source is not OrderSource.CHECKOUT or (order.email is None and order.phone is None):
        return
    begun = await db.fetchrow(_BEGIN, new_id(), order.cart_id, order.email, order.phone)
    if begun is None:
        return
    address = _address(order)
    profile_id = await identification.identify(
        email=order.email,
        phone=order.phone,
        first_name=address.get("first_name"),
        last_name=address.get("last_name"),
        country_code=address.get("country_code"),
        postal_code=address.get("postal_code"),
        cart_id=order.cart_id,
        cart_profile_id=begun["profile_id"],
        source=SOURCE,
    )
    facts = {"checkoutId": str(begun["id"]), "startedAt": begun["started_event_at"].isoformat()}
    await timeline.record(CHECKOUT_STARTED, profile_id=profile_id, cart_id=order.cart_id, data=facts)


async def take_consent(order: OrderDraft, given: Sequence[ConsentGiven], proof: Proof) -> None:
    """Record it in the open unit of work, which has the cart locked and holds its attempt or its order.

    After `tell` or after the order was placed: who has just agreed is in the middle of buying, and a welcome waits.

    Raises:
        DomainErrors: CONSENT_TEXT_UNKNOWN, CONSENT_TEXT_OF_ANOTHER_CHANNEL; the caller's work is taken back.
    """
    if order.email is None and order.phone is None:
        return
    buyer = await identification.identify_buyer(
        email=order.email,
        phone=order.phone,
        address=_address(order),
        cart_id=order.cart_id,
        cart_profile_id=await db.fetchval("SELECT profile_id FROM carts WHERE id = $1", order.cart_id),
    )
    try:
        await consenting.take(
            given,
            Reachable(order.email, order.phone),
            profile_id=buyer.profile_id,
            source=ConsentSource.CHECKOUT,
            proof=proof,
            given_in=f"cart:{order.cart_id.hex}",
        )
    except DomainErrors as wrong:
        raise DomainErrors([error.under(*_FIELD) for error in wrong.errors]) from wrong


def _address(order: OrderDraft) -> dict[str, str]:
    return order.shipping_address or order.billing_address or {}

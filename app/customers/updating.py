"""Changing one's mind through a storefront: with a preference token, or as the person of a cart or a visitor."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db, rate_limit
from app.customers import consenting, identification, links, preferences
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven, Reachable
from app.customers.models import ConsentAction, ConsentSource
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.crypto import token_matches
from app.messaging.models import MessageChannel

LIMIT_PER_CLIENT = 60
LIMIT_WINDOW_SECONDS = 3600
SOURCE = "API"


@dataclass(frozen=True, slots=True)
class Standing:
    channel: MessageChannel
    masked_address: str
    state: ConsentAction | None


async def with_token(token: str, given: Sequence[ConsentGiven], proof: Proof) -> list[Standing]:
    """As the preference page does it; how things stand afterwards.

    Raises:
        DomainErrors: see `consenting.check` and `preferences.choose`; fields below `input`.
        DomainError: INVALID for a token that is none, NOT_FOUND for somebody who was erased.
    """
    field = ["input", "preferenceToken"]
    target = links.read_preferences(token)
    if target is None:
        raise DomainError(CommonErrorCode.INVALID, "This is not the token of a preference link.", field)
    person = await preferences.person_of(target)
    if person is None:
        raise not_found("person", field)
    reachable = {one.channel: one.address for one in (await preferences.of(person)).channels}
    addresses = Reachable(reachable.get(MessageChannel.EMAIL), reachable.get(MessageChannel.SMS))
    try:
        consenting.check(given, addresses)
        await preferences.choose(
            person,
            {one.channel: one.granted for one in given},
            proof,
            texts={one.channel: one.text_id for one in given if one.text_id is not None},
        )
    except (DomainError, DomainErrors) as wrong:
        raise _below_input(wrong) from wrong
    after = (await preferences.of(person)).channels
    return [Standing(one.channel, preferences.masked(one.address), one.state) for one in after]


async def of_cart(cart_id: uuid.UUID, secret: str, given: Sequence[ConsentGiven], proof: Proof, *, client: str) -> None:
    """For the addresses in the cart. Unlike an empty box in a checkout, a refusal here withdraws whatever holds.

    Args:
        client: who asks, for the rate limit.

    Raises:
        DomainErrors: see `consenting.take`; fields below `input`.
        DomainError: NOT_FOUND, RATE_LIMITED.
    """
    await _limit(client)
    async with db.unit_of_work():
        cart = await db.fetchrow("SELECT email, phone, profile_id, secret_hash FROM carts WHERE id = $1", cart_id)
        if cart is None or not token_matches(secret, cart["secret_hash"]):
            raise not_found("cart", ["input", "cartId"])
        await _take(cart["profile_id"], Reachable(cart["email"], cart["phone"]), given, proof)


async def of_visitor(visitor_id: uuid.UUID, given: Sequence[ConsentGiven], proof: Proof, *, client: str) -> None:
    """For the addresses of the person that a visitor is known as; see `of_cart`.

    Raises:
        DomainErrors: see `consenting.take`: without any address, CONSENT_ADDRESS_MISSING; fields below `input`.
        DomainError: RATE_LIMITED.
    """
    await _limit(client)
    async with db.unit_of_work():
        person = await db.fetchrow(
            """
            SELECT p.id, p.email, p.phone FROM visitors v JOIN profiles o ON o.id = v.profile_id
            JOIN profiles p ON p.id = coalesce(o.merged_into_id, o.id) WHERE v.id = $1
            """,
            visitor_id,
        )
        addresses = Reachable(person["email"], person["phone"]) if person else Reachable(None, None)
        await _take(person["id"] if person else None, addresses, given, proof)


async def _take(
    profile_id: uuid.UUID | None, addresses: Reachable, given: Sequence[ConsentGiven], proof: Proof
) -> None:
    try:
        consenting.check(given, addresses)
        if addresses.email is None and addresses.phone is None:
            return
        person = (
            await identification.lock(profile_id)
            if profile_id
            else await identification.identify(email=addresses.email, phone=addresses.phone, source=SOURCE)
        )
        await consenting.take(given, addresses, profile_id=person, source=ConsentSource.API, proof=proof)
    except (DomainError, DomainErrors) as wrong:
        raise _below_input(wrong) from wrong


async def _limit(client: str) -> None:
    await rate_limit.allow("consent", client, limit=LIMIT_PER_CLIENT, window_seconds=LIMIT_WINDOW_SECONDS)


def _below_input(wrong: DomainError | DomainErrors) -> DomainErrors:
    return DomainErrors([error.under("input", "consent") for error in wrong.errors])

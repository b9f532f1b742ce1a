"""Making and changing checkouts: who buys, and where to, beside a cart. A cart has one at the most.

As with carts, a change is written on what it was decided on; when somebody else was quicker, it is decided again while
nobody else can change the cart.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

import orjson

from app import db, rate_limit
from app.addresses.contact import normalise_email, normalise_phone
from app.addresses.postal import PostalAddress
from app.cart import consents, owners
from app.cart import queries as carts
from app.cart.errors import CartErrorCode
from app.cart.models import CartState
from app.checkout import queries
from app.checkout.restrictions import confirmed_age
from app.checkout.review import destination_of
from app.customers.consent import NO_PROOF, Proof
from app.customers.consenting import ConsentGiven, Reachable
from app.customers.identification import Facts
from app.customers.models import ConsentSource
from app.errors import DomainError, DomainErrors, not_found
from app.inventory import checkout_holds
from app.kit.crypto import token_matches
from app.kit.ids import new_id
from app.shipping.quotes import read_quote
from app.shipping.service import verify_quote
from app.terms.models import AgeCheck

SOURCE = "CHECKOUT"
MAX_RESERVING_CHECKOUTS = 60
"""That begin to keep units for one client, in RESERVING_WINDOW_SECONDS; further ones are made and keep none."""
RESERVING_WINDOW_SECONDS = 3600


class DetailsChange(TypedDict, total=False):
    """What is given changes; None takes it out of the checkout."""

    email: str | None
    phone: str | None
    shipping_address: PostalAddress | None
    billing_address: PostalAddress | None
    shipping_quote_id: str | None
    birth_date: date | None
    """Compared and forgotten; likewise what was ticked. What is kept is `confirmed_age`."""
    age_confirmed: bool | None
    confirmed_age: int | None


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of a change.

    Attributes:
        refused_to_keep: whether this client has had too many checkouts keep units, so that this one keeps none.
    """

    cart_id: uuid.UUID
    refused_to_keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutKey:
    """A cart or a checkout, whichever the client named, and the secret that opens both."""

    cart_id: uuid.UUID | None = None
    checkout_id: uuid.UUID | None = None
    secret: str
    field: list[str]
    """The argument that named it."""


async def save(
    key: CheckoutKey,
    change: DetailsChange,
    consent: Sequence[ConsentGiven] = (),
    proof: Proof = NO_PROOF,
    *,
    account_email: str | None = None,
    client: str | None = None,
) -> Saved:
    """Note what is given, make the cart's checkout if it has none, and keep its units for the shopper for a while.

    Args:
        consent: to marketing, for the addresses that an order would have now.
        proof: what is kept with it.
        account_email: of who is signed in: the buyer's, where neither the checkout nor its cart has one and none is
            taken out.
        client: who asks, for the limit on checkouts that keep units; nobody in particular is not limited.

    Raises:
        DomainErrors: NOT_FOUND, CART_COMPLETED, CHECKOUT_IN_PROGRESS; INVALID_EMAIL and INVALID_PHONE; QUOTE_INVALID,
            QUOTE_EXPIRED and QUOTE_NOT_APPLICABLE; AGE_RESTRICTED; see `consenting.take`. Fields are below `input`.
        DomainError: RATE_LIMITED.
    """
    standing = await _standing(key)
    keeps = await _may_keep(standing, client)
    refused_to_keep = bool(standing["reservation_minutes"]) and standing["has_lines"] and not keeps
    if not consent:
        return Saved(await _save(key, change, account_email, standing, keeps), refused_to_keep)
    await consents.limit(consent, proof)
    async with db.unit_of_work():
        cart_id = await _save(key, change, account_email, standing, keeps)
        row = await queries.standing(cart_id, None)
        if row is None:
            raise RuntimeError("the cart that was just written is gone")
        try:
            addresses = Reachable(*_contact(row, {}))
            await consents.take_for(
                cart_id, row["profile_id"], addresses, consent, proof=proof, source=ConsentSource.CHECKOUT
            )
        except DomainErrors as wrong:
            raise DomainErrors([error.under("input") for error in wrong.errors]) from wrong
    return Saved(cart_id, refused_to_keep)


async def _standing(key: CheckoutKey) -> Mapping[str, Any]:
    row = await queries.standing(key.cart_id, key.checkout_id)
    if row is None or not token_matches(key.secret, row["secret_hash"]):
        raise not_found("cart" if key.cart_id else "checkout", key.field)
    return row


async def _may_keep(row: Mapping[str, Any], client: str | None) -> bool:
    """Whether the checkout is to keep units. Going on to is always fine; how often one client begins to is limited, as
    whoever fills carts by a program would empty the shop without buying anything."""
    if not row["reservation_minutes"] or not row["has_lines"]:
        return False
    if row["reserved_until"] is not None and row["reserved_until"] > row["now"]:
        return True
    if client is None:
        return True
    try:
        await rate_limit.allow(
            "checkout_reservations", client, limit=MAX_RESERVING_CHECKOUTS, window_seconds=RESERVING_WINDOW_SECONDS
        )
    except rate_limit.RateLimitedError:
        return False
    return True


async def _save(
    key: CheckoutKey, change: DetailsChange, account_email: str | None, standing: Mapping[str, Any], keeps: bool
) -> uuid.UUID:
    cart_id = await _try_save(key, change, account_email, standing, keeps)
    if cart_id is None:
        async with db.unit_of_work():
            await db.execute(_LOCK_CART, key.cart_id, key.checkout_id)
            cart_id = await _try_save(key, change, account_email, await _standing(key), keeps)
    if cart_id is None:
        raise RuntimeError("a locked cart was changed by somebody else")
    return cart_id


async def _try_save(
    key: CheckoutKey, change: DetailsChange, account_email: str | None, row: Mapping[str, Any], keeps: bool
) -> uuid.UUID | None:
    """None when the cart, or its checkout, was changed between reading and writing."""
    if row["cart_state"] == CartState.COMPLETED:
        raise DomainError(CartErrorCode.CART_COMPLETED, "This cart has become an order.", key.field)
    if row["live"]:
        raise DomainError(CartErrorCode.CHECKOUT_IN_PROGRESS, "This cart is being paid for.", key.field)
    checked = _checked_contact(row, change)
    if account_email and "email" not in checked and _contact(row, {})[0] is None:
        checked["email"] = account_email
    checked = await _with_age(row, checked)
    if quote_id := checked.get("shipping_quote_id"):
        await _check_quote(row, key.secret, quote_id, checked)
    cart_id: uuid.UUID = row["cart_id"]
    before, after = _contact(row, {}), _contact(row, checked)
    is_known = row["profile_id"] is not None or any((*before, *after))
    if not is_known and not keeps:
        return cart_id if await _write(cart_id, row["revision"], checked) else None
    async with db.unit_of_work():
        written = await _write(cart_id, row["revision"], checked)
        if written is None:
            return None
        # Stock before people, as an attempt locks them.
        if keeps:
            await checkout_holds.follow(written["id"], cart_id)
        if is_known:
            await _identify(row, written, before, after, checked.get("shipping_address"))
    return cart_id


async def _identify(
    row: Mapping[str, Any],
    written: db.Record,
    before: owners.Contact,
    after: owners.Contact,
    address: PostalAddress | None,
) -> None:
    cart_id: uuid.UUID = row["cart_id"]
    profile_id = await owners.follow(
        cart_id,
        written["profile_id"],
        before=before,
        after=after,
        facts=_facts(row, address),
        source=SOURCE,
        again=address is not None,
    )
    if profile_id and any(after) and row["has_lines"] and row["started_event_at"] is None:
        await owners.start_checkout(written["id"], cart_id, profile_id)


async def _with_age(row: Mapping[str, Any], change: DetailsChange) -> DetailsChange:
    """What is kept of what the buyer says of their age: that they are old enough, or not."""
    born, says_so = change.get("birth_date"), change.get("age_confirmed")
    if born is None and says_so is None:
        return change
    age, check = await queries.age_of_cart(row["cart_id"])
    confirmed = None
    if age is not None and says_so is not False:
        confirmed = confirmed_age(age, AgeCheck(check), born, says_so, today=row["now"].date(), at=["input"])
    return {**change, "confirmed_age": confirmed}


def _contact(row: Mapping[str, Any], change: DetailsChange) -> owners.Contact:
    """Email and phone that an order would have now: the checkout's before the cart's."""
    return (
        change.get("email", row["email"]) or row["cart_email"],
        change.get("phone", row["phone"]) or row["cart_phone"],
    )


def _facts(row: Mapping[str, Any], address: PostalAddress | None) -> Facts:
    """What the checkout says of the buyer besides how to reach them."""
    if address is None:
        return {"country_code": row["country_code"]}
    return {
        "first_name": address.first_name or None,
        "last_name": address.last_name or None,
        "country_code": address.country_code,
        "postal_code": address.postal_code or None,
    }


def _checked_contact(row: Mapping[str, Any], change: DetailsChange) -> DetailsChange:
    stored = queries.stored_details(row)
    address = change.get("shipping_address") or stored.shipping_address or change.get("billing_address")
    errors: list[DomainError] = []
    checked = change.copy()
    try:
        if email := change.get("email"):
            checked["email"] = normalise_email(email, ["input", "email"])
    except DomainError as error:
        errors.append(error)
    try:
        if phone := change.get("phone"):
            country = address.country_code if address else row["country_code"]
            checked["phone"] = normalise_phone(phone, country, ["input", "phone"])
    except DomainError as error:
        errors.append(error)
    if errors:
        raise DomainErrors(errors)
    return checked


async def _check_quote(row: Mapping[str, Any], secret: str, quote_id: str, change: DetailsChange) -> None:
    """Without an address there is nothing yet to compare the quote's destination with."""
    field = ["input", "shippingQuoteId"]
    stored = queries.stored_details(row).shipping_address
    address = change.get("shipping_address", stored)
    quote = read_quote(quote_id, field)
    if address is None:
        return
    cart = await carts.load_cart(row["cart_id"], secret)
    if cart is not None:
        cart = await carts.priced_for(cart, address.country_code)
        await verify_quote(quote, cart.lines, destination_of(address), cart.currency_code, row["now"], field=field)


_LOCK_CART = """
    UPDATE carts SET revision = revision + 1
    WHERE id = coalesce($1, (SELECT cart_id FROM checkouts WHERE id = $2::uuid))
"""

# A change of the checkout counts as one of its cart, so that nobody orders on details that were changed meanwhile.
# Each detail comes with whether it is given, and what is not given stays as it is.
_SAVE = """
    WITH cart AS (
        UPDATE carts SET revision = revision + 1 WHERE id = $2 AND revision = $13 AND state = 'OPEN'
        RETURNING id, profile_id
    )
    INSERT INTO checkouts AS k (id, cart_id, email, phone, shipping_address, billing_address, shipping_quote_id,
                                confirmed_age, created_at, updated_at)
    SELECT $1, cart.id, $4, $6, $8::jsonb, $10::jsonb, $12, $15, business_now(), business_now() FROM cart
    ON CONFLICT (cart_id) DO UPDATE SET
        email = CASE WHEN $3 THEN EXCLUDED.email ELSE k.email END,
        phone = CASE WHEN $5 THEN EXCLUDED.phone ELSE k.phone END,
        shipping_address = CASE WHEN $7 THEN EXCLUDED.shipping_address ELSE k.shipping_address END,
        billing_address = CASE WHEN $9 THEN EXCLUDED.billing_address ELSE k.billing_address END,
        shipping_quote_id = CASE WHEN $11 THEN EXCLUDED.shipping_quote_id ELSE k.shipping_quote_id END,
        confirmed_age = CASE WHEN $14 THEN EXCLUDED.confirmed_age ELSE k.confirmed_age END,
        updated_at = EXCLUDED.updated_at
    RETURNING k.id, (SELECT cart.profile_id FROM cart)
"""


async def _write(cart_id: uuid.UUID, revision: int, change: DetailsChange) -> db.Record | None:
    """The checkout's id and the cart's `profile_id`; None, and nothing written, for another revision of the cart."""
    return await db.fetchrow(
        _SAVE,
        new_id(),
        cart_id,
        "email" in change,
        change.get("email"),
        "phone" in change,
        change.get("phone"),
        "shipping_address" in change,
        _json(change.get("shipping_address")),
        "billing_address" in change,
        _json(change.get("billing_address")),
        "shipping_quote_id" in change,
        change.get("shipping_quote_id"),
        revision,
        "confirmed_age" in change,
        change.get("confirmed_age"),
    )


def _json(address: PostalAddress | None) -> str | None:
    return None if address is None else orjson.dumps(address.to_json()).decode()

"""Making and changing carts.

A change is decided in memory on the cart as it was read, and written by one statement that does nothing when somebody
else was quicker. Then it is decided again, this time holding the cart's row: parallel changes of one cart wait for
each other and lose nothing, and a change that nobody disturbs costs two statements.

Field paths of errors and warnings are those of the mutations: `cartId`, `lines`, `lineIds`, `input`, `buyerIdentity`.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypedDict

from app import db
from app.accounts.identity import CustomerIdentity
from app.cart import consents, owners, queries, rules
from app.cart.attributes import Attribute, check_attributes
from app.cart.costs import check_total, discounts_of
from app.cart.errors import CartErrorCode
from app.cart.identity import BuyerIdentity, checked_identity, country_warnings
from app.cart.models import CartState
from app.cart.queries import Read
from app.cart.rules import LineToAdd, LineToUpdate, Variants
from app.cart.snapshots import CartSnapshot
from app.cart.warnings import CartWarning, market_changed
from app.cart.writing import insert_cart, write_change
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven
from app.errors import DomainError, DomainErrors, not_found
from app.gift_cards import entering as gift_card_codes
from app.gift_cards import queries as gift_card_queries
from app.gift_cards.errors import GiftCardErrorCode
from app.gift_cards.models import ValueKind
from app.inventory import checkout_holds
from app.keys import keyring
from app.kit.ids import new_id
from app.kit.text import check_text
from app.markets import current as markets
from app.markets.terms import Wish
from app.promotions.entering import checked_codes, forgive, try_codes
from app.tax import registers
from app.tax.facts import with_state_of

MAX_NOTE_CHARS = 5_000
_NO_PROOF = Proof(None, None)


@dataclass(frozen=True, slots=True)
class CartKey:
    """What opens a cart: the two parts of its id."""

    id: uuid.UUID
    secret: str


class CartDetails(TypedDict, total=False):
    """What is given changes; None and an empty list take it out of the cart."""

    note: str | None
    attributes: Sequence[Attribute]


@dataclass(frozen=True, slots=True)
class Changed:
    cart: CartSnapshot
    warnings: list[CartWarning]


Decision = Callable[[CartSnapshot, Variants], Changed]


async def create_cart(
    lines: Sequence[LineToAdd] = (),
    identity: BuyerIdentity | None = None,
    details: CartDetails | None = None,
    codes: Sequence[str] = (),
    *,
    consent: Sequence[ConsentGiven] = (),
    proof: Proof = _NO_PROOF,
    client: str = "",
    customer: CustomerIdentity | None = None,
    wishes: Sequence[Wish] = (),
) -> Changed:
    """Make a cart with all of this, or none.

    Args:
        codes: of discounts, see `change_codes`.
        consent: to marketing, for the addresses in `identity`.
        proof: what is kept with it.
        client: who asks, for the limit on guessing codes.
        customer: who is signed in: it is their account's, and stands for its person where no contact is given.
        wishes: where they are; the country in `identity` comes before them. The cart stays in that market.

    Raises:
        DomainErrors: all that is wrong, see `rules.add_lines`, `checked_identity`, `change_details` and
            `checked_codes`; every path begins with `input`.
        DomainError: RATE_LIMITED.
    """
    errors: list[DomainError] = []
    checked, added, entered = BuyerIdentity(), rules.Change([], []), list[str]()
    with _collected(errors, "input"):
        entered = checked_codes(codes, "discountCodes")
    await try_codes(client, entered)
    placed = [Wish(country_code), *wishes] if (country_code := (identity or {}).get("country_code")) else wishes
    variant_ids, customer_id = [line.variant_id for line in lines], customer.id if customer else None
    wrong_identity: list[DomainError] = []
    with _collected(wrong_identity, "input", "buyerIdentity"):
        checked = checked_identity(identity or {})
    offer = await queries.load_offer(variant_ids, entered, placed, customer_id, checked.get("tax_id"))
    with _collected(errors, "input"):
        added = rules.add_lines([], lines, offer.variants)
    errors += wrong_identity
    with _collected(errors, "input"):
        _check_details(details or {})
    if errors:
        raise DomainErrors(errors)

    cart_id = new_id()
    cart = CartSnapshot(
        id=cart_id,
        secret=keyring().derive_token("cart", cart_id),
        state=CartState.OPEN,
        revision=0,
        market=offer.market,
        market_id=offer.market.id,
        versions=offer.versions,
        email=checked.get("email"),
        phone=checked.get("phone"),
        country_code=checked.get("country_code"),
        note=None,
        attributes=[],
        checkout_in_progress=False,
        created_at=offer.now,
        updated_at=offer.now,
        read_at=offer.now,
        lines=added.lines,
        discount_codes=entered,
        discounts=offer.discounts,
        customer_id=customer.id if customer else None,
        tax_id=checked.get("tax_id"),
        tax_facts=offer.tax_facts,
    )
    cart = await queries.with_customer_uses(_with_details(cart, details or {}))
    await _forgive(client, cart)
    with _errors_under("input"):
        check_total(cart)
    await consents.limit(consent, proof)
    looked_up = registers.looks_up(cart.tax_id, cart.tax_facts.settings)
    async with db.unit_of_work() if consent or looked_up else nullcontext():
        cart = await _insert(cart, customer)
        if looked_up:
            await registers.want(cart.tax_id, cart.tax_facts.settings)
        with _errors_under("input", "buyerIdentity"):
            await consents.take(cart, consent, proof)
    about_country = _under(country_warnings(checked, offer.countries), "buyerIdentity")
    return Changed(cart, _under([*added.warnings, *about_country], "input"))


async def add_lines(key: CartKey, lines: Sequence[LineToAdd]) -> Changed:
    """See `rules.add_lines`; and `change` for what every change can raise."""

    def decide(cart: CartSnapshot, variants: Variants) -> Changed:
        change = rules.add_lines(cart.lines, lines, variants)
        return Changed(replace(cart, lines=change.lines), change.warnings)

    return await change(key, decide, [line.variant_id for line in lines])


async def update_lines(key: CartKey, lines: Sequence[LineToUpdate]) -> Changed:
    """See `rules.update_lines`; and `change` for what every change can raise."""

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        change = rules.update_lines(cart.lines, lines)
        return Changed(replace(cart, lines=change.lines), change.warnings)

    return await change(key, decide)


async def remove_lines(key: CartKey, line_ids: Sequence[uuid.UUID | None]) -> Changed:
    """See `rules.remove_lines`; and `change` for what every change can raise."""

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        return Changed(replace(cart, lines=rules.remove_lines(cart.lines, line_ids).lines), [])

    return await change(key, decide)


async def clear(key: CartKey) -> Changed:
    """Take all lines out; note, attributes and buyer stay. See `change` for what it can raise."""
    return await change(key, lambda cart, _: Changed(replace(cart, lines=[]), []))


async def change_details(key: CartKey, details: CartDetails) -> Changed:
    """Raises DomainErrors with TOO_LONG, INVALID, and what `check_attributes` finds; see `change` for the rest."""
    with _errors_under("input"):
        _check_details(details)
    return await change(key, lambda cart, _: Changed(_with_details(cart, details), []))


async def change_identity(
    key: CartKey, identity: BuyerIdentity, consent: Sequence[ConsentGiven] = (), proof: Proof = _NO_PROOF
) -> Changed:
    """See `checked_identity`, `consents.limit` and `consents.take`; and `change` for what every change can raise."""
    country_code = identity.get("country_code")
    known = await markets.now() if country_code else None
    market, served = (known.of_country(country_code), list(known.sold_to)) if known else (None, [])

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        with _errors_under("buyerIdentity"):
            checked = checked_identity(identity, cart.country_code)
        changed, warnings = replace(cart, **checked), country_warnings(checked, served)
        if market is not None:
            if market.id != (cart.market_id or cart.market.id):
                warnings.append(market_changed(market))
            changed = replace(changed, market=market, market_id=market.id)
        return Changed(changed, _under(warnings, "buyerIdentity"))

    market_id = market.id if market else None
    if not consent and identity.get("tax_id") is None:
        return await change(key, decide, market_id=market_id)
    await consents.limit(consent, proof)
    async with db.unit_of_work():
        changed = await change(key, decide, market_id=market_id)
        facts, tax_id = changed.cart.tax_facts, changed.cart.tax_id
        if identity.get("tax_id") is not None and registers.looks_up(tax_id, facts.settings):
            await registers.want(tax_id, facts.settings)
            facts = await with_state_of(facts, tax_id)
        with _errors_under("buyerIdentity"):
            await consents.take(changed.cart, consent, proof)
    return replace(changed, cart=replace(changed.cart, tax_facts=facts))


async def change_codes(key: CartKey, codes: Sequence[str], client: str) -> Changed:
    """Enter codes of discounts in the place of those that the cart has. One that takes nothing off stays and says why.

    Args:
        client: who asks, for the limit on guessing.

    Raises:
        DomainErrors: see `checked_codes`.
        DomainError: RATE_LIMITED; and see `change`.
    """
    entered = checked_codes(codes, "codes")
    await try_codes(client, entered)
    changed = await change(key, lambda cart, _: Changed(replace(cart, discount_codes=entered), []), codes=entered)
    await _forgive(client, changed.cart)
    return changed


async def change_gift_cards(key: CartKey, codes: Sequence[str], client: str) -> Changed:
    """Enter codes of gift cards in the place of those that the cart has.

    Args:
        client: who asks, for the limit on guessing.

    Raises:
        DomainErrors: see `gift_cards.entering.cards_of`; and GIFT_CARD_OTHER_CURRENCY, at `codes` and the place.
        DomainError: RATE_LIMITED; and see `change`.
    """
    cards = await gift_card_codes.cards_of(codes, client)

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        gift_card_codes.check_currency(cards, cart.currency_code)
        others = [value for value in cart.stored_value if value.kind is not ValueKind.GIFT_CARD]
        ids = [str(card.id) for card in cards]
        return Changed(replace(cart, gift_card_ids=ids, stored_value=[*cards, *others]), [])

    return await change(key, decide)


async def change_store_credit(key: CartKey, customer: CustomerIdentity, *, use: bool) -> Changed:
    """Spend the credit of the account that the cart belongs to, or stop to.

    Raises:
        DomainError: STORE_CREDIT_NOT_YOURS; and see `change`.
    """
    credit = await gift_card_queries.credit_terms(customer.id) if use else []

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        if use and cart.customer_id != customer.id:
            message = "Store credit is for carts of one's own account: sign in with this cart's id first."
            raise DomainError(GiftCardErrorCode.STORE_CREDIT_NOT_YOURS, message, ["cartId"])
        cards = [value for value in cart.stored_value if value.kind is ValueKind.GIFT_CARD]
        return Changed(replace(cart, use_store_credit=use, stored_value=[*cards, *credit]), [])

    return await change(key, decide)


async def _forgive(client: str, cart: CartSnapshot) -> None:
    if cart.discount_codes:
        await forgive(client, discounts_of(cart).codes)


async def change(
    key: CartKey,
    decide: Decision,
    variant_ids: Sequence[uuid.UUID] = (),
    *,
    codes: Sequence[str] | None = None,
    market_id: uuid.UUID | None = None,
) -> Changed:
    """Raises DomainError: NOT_FOUND, CART_COMPLETED, CHECKOUT_IN_PROGRESS, TOTAL_TOO_LARGE."""
    read = Read(variant_ids, codes=codes, market_id=market_id)
    changed = await _try(key, decide, read, lock=False)
    if changed is None:
        async with db.unit_of_work():
            changed = await _try(key, decide, read, lock=True)
    if changed is None:
        raise RuntimeError("a locked cart was changed by somebody else")
    return changed


async def _try(key: CartKey, decide: Decision, read: Read, *, lock: bool) -> Changed | None:
    """None when the cart was changed between reading and writing."""
    loaded = await queries.load_for_change(key.id, key.secret, read, lock=lock)
    if loaded is None:
        raise not_found("cart", ["cartId"])
    cart, variants = loaded
    if cart.state is CartState.COMPLETED:
        message = "This cart has become an order; start a new one."
        raise DomainError(CartErrorCode.CART_COMPLETED, message, ["cartId"])
    if cart.checkout_in_progress:
        message = "This cart is being paid for; finish the payment, or wait until it has ended."
        raise DomainError(CartErrorCode.CHECKOUT_IN_PROGRESS, message, ["cartId"])
    changed = decide(cart, variants)
    if changed.cart == cart:
        return changed
    if (changed.cart.email, changed.cart.phone) != (cart.email, cart.phone):
        changed = replace(changed, cart=await queries.with_customer_uses(changed.cart))
    check_total(changed.cart)
    after = await _write(cart, changed.cart)
    return None if after is None else Changed(after, changed.warnings)


async def _insert(cart: CartSnapshot, customer: CustomerIdentity | None) -> CartSnapshot:
    customer_id, account_profile_id = (customer.id, customer.profile_id) if customer else (None, None)
    if not any(cart.contact) and account_profile_id is None:
        await insert_cart(cart, customer_id)
        return cart
    async with db.unit_of_work():
        cart = replace(cart, profile_id=await owners.created(cart, account_profile_id))
        await insert_cart(cart, customer_id)
    return cart


async def _write(before: CartSnapshot, after: CartSnapshot) -> CartSnapshot | None:
    """None, and nothing written, when the cart has another revision by now."""
    is_known = before.profile_id is not None or any((*before.contact, *after.contact))
    if not is_known and not before.keeps_units:
        row = await write_change(before, after)
        if row is None:
            return None
        profile_id = row["profile_id"]
    else:
        async with db.unit_of_work():
            row = await write_change(before, after)
            if row is None:
                return None
            # Stock before people, as an attempt locks them.
            if before.checkout and before.keeps_units:
                await checkout_holds.follow(before.checkout.id, before.id)
            profile_id = await owners.changed(before, after, row["profile_id"]) if is_known else row["profile_id"]
    return replace(after, revision=before.revision + 1, updated_at=row["updated_at"], profile_id=profile_id)


def _check_details(details: CartDetails) -> None:
    """Raises DomainErrors."""
    errors = check_attributes(details.get("attributes", ()), ["attributes"])
    if wrong := check_text(details.get("note") or "", MAX_NOTE_CHARS, ["note"]):
        errors.append(wrong)
    if errors:
        raise DomainErrors(errors)


def _with_details(cart: CartSnapshot, details: CartDetails) -> CartSnapshot:
    if "note" in details:
        cart = replace(cart, note=details["note"] or None)
    if "attributes" in details:
        cart = replace(cart, attributes=[attribute.as_json() for attribute in details["attributes"]])
    return cart


@contextmanager
def _errors_under(*prefix: str) -> Iterator[None]:
    try:
        yield
    except (DomainError, DomainErrors) as wrong:
        raise DomainErrors([error.under(*prefix) for error in wrong.errors]) from wrong


@contextmanager
def _collected(errors: list[DomainError], *prefix: str) -> Iterator[None]:
    """What is raised inside is added to `errors`, so that everything that is wrong is told at once."""
    try:
        with _errors_under(*prefix):
            yield
    except DomainErrors as wrong:
        errors.extend(wrong.errors)


def _under(warnings: Sequence[CartWarning], name: str) -> list[CartWarning]:
    return [replace(warning, field=[name, *(warning.field or [])]) for warning in warnings]

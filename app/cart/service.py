"""Changing carts.

A change is decided in memory on the cart as it was read, and written by one statement that does nothing when somebody
else was quicker. Then it is decided again, this time holding the cart's row: parallel changes of one cart wait for
each other and lose nothing, and a change that nobody disturbs costs two statements.

Field paths of errors and warnings are those of the mutations: `cartId`, `lines`, `lineIds`, `input`, `buyerIdentity`.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app import db
from app.cart import consents, owners, queries, rules
from app.cart.costs import check_total
from app.cart.details import CartDetails, check_details, with_details
from app.cart.errors import CartErrorCode
from app.cart.identity import BuyerIdentity, checked_identity, country_warnings
from app.cart.models import CartState
from app.cart.paths import errors_under, warnings_under
from app.cart.queries import Read
from app.cart.rules import LineToAdd, LineToUpdate, Variants
from app.cart.snapshots import CartSnapshot
from app.cart.warnings import CartWarning, market_changed
from app.cart.writing import write_change
from app.customers.consent import NO_PROOF, Proof
from app.customers.consenting import ConsentGiven
from app.errors import DomainError, not_found
from app.gifting import terms as gifting
from app.gifting.terms import WrapTerms
from app.inventory import checkout_holds
from app.markets import current as markets
from app.tax import registers
from app.tax.facts import with_state_of


@dataclass(frozen=True, slots=True)
class CartKey:
    """What opens a cart: the two parts of its id."""

    id: uuid.UUID
    secret: str


@dataclass(frozen=True, slots=True)
class Changed:
    cart: CartSnapshot
    warnings: list[CartWarning]


Decision = Callable[[CartSnapshot, Variants], Changed]


async def add_lines(key: CartKey, lines: Sequence[LineToAdd]) -> Changed:
    """See `rules.add_lines`; and `change` for what every change can raise."""

    offered = await wrapping(lines)

    def decide(cart: CartSnapshot, variants: Variants) -> Changed:
        wraps = gifting.wraps_in(offered, cart.currency_code)
        change = rules.add_lines(cart.lines, lines, variants, wraps=wraps)
        return Changed(_with_lines(cart, change, offered), change.warnings)

    return await change(key, decide, [line.variant_id for line in lines])


async def update_lines(key: CartKey, lines: Sequence[LineToUpdate]) -> Changed:
    """See `rules.update_lines`; and `change` for what every change can raise."""

    offered = await wrapping(lines)

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        change = rules.update_lines(cart.lines, lines, wraps=gifting.wraps_in(offered, cart.currency_code))
        return Changed(_with_lines(cart, change, offered), change.warnings)

    return await change(key, decide)


async def wrapping(lines: Sequence[LineToAdd] | Sequence[LineToUpdate]) -> WrapTerms | None:
    """What wrapping costs, where any of them is to be wrapped; asked for then only."""
    return await gifting.current() if any(line.gift and line.gift.get("wrap") for line in lines) else None


def _with_lines(cart: CartSnapshot, change: rules.Change, offered: WrapTerms | None) -> CartSnapshot:
    return replace(cart, lines=change.lines, wrap_terms=cart.wrap_terms if offered is None else offered)


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
    with errors_under("input"):
        check_details(details)
    return await change(key, lambda cart, _: Changed(with_details(cart, details), []))


async def change_identity(
    key: CartKey, identity: BuyerIdentity, consent: Sequence[ConsentGiven] = (), proof: Proof = NO_PROOF
) -> Changed:
    """See `checked_identity`, `consents.limit` and `consents.take`; and `change` for what every change can raise."""
    country_code = identity.get("country_code")
    known = await markets.now() if country_code else None
    market, served = (known.of_country(country_code), list(known.sold_to)) if known else (None, [])

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        with errors_under("buyerIdentity"):
            checked = checked_identity(identity, cart.country_code)
        changed, warnings = replace(cart, **checked), country_warnings(checked, served)
        if market is not None:
            if market.id != (cart.market_id or cart.market.id):
                warnings.append(market_changed(market))
            changed = replace(changed, market=market, market_id=market.id)
        return Changed(changed, warnings_under(warnings, "buyerIdentity"))

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
        with errors_under("buyerIdentity"):
            await consents.take(changed.cart, consent, proof)
    return replace(changed, cart=replace(changed.cart, tax_facts=facts))


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

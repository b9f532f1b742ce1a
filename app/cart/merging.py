"""One cart into another, and the cart of a guest who signs in. No line and no unit is lost, and none is doubled.

A merge moves all lines or none. The cart that they came from stays open and empty, with its note and its buyer: a line
that another tab adds too late lands there, is seen there, and can be merged as well. See docs/decisions/cart-merge.md.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app import db
from app.cart import belonging, carrying, joining, owners, queries
from app.cart.costs import check_total
from app.cart.errors import CartErrorCode
from app.cart.models import CartState
from app.cart.queries import Read
from app.cart.service import CartKey, Changed
from app.cart.snapshots import CartSnapshot
from app.cart.warnings import CartWarning, WarningCode, market_changed
from app.cart.writing import write_change
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.ids import new_id

_FROM, _INTO = ["cartId"], ["intoCartId"]
_AS_IT_IS = Read()

# In the order of their ids, whichever is merged into which. An account that was deleted owns nothing any more.
_LOCK = """
    SELECT c.id, c.profile_id, k.id AS customer_id
    FROM carts c LEFT JOIN customers k ON k.id = c.customer_id
    WHERE c.id = ANY($1::uuid[]) ORDER BY c.id FOR NO KEY UPDATE OF c
"""

Rows = Mapping[uuid.UUID, db.Record]


@dataclass(frozen=True, slots=True)
class KeptCart:
    """The cart that somebody goes on with after signing in; None where they have none."""

    key: CartKey | None
    warnings: list[CartWarning] = field(default_factory=list)
    """CART_NOT_FOUND, CART_NOT_MERGED, or what is to be known of merged lines."""


async def merge(source: CartKey, target: CartKey, *, customer_id: uuid.UUID | None = None) -> Changed:
    """Put everything of one cart into another; see `app.cart.joining` for what the result has.

    Args:
        customer_id: the account that asks: its own cart may be merged into one of nobody, which is the account's then.

    Returns:
        The target as it is now.

    Raises:
        DomainErrors: INVALID for a cart and itself; NOT_FOUND, CART_COMPLETED or CHECKOUT_IN_PROGRESS for either;
            CART_OF_ACCOUNT; TOO_MANY, OUT_OF_RANGE, TOO_LONG, TOTAL_TOO_LARGE where one cart cannot hold both. Nothing
            is changed then.
    """
    if source.id == target.id:
        raise DomainError(CommonErrorCode.INVALID, "A cart cannot be merged into itself.", _INTO)
    async with db.unit_of_work():
        rows = await _locked([source.id, target.id])
        return await _merge(source, target, rows, customer_id)


async def keep_for_customer(key: CartKey, customer_id: uuid.UUID) -> KeptCart:
    """Make the cart of somebody who signs in their account's, or merge it into the one that the account has.

    Where the two cannot become one, both stay as they are and belong to the account, with a warning. A cart that is
    unknown, completed or another account's is left alone. Joins the unit of work that is open, whose first lock this
    has to be (the order is cart, account, profile). Refuses nothing: a cart never keeps anybody from signing in.
    """
    async with db.unit_of_work():
        # Two devices that sign in at once would each see an account without a cart.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('carts of ' || $1, 0))", str(customer_id))
        keys = await belonging.open_keys(customer_id)
        own = next((one for one in keys if one.id != key.id), None)
        rows = await _locked([key.id] if own is None else [key.id, own.id])
        guest = await queries.show_cart(key.id, key.secret)
        owner = rows[key.id]["customer_id"] if guest else None
        if guest is None or guest.state is CartState.COMPLETED or owner not in (None, customer_id):
            message = "There is no such open cart; the account's own is as it was."
            # Also where the id is that of the account's own cart, with another secret.
            return KeptCart(next(iter(keys), None), [CartWarning(WarningCode.CART_NOT_FOUND, message, _FROM)])
        if own is not None:
            try:
                changed = await _merge(key, own, rows, customer_id)
                return KeptCart(own, changed.warnings)
            except (DomainError, DomainErrors) as refused:
                warnings = [_not_merged(refused)]
        else:
            warnings = []
        await belonging.give(key.id, customer_id)
        return KeptCart(key, warnings)


async def _locked(cart_ids: Sequence[uuid.UUID]) -> Rows:
    """Those that exist, for nobody else to change. What hangs off them is read afterwards: reading it in the same
    statement would show it as it was before the wait."""
    return {row["id"]: row for row in await db.fetch(_LOCK, list(cart_ids))}


async def _loaded(key: CartKey, read: Read = _AS_IT_IS) -> CartSnapshot | None:
    loaded = await queries.load_for_change(key.id, key.secret, read, lock=False)
    return loaded[0] if loaded else None


async def _merge(source: CartKey, target: CartKey, rows: Rows, customer_id: uuid.UUID | None) -> Changed:
    """In the open unit of work, which has both locked. Raises before anything is written."""
    kept = await _loaded(target)
    # What comes out of another market costs what it costs in that of the cart that it gets into.
    given = await _loaded(source, Read(market_id=kept.market.id if kept else None))
    errors = [error for cart, at in ((given, _FROM), (kept, _INTO)) if (error := _wrong(cart, at))]
    if errors or given is None or kept is None:
        raise DomainErrors(errors)
    owner = _owner_after(rows[source.id], rows[target.id], customer_id)
    codes = joining.codes_of(kept, given)
    # What discounts of the one ask about its products, they ask about the other one's, too.
    discounts = kept.discounts
    if codes != kept.discount_codes or codes != given.discount_codes:
        again = [await _loaded(key, Read(codes=codes)) for key in (source, target)]
        offered = [one.discounts for one in again if one]
        discounts = replace(offered[-1], products={**offered[0].products, **offered[-1].products})
    else:
        discounts = replace(discounts, products={**given.discounts.products, **discounts.products})
    moved = [replace(line, id=new_id()) for line in given.lines]
    after = replace(joining.joined(kept, given, moved), discounts=discounts)
    if after.contact != kept.contact:
        after = await queries.with_customer_uses(after)
    check_total(after)
    warnings = joining.warnings(kept, after)
    if given.lines and given.market_id not in (None, kept.market.id):
        warnings.append(market_changed(kept.market, joining.FIELD))
    written, about_checkout = await _write(given, kept, after, rows)
    warnings += about_checkout
    await _give(rows, source.id, target.id, owner)
    return Changed(written, warnings)


def _wrong(cart: CartSnapshot | None, at: list[str]) -> DomainError | None:
    if cart is None:
        return not_found("cart", at)
    if cart.state is CartState.COMPLETED:
        return DomainError(CartErrorCode.CART_COMPLETED, "This cart has become an order; start a new one.", at)
    if cart.checkout_in_progress:
        message = "This cart is being paid for; finish the payment, or wait until it has ended."
        return DomainError(CartErrorCode.CHECKOUT_IN_PROGRESS, message, at)
    return None


def _owner_after(source: db.Record, target: db.Record, customer_id: uuid.UUID | None) -> uuid.UUID | None:
    """Whose the target is afterwards. Raises DomainError(CART_OF_ACCOUNT) where an account would lose its lines."""
    owner: uuid.UUID | None = source["customer_id"]
    if owner in (None, target["customer_id"]):
        return target["customer_id"]  # type: ignore[no-any-return]
    if target["customer_id"] is None and owner == customer_id:
        return owner
    message = "This cart belongs to an account; sign in to it, or merge it into a cart of the same account."
    raise DomainError(CartErrorCode.CART_OF_ACCOUNT, message, _FROM)


async def _write(
    given: CartSnapshot, kept: CartSnapshot, after: CartSnapshot, rows: Rows
) -> tuple[CartSnapshot, list[CartWarning]]:
    """The lines, what checkouts keep of the stock, and then the people, as every change locks them."""
    emptied = replace(given, lines=[], market_id=given.market.id) if given.lines else given
    written = {before.id: await _write_one(before, now) for before, now in ((kept, after), (given, emptied))}
    warnings = await carrying.carry(given, kept, after)
    if after != kept:
        after = await _told(kept, after, written[kept.id])
        person = rows[given.id]["profile_id"]
        if after.profile_id is None and person is not None and not any(after.contact):
            after = replace(after, profile_id=person)
            await db.execute("UPDATE carts SET profile_id = $2 WHERE id = $1", after.id, person)
            await owners.changed(after, after, person)
    if emptied != given:
        await _told(given, emptied, written[given.id])
    return after, warnings


async def _write_one(before: CartSnapshot, after: CartSnapshot) -> db.Record | None:
    if before == after:
        return None
    row = await write_change(before, after)
    if row is None:
        raise RuntimeError("a locked cart was changed by somebody else")
    return row


async def _told(before: CartSnapshot, after: CartSnapshot, row: db.Record | None) -> CartSnapshot:
    if row is None:
        return after
    profile_id = await owners.changed(before, after, row["profile_id"])
    return replace(after, revision=before.revision + 1, updated_at=row["updated_at"], profile_id=profile_id)


async def _give(rows: Rows, source_id: uuid.UUID, target_id: uuid.UUID, owner: uuid.UUID | None) -> None:
    """What is left of the source is nobody's: an account goes on with one cart."""
    if rows[source_id]["customer_id"] is not None:
        await db.execute("UPDATE carts SET customer_id = NULL WHERE id = $1", source_id)
    if rows[target_id]["customer_id"] != owner and owner is not None:
        await belonging.give(target_id, owner)


def _not_merged(refused: DomainError | DomainErrors) -> CartWarning:
    reasons = " ".join(error.message for error in refused.errors)
    message = f"Both carts are kept, as they could not become one: {reasons}"
    return CartWarning(WarningCode.CART_NOT_MERGED, message, _FROM)

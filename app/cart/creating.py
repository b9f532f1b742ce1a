"""Making carts: everything at once, or nothing."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from app import db
from app.accounts.identity import CustomerIdentity
from app.cart import consents, owners, queries, rules
from app.cart.costs import check_total
from app.cart.details import CartDetails, check_details, with_details
from app.cart.entering import forgive_known
from app.cart.identity import BuyerIdentity, checked_identity, country_warnings
from app.cart.models import CartState
from app.cart.paths import collected, errors_under, warnings_under
from app.cart.rules import LineToAdd
from app.cart.service import Changed, wrapping
from app.cart.snapshots import CartSnapshot
from app.cart.writing import insert_cart
from app.customers.consent import NO_PROOF, Proof
from app.customers.consenting import ConsentGiven
from app.errors import DomainError, DomainErrors
from app.gifting import terms as gifting
from app.gifting.options import GiftChange, GiftOptions, chosen
from app.keys import keyring
from app.kit.ids import new_id
from app.markets.terms import Wish
from app.promotions.entering import checked_codes, try_codes
from app.tax import registers


async def create_cart(
    lines: Sequence[LineToAdd] = (),
    identity: BuyerIdentity | None = None,
    details: CartDetails | None = None,
    codes: Sequence[str] = (),
    *,
    gift: GiftChange | None = None,
    consent: Sequence[ConsentGiven] = (),
    proof: Proof = NO_PROOF,
    client: str = "",
    customer: CustomerIdentity | None = None,
    wishes: Sequence[Wish] = (),
) -> Changed:
    """Make a cart with all of this, or none.

    Args:
        codes: of discounts, see `entering.change_codes`.
        gift: what is wanted done with the whole of it; its lines have their own.
        consent: to marketing, for the addresses in `identity`.
        proof: what is kept with it.
        client: who asks, for the limit on guessing codes.
        customer: who is signed in: it is their account's, and stands for its person where no contact is given.
        wishes: where they are; the country in `identity` comes before them. The cart stays in that market.

    Raises:
        DomainErrors: all that is wrong, see `rules.add_lines`, `checked_identity`, `check_details`, `chosen` and
            `checked_codes`; every path begins with `input`.
        DomainError: RATE_LIMITED.
    """
    errors: list[DomainError] = []
    checked, added, entered = BuyerIdentity(), rules.Change([], []), list[str]()
    with collected(errors, "input"):
        entered = checked_codes(codes, "discountCodes")
    await try_codes(client, entered)
    placed = [Wish(country_code), *wishes] if (country_code := (identity or {}).get("country_code")) else wishes
    variant_ids, customer_id = [line.variant_id for line in lines], customer.id if customer else None
    wrong_identity: list[DomainError] = []
    with collected(wrong_identity, "input", "buyerIdentity"):
        checked = checked_identity(identity or {})
    offer = await queries.load_offer(variant_ids, entered, placed, customer_id, checked.get("tax_id"))
    wrap_terms = await (gifting.current() if gift and gift.get("wrap") else wrapping(lines))
    wraps = gifting.wraps_in(wrap_terms, offer.market.currency_code)
    with collected(errors, "input"):
        added = rules.add_lines([], lines, offer.variants, wraps=wraps)
    ships = any(variant.requires_shipping for variant in offer.variants.values())
    options, unfit = chosen(GiftOptions(), gift or {}, wraps=wraps, ships=ships, field=["input", "giftOptions"])
    errors += unfit
    errors += wrong_identity
    with collected(errors, "input"):
        check_details(details or {})
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
        gift_options=options.to_json(),
        wrap_terms=wrap_terms,
    )
    cart = await queries.with_customer_uses(with_details(cart, details or {}))
    await forgive_known(client, cart)
    with errors_under("input"):
        check_total(cart)
    await consents.limit(consent, proof)
    looked_up = registers.looks_up(cart.tax_id, cart.tax_facts.settings)
    async with db.unit_of_work() if consent or looked_up else nullcontext():
        cart = await _insert(cart, customer)
        if looked_up:
            await registers.want(cart.tax_id, cart.tax_facts.settings)
        with errors_under("input", "buyerIdentity"):
            await consents.take(cart, consent, proof)
    about_country = warnings_under(country_warnings(checked, offer.countries), "buyerIdentity")
    return Changed(cart, warnings_under([*added.warnings, *about_country], "input"))


async def _insert(cart: CartSnapshot, customer: CustomerIdentity | None) -> CartSnapshot:
    customer_id, account_profile_id = (customer.id, customer.profile_id) if customer else (None, None)
    if not any(cart.contact) and account_profile_id is None:
        await insert_cart(cart, customer_id)
        return cart
    async with db.unit_of_work():
        cart = replace(cart, profile_id=await owners.created(cart, account_profile_id))
        await insert_cart(cart, customer_id)
    return cart

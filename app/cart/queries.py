"""Reading carts: one statement, whatever the number of lines. Who does not hold the secret sees nothing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from app import db
from app.addresses.locations import EVERYWHERE
from app.cart import statements
from app.cart.rows import Variants, cart_of, decoded, variants_of
from app.cart.snapshots import CartLineSnapshot, CartSnapshot, VariantSnapshot
from app.configuration import VERSIONS, versions_of
from app.markets import current as markets
from app.markets.current import MARKETS
from app.markets.terms import MarketTerms, Wish
from app.promotions import queries as promotions
from app.promotions.buyers import with_buyer
from app.promotions.terms import Buyer, Offered
from app.shipping.queries import Terms as ShippingTerms
from app.shipping.queries import terms_of
from app.tax.facts import TaxFacts, read_facts

__all__ = ["CartLineSnapshot", "CartSnapshot", "VariantSnapshot", "Variants", "load_cart"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a cart is made from: its market, the shop's countries, the variants asked for, and what it may get off."""

    now: datetime
    """Business time."""
    market: MarketTerms
    versions: dict[str, int]
    """Of the configuration, see `app.configuration`."""
    countries: list[str]
    variants: Variants
    discounts: Offered
    tax_facts: TaxFacts


async def load_cart(cart_id: uuid.UUID, secret: str, *, market_id: uuid.UUID | None = None) -> CartSnapshot | None:
    """The cart with all that an order needs to know of its lines; None for a wrong secret as for no cart.

    Args:
        market_id: to price it in another market than its own.
    """
    if market_id is None:
        row = await db.fetchrow(statements.DESCRIBED, cart_id)
    else:
        row = await db.fetchrow(statements.DESCRIBED_ELSEWHERE, cart_id, market_id)
    return await described(row, secret) if row else None


async def described(row: db.Record, secret: str) -> CartSnapshot | None:
    """As `load_cart`, from the row of a statement of `statements.carts_with`."""
    cart = await cart_of(row, secret)
    return await with_customer_uses(cart) if cart else None


async def load_to_ship(
    cart_id: uuid.UUID, secret: str, country_code: str
) -> tuple[list[CartLineSnapshot], ShippingTerms] | None:
    """The lines as an order to this country would have them, and how the shop ships there; None for a wrong secret."""
    row = await db.fetchrow(statements.FOR_QUOTES, cart_id, country_code, EVERYWHERE)
    cart = await cart_of(row, secret) if row else None
    if row is None or cart is None:
        return None
    version = cart.versions.get(MARKETS.name)
    terms = await terms_of(row["shipping_terms"], country_code, now=cart.read_at, markets_version=version)
    return (await priced_for(cart, country_code)).lines, terms


async def priced_for(cart: CartSnapshot, country_code: str) -> CartSnapshot:
    """The cart as an order to this country would have it: in the market of there. The same where it is in it already,
    and else read once more, with names and pictures."""
    market = (await markets.at(cart.versions.get(MARKETS.name))).of_country(country_code)
    if market.id == cart.market.id:
        return cart
    again = await load_cart(cart.id, cart.secret, market_id=market.id)
    return replace(again, market_id=market.id) if again else cart


async def market_at(cart_id: uuid.UUID, country_code: str) -> tuple[MarketTerms | None, bool]:
    """The market of the country where the cart is in another one, and whether the shop sells there."""
    row = await db.fetchrow(f"SELECT market_id, {VERSIONS} AS versions FROM carts WHERE id = $1", cart_id)
    if row is None:
        return None, True
    known = await markets.at(versions_of(row["versions"]).get(MARKETS.name))
    market = known.of_country(country_code)
    return None if market.id == known.of_id(row["market_id"]).id else market, known.sells_to(country_code)


@dataclass(frozen=True, slots=True)
class Read:
    """What a change needs beside the cart; one of these at most.

    Attributes:
        variant_ids: to be put into it.
        codes: of discounts, where these are to take the place of the cart's.
        market_id: to price its lines in that market, whichever it is in.
    """

    variant_ids: Sequence[uuid.UUID] = ()
    codes: Sequence[str] | None = None
    market_id: uuid.UUID | None = None

    def statement(self) -> tuple[str, list[object]]:
        """And its arguments after the cart's id."""
        if self.codes is not None:
            return statements.FOR_CODES, [orjson.dumps(list(self.codes)).decode()]
        if self.market_id is not None:
            return statements.FOR_MARKET, [self.market_id]
        return (statements.FOR_CHANGE, [self.variant_ids]) if self.variant_ids else (statements.ONE, [])


_NOTHING_MORE = Read()


async def load_for_change(
    cart_id: uuid.UUID, secret: str, read: Read = _NOTHING_MORE, *, lock: bool
) -> tuple[CartSnapshot, Variants] | None:
    """The cart without names and pictures, and the variants that are to be put into it, so far as they exist.

    Args:
        lock: inside a unit of work, nobody else changes the cart until it ends, and what others decided before has to
            be decided again. That takes a statement of its own: one that waits for a row lock goes on to read the
            other tables as they were before it waited.
    """
    if lock:
        db.current_unit_of_work()
        await db.execute("UPDATE carts SET revision = revision + 1 WHERE id = $1", cart_id)
    sql, arguments = read.statement()
    row = await db.fetchrow(sql, cart_id, *arguments)
    cart = await cart_of(row, secret) if row else None
    if row is None or cart is None:
        return None
    return await with_customer_uses(cart), variants_of(row["variants"] if read.variant_ids else None, cart.checkout)


async def show_cart(cart_id: uuid.UUID, secret: str) -> CartSnapshot | None:
    """For showing: as `load_cart`, without names and pictures."""
    row = await db.fetchrow(statements.ONE, cart_id)
    cart = await cart_of(row, secret) if row else None
    return await with_customer_uses(cart) if cart else None


async def show_carts(keys: Sequence[tuple[uuid.UUID, str]]) -> list[CartSnapshot | None]:
    """The same for many: the cart of each id and secret, None where they do not open one."""
    by_id = {row["id"]: row for row in await db.fetch(statements.MANY, [cart_id for cart_id, _ in keys])}
    carts = [await cart_of(by_id[cart_id], secret) if cart_id in by_id else None for cart_id, secret in keys]
    return [await with_customer_uses(cart) if cart else None for cart in carts]


async def show_carts_of_lines(keys: Sequence[tuple[uuid.UUID, str]]) -> list[CartSnapshot | None]:
    """The same for ids of lines."""
    rows = await db.fetch(statements.OF_LINES, [line_id for line_id, _ in keys])
    by_line = {uuid.UUID(line["id"]): row for row in rows for line in decoded(row["lines"])}
    carts = [await cart_of(by_line[line_id], secret) if line_id in by_line else None for line_id, secret in keys]
    return [await with_customer_uses(cart) if cart else None for cart in carts]


async def with_customer_uses(cart: CartSnapshot) -> CartSnapshot:
    """With what the books say of its buyer, such as how often a discount was used; one statement where that matters."""
    discounts = await with_buyer(cart.discounts, buyer_of(cart))
    return cart if discounts is cart.discounts else replace(cart, discounts=discounts)


def buyer_of(cart: CartSnapshot) -> Buyer:
    return Buyer(email=cart.email, phone=cart.phone, profile_id=cart.profile_id, customer_id=cart.customer_id)


async def load_offer(
    variant_ids: Sequence[uuid.UUID],
    codes: Sequence[str],
    wishes: Sequence[Wish],
    customer_id: uuid.UUID | None,
    tax_id: str | None,
) -> Offer:
    """For a cart of somebody who is where `wishes` say. One statement, and another one where the markets are not what
    this process took them for. Raises DomainError(CURRENCY_NOT_OFFERED)."""
    buying, known = await markets.resolve(wishes), bool(codes or customer_id or tax_id)
    sql = statements.OFFER if known else statements.OFFER_TO_ANYBODY
    of_buyer = (orjson.dumps(list(codes)).decode(), customer_id, tax_id) if known else ()
    while True:
        market_id = buying.market.id if buying else None
        row = await db.fetchrow(sql, variant_ids, market_id, *of_buyer)
        if row is None:
            raise RuntimeError("the shop has no row; migrations make one")
        versions = versions_of(row["versions"])
        market = (await markets.at(versions.get(MARKETS.name))).resolve(wishes).market
        if buying is not None and buying.market == market:
            break
        buying = await markets.resolve(wishes)
    variants, discounts = variants_of(row["variants"]), promotions.offered_of(row["discounts"])
    facts = await read_facts(row["tax_facts"], versions)
    return Offer(row["now"], market, versions, row["countries"], variants, discounts, facts)

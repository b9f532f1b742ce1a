"""Reading carts: one statement, whatever the number of lines. Who does not hold the secret sees nothing."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.cart.models import CartState
from app.cart.snapshots import CartLineSnapshot, CartSnapshot, CheckoutSnapshot, VariantSnapshot
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.configuration import VERSIONS, versions_of
from app.gift_cards import rules as value
from app.gifting import terms as gifting
from app.kit.crypto import token_matches
from app.markets import current as markets
from app.markets.current import MARKETS
from app.markets.prices import sql_of_hidden, sql_of_price_breaks
from app.markets.terms import MarketTerms, Wish
from app.pricing.amounts import PriceBreak, unit_price
from app.promotions import queries as promotions
from app.promotions.buyers import with_buyer
from app.promotions.terms import Buyer, Offered
from app.tax.facts import TaxFacts, read_facts, sql_of_facts
from app.terms.queries import sql_of_terms
from app.terms.rules import terms_of

__all__ = ["CartLineSnapshot", "CartSnapshot", "VariantSnapshot", "load_cart"]

# The texts below are constant, and nothing in them is estimated by a parameter's value (`ANY(ARRAY(SELECT …))` is not,
# `ANY($1)` is). So PostgreSQL keeps one plan for each; making a plan costs more than running it.

_TERMS = f"""
    'variant_id', v.id, 'product_id', p.id, 'is_removed', v.removed_at IS NOT NULL,
    'product_status', p.status, 'product_kind', p.kind,
    'unit_price_minor', v.price_minor, 'requires_shipping', v.requires_shipping, 'weight_grams', v.weight_grams,
    'taxable', v.taxable, 'tax_class_id', p.tax_class_id, 'track_inventory', v.track_inventory,
    'inventory_policy', v.inventory_policy,
    'available_from', v.available_from, 'restock_expected_at', v.restock_expected_at,
    'terms', {sql_of_terms("p")},
    'available_quantity', (
        SELECT least(greatest(coalesce(sum(s.available - s.backordered), 0), 0), 2147483647)
        FROM stock_levels s WHERE s.variant_id = v.id
    )
"""
_DESCRIPTION = """,
    'product_name', p.name, 'variant_name', v.name, 'sku', v.sku,
    'image_url', coalesce(
        (SELECT i.url FROM product_images i WHERE i.id = v.image_id),
        (SELECT i.url FROM product_images i WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1)
    ),
    'selected_options', (
        SELECT json_agg(json_build_object('name', o.name, 'value', v.option_values[o.position]) ORDER BY o.position)
        FROM product_options o WHERE o.product_id = p.id
    )
"""


def _terms(market: str, customer: str, company: str) -> str:
    """What is to be known of a variant `v` of the product `p`, by who buys it and where."""
    breaks = sql_of_price_breaks("v", market=market, customer=customer, company=company)
    return f"""{_TERMS},
        'price_breaks', {breaks}, 'is_hidden', (SELECT EXISTS (SELECT FROM market_hidden_products))
            AND {sql_of_hidden("p.id", f"coalesce({market}, (SELECT id FROM markets WHERE is_default))")}
    """


_PRODUCTS = """
    SELECT held.product_id FROM cart_lines l JOIN product_variants held ON held.id = l.variant_id WHERE l.cart_id = c.id
"""
_DISCOUNTS = promotions.sql_of_offered("c.discount_codes", _PRODUCTS)
_TAX_FACTS = sql_of_facts(tax_id="c.tax_id", customer_id="c.customer_id", company_id="c.company_id")


def _carts(
    which: str, *, description: str = "", more: str = "", discounts: str = _DISCOUNTS, market: str = "c.market_id"
) -> str:
    terms = _terms(market, "c.customer_id", "c.company_id")
    return f"""
        SELECT c.id, c.secret_hash, c.state, c.revision, c.email, c.phone, c.country_code, c.note, c.attributes,
               {market} AS priced_in, {VERSIONS} AS versions, business_now() AS read_at,
               (SELECT json_build_array(s.age_check, s.minimum_order_minor) FROM shop s WHERE s.id = 1) AS shop_terms,
               c.created_at, c.updated_at, c.profile_id, c.customer_id, c.market_id, c.company_id, c.tax_id,
               c.gift_options, {gifting.sql_of_terms("c")} AS wrap_terms,
               c.gift_card_ids, c.use_store_credit, {value.sql_of_value("c")} AS stored_value,
               c.discount_codes, {discounts} AS discounts, {_TAX_FACTS} AS tax_facts,
               EXISTS (
                   SELECT FROM checkout_attempts a
                   WHERE a.cart_id = c.id AND a.state IN ('PROCESSING', 'REQUIRES_ACTION')
               ) AS checkout_in_progress,
               (
                   SELECT json_build_object(
                       'id', k.id, 'email', k.email, 'phone', k.phone, 'started', k.started_event_at IS NOT NULL,
                       'reserved_until', k.reserved_until,
                       'shipping_country', k.shipping_address ->> 'country_code',
                       'shipping_province', k.shipping_address ->> 'province_code',
                       'shipping_postal_code', k.shipping_address ->> 'postal_code',
                       'shipping_city', k.shipping_address ->> 'city',
                       'held', (
                           SELECT json_object_agg(h.variant_id, h.units) FROM (
                               SELECT r.variant_id, sum(r.quantity) AS units FROM stock_reservations r
                               WHERE r.checkout_id = k.id AND r.state = 'HELD' GROUP BY r.variant_id
                           ) h
                       )
                   )
                   FROM checkouts k WHERE k.cart_id = c.id
               ) AS checkout,
               (
                   SELECT json_agg(json_build_object(
                       'id', l.id, 'quantity', l.quantity, 'attributes', l.attributes,
                       'attributes_key', l.attributes_key, 'customizations', l.customizations,
                       'gift_options', l.gift_options, {terms} {description}
                   ) ORDER BY l.id)
                   FROM cart_lines l
                   JOIN product_variants v ON v.id = l.variant_id
                   JOIN products p ON p.id = v.product_id
                   WHERE l.cart_id = c.id
               ) AS lines {more}
        FROM carts c WHERE {which}
    """


def _variants_among(parameter: str, terms: str) -> str:
    return f"""(
        SELECT json_agg(json_build_object({terms}))
        FROM product_variants v JOIN products p ON p.id = v.product_id
        WHERE v.id = ANY(ARRAY(SELECT unnest({parameter}::uuid[])))
    ) AS variants"""


def _products_among(parameter: str) -> str:
    return f"SELECT product_id FROM product_variants WHERE id = ANY(ARRAY(SELECT unnest({parameter}::uuid[])))"


_OF_CART = _terms("c.market_id", "c.customer_id", "c.company_id")
_DESCRIBED = _carts("c.id = $1", description=_DESCRIPTION)
_DESCRIBED_ELSEWHERE = _carts("c.id = $1", description=_DESCRIPTION, market="$2::uuid")
_FOR_MARKET = _carts("c.id = $1", market="$2::uuid")
_FOR_CHANGE = _carts(
    "c.id = $1",
    more=f", {_variants_among('$2', _OF_CART)}",
    discounts=promotions.sql_of_offered("c.discount_codes", f"{_PRODUCTS} UNION {_products_among('$2')}"),
)
_FOR_CODES = _carts("c.id = $1", discounts=promotions.sql_of_offered("$2::jsonb", _PRODUCTS))
_ONE = _carts("c.id = $1")
_MANY = _carts("c.id = ANY(ARRAY(SELECT unnest($1::uuid[])))")
_OF_LINES = _carts("c.id IN (SELECT l.cart_id FROM cart_lines l WHERE l.id = ANY(ARRAY(SELECT unnest($1::uuid[]))))")
_OFFER = f"""
    SELECT business_now() AS now, s.countries, {VERSIONS} AS versions,
           {_variants_among("$1", _terms("$3::uuid", "$4::uuid", "null::uuid"))},
           {promotions.sql_of_offered("$2::jsonb", _products_among("$1"))} AS discounts,
           {sql_of_facts(tax_id="$5::text", customer_id="$4::uuid", company_id="null::uuid")} AS tax_facts
    FROM shop s WHERE s.id = 1
"""

Variants = dict[uuid.UUID, VariantSnapshot]


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
        row = await db.fetchrow(_DESCRIBED, cart_id)
    else:
        row = await db.fetchrow(_DESCRIBED_ELSEWHERE, cart_id, market_id)
    cart = await _cart(row, secret) if row else None
    return await with_customer_uses(cart) if cart else None


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
            return _FOR_CODES, [orjson.dumps(list(self.codes)).decode()]
        if self.market_id is not None:
            return _FOR_MARKET, [self.market_id]
        return (_FOR_CHANGE, [self.variant_ids]) if self.variant_ids else (_ONE, [])


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
    cart = await _cart(row, secret) if row else None
    if row is None or cart is None:
        return None
    return await with_customer_uses(cart), _variants(row["variants"] if read.variant_ids else None, cart.checkout)


async def show_cart(cart_id: uuid.UUID, secret: str) -> CartSnapshot | None:
    """For showing: as `load_cart`, without names and pictures."""
    row = await db.fetchrow(_ONE, cart_id)
    cart = await _cart(row, secret) if row else None
    return await with_customer_uses(cart) if cart else None


async def show_carts(keys: Sequence[tuple[uuid.UUID, str]]) -> list[CartSnapshot | None]:
    """The same for many: the cart of each id and secret, None where they do not open one."""
    by_id = {row["id"]: row for row in await db.fetch(_MANY, [cart_id for cart_id, _ in keys])}
    carts = [await _cart(by_id[cart_id], secret) if cart_id in by_id else None for cart_id, secret in keys]
    return [await with_customer_uses(cart) if cart else None for cart in carts]


async def show_carts_of_lines(keys: Sequence[tuple[uuid.UUID, str]]) -> list[CartSnapshot | None]:
    """The same for ids of lines."""
    rows = await db.fetch(_OF_LINES, [line_id for line_id, _ in keys])
    by_line = {uuid.UUID(line["id"]): row for row in rows for line in _decoded(row["lines"])}
    carts = [await _cart(by_line[line_id], secret) if line_id in by_line else None for line_id, secret in keys]
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
    buying, entered = await markets.resolve(wishes), orjson.dumps(list(codes)).decode()
    while True:
        market_id = buying.market.id if buying else None
        row = await db.fetchrow(_OFFER, variant_ids, entered, market_id, customer_id, tax_id)
        if row is None:
            raise RuntimeError("the shop has no row; migrations make one")
        versions = versions_of(row["versions"])
        market = (await markets.at(versions.get(MARKETS.name))).resolve(wishes).market
        if buying is not None and buying.market == market:
            break
        buying = await markets.resolve(wishes)
    variants, discounts = _variants(row["variants"]), promotions.offered_of(row["discounts"])
    facts = await read_facts(row["tax_facts"], versions)
    return Offer(row["now"], market, versions, row["countries"], variants, discounts, facts)


async def _cart(row: Mapping[str, Any], secret: str) -> CartSnapshot | None:
    if not token_matches(secret, row["secret_hash"]):
        return None
    checkout = _checkout(row["checkout"])
    age_check, minimum_order_minor = orjson.loads(row["shop_terms"])
    versions = versions_of(row["versions"])
    market = (await markets.at(versions.get(MARKETS.name))).of_id(row["priced_in"])
    if market.minimum_order_minor is not None:
        minimum_order_minor = market.minimum_order_minor
    elif minimum_order_minor is not None:
        minimum_order_minor = market.from_shop_currency(minimum_order_minor)
    return CartSnapshot(
        id=row["id"],
        secret=secret,
        state=CartState(row["state"]),
        revision=row["revision"],
        market=market,
        versions=versions,
        email=row["email"],
        phone=row["phone"],
        country_code=row["country_code"],
        note=row["note"],
        attributes=orjson.loads(row["attributes"]),
        checkout_in_progress=row["checkout_in_progress"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        lines=_at_their_quantity([CartLineSnapshot(**_typed(line, checkout)) for line in _decoded(row["lines"])]),
        read_at=row["read_at"],
        age_check=age_check,
        minimum_order_minor=minimum_order_minor,
        profile_id=row["profile_id"],
        discount_codes=orjson.loads(row["discount_codes"]),
        discounts=promotions.offered_of(row["discounts"]),
        checkout=checkout,
        customer_id=row["customer_id"],
        market_id=row["market_id"],
        company_id=row["company_id"],
        tax_id=row["tax_id"],
        gift_options=orjson.loads(row["gift_options"]) if row["gift_options"] else None,
        gift_card_ids=orjson.loads(row["gift_card_ids"]),
        use_store_credit=row["use_store_credit"],
        stored_value=value.terms_of(row["stored_value"]),
        tax_facts=await read_facts(row["tax_facts"], versions),
        wrap_terms=gifting.terms_of(row["wrap_terms"]),
    )


def _at_their_quantity(lines: list[CartLineSnapshot]) -> list[CartLineSnapshot]:
    """With what a unit costs as many as there are of the variant, in all lines together."""
    if not any(line.price_breaks for line in lines):
        return lines
    units: Counter[uuid.UUID] = Counter()
    for line in lines:
        units[line.variant_id] += line.quantity
    return [
        replace(line, unit_price_minor=unit_price(line.price_breaks, units[line.variant_id]))
        if line.price_breaks
        else line
        for line in lines
    ]


def _checkout(text: str | None) -> CheckoutSnapshot | None:
    if text is None:
        return None
    stored = orjson.loads(text)
    typed = {"id": uuid.UUID(stored["id"]), "reserved_until": _moment(stored["reserved_until"])}
    return CheckoutSnapshot(**{**stored, **typed, "held": stored["held"] or {}})


def _variants(text: str | None, checkout: CheckoutSnapshot | None = None) -> Variants:
    variants = [VariantSnapshot(**_typed(row, checkout)) for row in _decoded(text)]
    return {variant.variant_id: variant for variant in variants}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _decoded(text: str | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(text) if text else []
    return rows


def _typed(row: dict[str, Any], checkout: CheckoutSnapshot | None) -> dict[str, Any]:
    if checkout is not None and checkout.held:
        row["available_quantity"] += checkout.held.get(row["variant_id"], 0)
    for name in ("id", "variant_id", "product_id", "tax_class_id"):
        if row.get(name):
            row[name] = uuid.UUID(row[name])
    row["product_status"] = ProductStatus(row["product_status"])
    row["product_kind"] = ProductKind(row["product_kind"])
    row["inventory_policy"] = InventoryPolicy(row["inventory_policy"])
    row["terms"] = terms_of(row["terms"])
    row["available_from"] = _moment(row["available_from"])
    row["restock_expected_at"] = _moment(row["restock_expected_at"])
    if tiers := row.pop("price_breaks"):
        row["unit_price_minor"] = tiers[0]["unit_price_minor"]
        row["price_breaks"] = tuple(PriceBreak(**tier) for tier in tiers)
    if "product_name" in row:
        row["selected_options"] = row["selected_options"] or []
    return row

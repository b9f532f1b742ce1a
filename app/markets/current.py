"""The markets as they are now, in every process's memory."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from app import db
from app.configuration import Versioned
from app.errors import DomainError
from app.markets.terms import BuyingContext, Markets, MarketTerms, Wish

_ALL = """
    SELECT s.currency_code, s.countries, s.locale,
           EXISTS (SELECT FROM customer_group_price_lists) AS groups_have_prices,
           (
               SELECT json_agg(json_build_object(
                   'id', m.id, 'code', m.code, 'name', m.name, 'is_default', m.is_default,
                   'currency_code', coalesce(l.currency_code, s.currency_code),
                   'exchange_rate', coalesce(l.exchange_rate, 1)::text, 'price_list_id', m.price_list_id,
                   'languages', m.languages, 'prices_include_tax', m.prices_include_tax,
                   'minimum_order_minor', m.minimum_order_minor, 'rounding_minor', m.rounding_minor,
                   'countries', (
                       SELECT coalesce(json_agg(c.country_code ORDER BY c.country_code), '[]')
                       FROM market_countries c WHERE c.market_id = m.id
                   ),
                   'hides_products', EXISTS (SELECT FROM market_hidden_products h WHERE h.market_id = m.id)
               ) ORDER BY m.is_default DESC, m.position, m.id)
               FROM markets m LEFT JOIN price_lists l ON l.id = m.price_list_id
           ) AS markets
    FROM shop s WHERE s.id = 1
"""


async def _load() -> Markets | None:
    row = await db.fetchrow(_ALL)
    if row is None or row["markets"] is None:
        return None
    sold_to = frozenset(row["countries"])
    stored = orjson.loads(row["markets"])
    taken = {country for market in stored for country in market["countries"]}
    terms = []
    for market in stored:
        countries = sorted(sold_to - taken) if market["is_default"] else market.pop("countries")
        market.pop("countries", None)
        terms.append(_terms(market, [c for c in countries if not sold_to or c in sold_to], row))
    by_country = {country: market for market in terms for country in market.country_codes if not market.is_default}
    return Markets(tuple(terms), sold_to, row["groups_have_prices"], by_country)


def _terms(stored: dict[str, Any], countries: Sequence[str], shop: db.Record) -> MarketTerms:
    price_list_id = stored["price_list_id"]
    return MarketTerms(
        **{
            **stored,
            "id": uuid.UUID(stored["id"]),
            "price_list_id": uuid.UUID(price_list_id) if price_list_id else None,
            "exchange_rate": Decimal(stored["exchange_rate"]),
            "languages": tuple(stored["languages"] or [shop["locale"]]),
        },
        country_codes=tuple(countries),
        shop_currency_code=shop["currency_code"],
    )


MARKETS = Versioned("markets", _load)
"""None where there is no shop."""


async def at(version: int | None) -> Markets:
    """The markets of the version that a statement of the caller's has just read."""
    markets = await MARKETS.at(version)
    if markets is None:
        raise RuntimeError("the shop has no row; migrations make one")
    return markets


async def now() -> Markets:
    """The markets as they are, for one statement."""
    return (await now_with_version())[1]


async def now_with_version() -> tuple[int | None, Markets]:
    """The same, and their version."""
    version, markets = await MARKETS.current_with_version()
    if markets is None:
        raise RuntimeError("the shop has no row; migrations make one")
    return version, markets


async def resolve(wishes: Sequence[Wish] = (), *, customer_id: uuid.UUID | None = None) -> BuyingContext | None:
    """Where somebody is, by what this process knows of the markets: whoever reads prices reads the version with them,
    and asks `again` when it is another one.

    Raises:
        DomainError: CURRENCY_NOT_OFFERED.
    """
    version, markets = await MARKETS.known()
    if markets is None:
        # Nobody would tell of a shop that came since: where nothing is asked of a market, no version is read.
        version, markets = await MARKETS.current_with_version()
    if markets is None:
        return None
    try:
        return markets.resolve(wishes, version=version, customer_id=customer_id)
    except DomainError:
        # Nobody is refused by what has changed meanwhile: the currency may be a new market's.
        version, markets = await now_with_version()
        return markets.resolve(wishes, version=version, customer_id=customer_id)


async def again(context: BuyingContext, version: int | None) -> BuyingContext:
    """The same somebody, with the markets of this version. Raises DomainError(CURRENCY_NOT_OFFERED)."""
    markets = await at(version)
    return markets.resolve(context.wishes, version=version, customer_id=context.customer_id)

"""Staff make and change markets."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypedDict

import asyncpg

from app import db
from app.alerts import watching
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.problems import MAX_INT, Problems
from app.markets import current
from app.markets.checking import (
    MAX_ROUNDING_MINOR,
    checked_code,
    checked_countries,
    checked_languages,
    minor_units,
)
from app.markets.errors import MarketErrorCode
from app.markets.terms import Markets, MarketTerms

MAX_MARKETS = 200
MAX_NAME_CHARS = 120
MAX_BATCH = 250
# Markets are few, and a country belongs to one of them: whoever changes any sees what others did before.
_LOCK = 0x6D61_726B


class MarketGiven(TypedDict, total=False):
    """What is left out stays as it is, or is as usual for a new one. Amounts are in the market's currency."""

    name: str | None
    code: str | None
    countries: Sequence[str] | None
    currency_code: str | None
    """For whoever wants to be sure: it has to be the price list's, or the shop's without one."""
    price_list_id: uuid.UUID | None
    languages: Sequence[str] | None
    prices_include_tax: bool | None
    minimum_order: Decimal | None
    cash_rounding: Decimal | None
    position: int | None


@dataclass(frozen=True, slots=True)
class _Market:
    code: str = ""
    name: str = ""
    price_list_id: uuid.UUID | None = None
    languages: tuple[str, ...] = ()
    prices_include_tax: bool = False
    minimum_order_minor: int | None = None
    rounding_minor: int = 1
    position: int = 0


async def create_market(given: MarketGiven) -> uuid.UUID:
    """Raises DomainErrors with all that is wrong, each with its field below `input`: REQUIRED, INVALID, TOO_LONG,
    TOO_MANY, OUT_OF_RANGE, NOT_FOUND for the price list, CONFLICT for the code, COUNTRY_IN_ANOTHER_MARKET,
    PRICE_LIST_REQUIRED."""
    async with db.unit_of_work():
        markets = await _locked()
        if len(markets.terms) >= MAX_MARKETS:
            raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has at most {MAX_MARKETS} markets.", ["input"])
        problems = Problems()
        if not given.get("code"):
            problems.add(CommonErrorCode.REQUIRED, "A code is needed.", "code")
        market_id = new_id()
        market = await _edited(problems, _Market(), {**given, "name": given.get("name")}, markets, None)
        problems.raise_if_any()
        await db.execute(
            """
            INSERT INTO markets (id, code, name, price_list_id, languages, prices_include_tax, minimum_order_minor,
                                 rounding_minor, position, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, business_now(), business_now())
            """,
            market_id,
            *_columns(market),
        )
        await _set_countries(market_id, given.get("countries") or [])
    return market_id


async def update_market(market_id: uuid.UUID, given: MarketGiven) -> None:
    """As `create_market`; and NOT_FOUND at `id`, DEFAULT_MARKET for countries of the default one."""
    async with db.unit_of_work():
        markets = await _locked()
        terms = next((market for market in markets.terms if market.id == market_id), None)
        if terms is None:
            raise not_found("market", ["id"])
        problems = Problems()
        row = await db.fetchrow(
            """
            SELECT code, name, price_list_id, languages, prices_include_tax, minimum_order_minor, rounding_minor,
                   position
            FROM markets WHERE id = $1
            """,
            market_id,
        )
        before = _Market(**{**(row or {}), "languages": tuple((row or {})["languages"])})
        after = await _edited(problems, before, given, markets, terms)
        if terms.is_default and given.get("countries") is not None:
            message = "The default market has every country that no other one has."
            problems.add(MarketErrorCode.DEFAULT_MARKET, message, "countries")
        problems.raise_if_any()
        if after != before:
            await db.execute(
                """
                UPDATE markets
                SET code = $2, name = $3, price_list_id = $4, languages = $5, prices_include_tax = $6,
                    minimum_order_minor = $7, rounding_minor = $8, position = $9, updated_at = business_now()
                WHERE id = $1
                """,
                market_id,
                *_columns(after),
            )
            if after.price_list_id != before.price_list_id:
                await watching.repriced_in(market_id)
        if given.get("countries") is not None:
            await _set_countries(market_id, given["countries"] or [])


async def delete_market(market_id: uuid.UUID) -> None:
    """Its countries and its open carts are the default market's then. Raises DomainError: NOT_FOUND, DEFAULT_MARKET."""
    async with db.unit_of_work():
        market = next((market for market in (await _locked()).terms if market.id == market_id), None)
        if market is None:
            raise not_found("market", ["id"])
        if market.is_default:
            raise DomainError(MarketErrorCode.DEFAULT_MARKET, "The default market stays.", ["id"])
        await watching.repriced_in(market_id)
        await db.execute("DELETE FROM markets WHERE id = $1", market_id)


async def set_visibility(market_id: uuid.UUID, product_ids: Sequence[uuid.UUID], *, hidden: bool) -> None:
    """Hide products in a market, where they are as if there were none, or show them again.

    Raises:
        DomainError: TOO_MANY, NOT_FOUND for the market (at `id`) or for products (at `productIds` and the place).
    """
    if len(product_ids) > MAX_BATCH:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_BATCH} products at once.", ["productIds"])
    async with db.unit_of_work():
        if not await db.fetchval("SELECT EXISTS (SELECT FROM markets WHERE id = $1 FOR SHARE)", market_id):
            raise not_found("market", ["id"])
        rows = await db.fetch("SELECT id FROM products WHERE id = ANY($1::uuid[])", list(product_ids))
        known = {row["id"] for row in rows}
        problems = Problems()
        for place, product_id in enumerate(product_ids):
            if product_id not in known:
                problems.note(not_found("product", ["productIds", place]))
        problems.raise_if_any()
        if hidden:
            await db.execute(
                """
                INSERT INTO market_hidden_products (market_id, product_id)
                SELECT $1, product_id FROM unnest($2::uuid[]) AS product_id ORDER BY product_id
                ON CONFLICT DO NOTHING
                """,
                market_id,
                list(product_ids),
            )
        else:
            await db.execute(
                "DELETE FROM market_hidden_products WHERE market_id = $1 AND product_id = ANY($2::uuid[])",
                market_id,
                list(product_ids),
            )


async def _locked() -> Markets:
    await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    return await current.now()


def _columns(market: _Market) -> tuple[object, ...]:
    return (
        market.code,
        market.name,
        market.price_list_id,
        list(market.languages),
        market.prices_include_tax,
        market.minimum_order_minor,
        market.rounding_minor,
        market.position,
    )


async def _edited(
    problems: Problems, before: _Market, given: Mapping[str, object], markets: Markets, terms: MarketTerms | None
) -> _Market:
    values: MarketGiven = given  # type: ignore[assignment]
    market = before
    if "name" in values:
        name = problems.required_line(values["name"], "A name", "name", max_chars=MAX_NAME_CHARS)
        market = replace(market, name=name)
    if code := values.get("code"):
        market = replace(market, code=checked_code(problems, code))
        if any(other.code == code and other is not terms for other in markets.terms):
            problems.add(CommonErrorCode.CONFLICT, "Another market has this code.", "code")
    if (countries := values.get("countries")) is not None:
        _check_countries(problems, checked_countries(problems, countries, markets.sold_to), markets, terms)
    if (languages := values.get("languages")) is not None:
        market = replace(market, languages=tuple(checked_languages(problems, languages)))
    if (includes := values.get("prices_include_tax")) is not None:
        market = replace(market, prices_include_tax=includes)
    if (position := values.get("position")) is not None:
        if not 0 <= position <= MAX_INT:
            problems.add(CommonErrorCode.OUT_OF_RANGE, "A position is zero or more.", "position")
        else:
            market = replace(market, position=position)
    return await _with_amounts(problems, market, values, markets, terms)


def _check_countries(problems: Problems, countries: Sequence[str], markets: Markets, terms: MarketTerms | None) -> None:
    for place, country_code in enumerate(countries):
        other = markets.by_country.get(country_code)
        if other is not None and other is not terms:
            message = f"{country_code} belongs to {other.name}."
            problems.add(MarketErrorCode.COUNTRY_IN_ANOTHER_MARKET, message, "countries", place)


async def _with_amounts(
    problems: Problems, market: _Market, given: MarketGiven, markets: Markets, terms: MarketTerms | None
) -> _Market:
    """The price list decides on the currency, and so on what amounts mean: those of another one are given up."""
    shop_currency = markets.default.shop_currency_code
    currency = terms.currency_code if terms else shop_currency
    if "price_list_id" in given:
        list_id, currency = given["price_list_id"], shop_currency
        if list_id is not None:
            row = await db.fetchrow("SELECT currency_code FROM price_lists WHERE id = $1 FOR SHARE", list_id)
            if row is None:
                problems.note(not_found("price list", ["input", "priceListId"]))
            else:
                currency = row["currency_code"]
        market = replace(market, price_list_id=list_id)
        if terms is not None and currency != terms.currency_code:
            market = replace(market, minimum_order_minor=None, rounding_minor=1)
    if (wanted := given.get("currency_code")) is not None and wanted != currency:
        message = f"For prices in {wanted}, give a price list in it; this market's prices are in {currency}."
        problems.add(MarketErrorCode.PRICE_LIST_REQUIRED, message, "currencyCode")
    if "minimum_order" in given:
        least = given["minimum_order"]
        amount = None if least is None else minor_units(problems, least, currency, "minimumOrder")
        market = replace(market, minimum_order_minor=amount)
    if "cash_rounding" in given:
        step = given["cash_rounding"]
        amount = 1
        if step is not None:
            amount = minor_units(problems, step, currency, "cashRounding", least=1, most=MAX_ROUNDING_MINOR)
        market = replace(market, rounding_minor=amount)
    return market


async def _set_countries(market_id: uuid.UUID, countries: Sequence[str]) -> None:
    await db.execute(
        "DELETE FROM market_countries WHERE market_id = $1 AND country_code <> ALL($2)", market_id, countries
    )
    try:
        await db.execute(
            """
            INSERT INTO market_countries (country_code, market_id) SELECT code, $1 FROM unnest($2::text[]) AS code
            WHERE NOT EXISTS (SELECT FROM market_countries WHERE country_code = code AND market_id = $1)
            """,
            market_id,
            list(dict.fromkeys(countries)),
        )
    except asyncpg.UniqueViolationError:
        # One that the shop does not sell to any more is still another market's.
        message = "One of the countries belongs to another market."
        raise DomainError(MarketErrorCode.COUNTRY_IN_ANOTHER_MARKET, message, ["input", "countries"]) from None

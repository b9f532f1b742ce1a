"""Markets as everybody sees them, and where the one who asks is."""

from decimal import Decimal

import strawberry

from app.kit import ids
from app.kit.money import Money as Minor
from app.markets.terms import BuyingContext, MarketTerms
from schema.money import Money
from schema.nodes import Node
from schema.scalars import CountryCode, CurrencyCode

MARKET_PREFIX, LIST_PREFIX, GROUP_PREFIX = "mkt", "plist", "cgrp"


@strawberry.type(
    description="A part of the world that the shop sells to on the same terms: in one currency, at the same prices."
)
class Market(Node):
    code: str = strawberry.field(description="Its name for programs, such as `eu`; unique.")
    name: str = strawberry.field(description="Its name for people.")
    is_default: bool = strawberry.field(description="Whether it has every country that no other market has.")
    currency_code: CurrencyCode = strawberry.field(description="What its prices are in.")
    countries: list[CountryCode] = strawberry.field(
        description="Where it sells to. Empty in the default market of a shop that sells everywhere else."
    )
    languages: list[str] = strawberry.field(description="Tags such as `de-CH`, the default language first.")
    prices_include_tax: bool = strawberry.field(description="Whether prices are shown with their tax in them.")
    minimum_order: Money | None = strawberry.field(description="What an order has to come to at least, if anything.")
    cash_rounding: Money = strawberry.field(description="Totals are a multiple of it: 0.05 CHF, 0.01 EUR, 1 JPY.")
    price_list_id: strawberry.ID | None = strawberry.field(
        description="Its price list; null where the shop's own prices hold."
    )

    @classmethod
    def of(cls, terms: MarketTerms) -> "Market":
        least = terms.minimum_order_minor
        return cls(
            id=strawberry.ID(ids.encode(MARKET_PREFIX, terms.id)),
            code=terms.code,
            name=terms.name,
            is_default=terms.is_default,
            currency_code=CurrencyCode(terms.currency_code),
            countries=[CountryCode(country) for country in terms.country_codes],
            languages=list(terms.languages),
            prices_include_tax=terms.prices_include_tax,
            minimum_order=None if least is None else Money.of(least, terms.currency_code),
            cash_rounding=Money.of(terms.rounding_minor, terms.currency_code),
            price_list_id=None
            if terms.price_list_id is None
            else strawberry.ID(ids.encode(LIST_PREFIX, terms.price_list_id)),
        )


@strawberry.type(description="A country that the shop sells to, for a selector of countries.")
class AvailableCountry:
    code: CountryCode = strawberry.field(description="ISO 3166-1 alpha-2.")
    name: str = strawberry.field(description="In the language that the request asks for.")
    currency_code: CurrencyCode = strawberry.field(description="What prices are in there.")
    market: Market = strawberry.field(description="Its market.")


@strawberry.type(description="Where the one who asks is, and on which terms they buy. See the directive `@inContext`.")
class Localization:
    country_code: CountryCode | None = strawberry.field(
        description="The country that was said; null when none was, or the shop does not sell there."
    )
    market: Market = strawberry.field(description="The market that it comes to.")
    currency_code: CurrencyCode = strawberry.field(description="What prices are in.")
    language: str = strawberry.field(description="The market's language that comes nearest to what was asked for.")
    prices_include_tax: bool = strawberry.field(description="Whether tax lies in the prices that are shown.")
    available_countries: list[AvailableCountry] = strawberry.field(
        description="Everywhere that the shop sells to, by name."
    )

    @classmethod
    def of(cls, buying: BuyingContext, available: list[AvailableCountry]) -> "Localization":
        country, market = buying.country_code, Market.of(buying.market)
        return cls(
            country_code=CountryCode(country) if country else None,
            market=market,
            currency_code=market.currency_code,
            language=buying.language,
            prices_include_tax=market.prices_include_tax,
            available_countries=available,
        )


def decimal_of(amount_minor: int, currency: str) -> Decimal:
    return Minor(amount_minor, currency).decimal

"""`localization` for everybody; markets for staff."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, cast

import strawberry

from app.addresses.countries import countries_by_name
from app.kit import ids
from app.markets import current, service
from app.markets.service import MarketGiven
from app.markets.terms import Markets
from app.staff.permissions import Permission
from schema.access import PUBLIC, STAFF, mutation, query
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields
from schema.markets.types import LIST_PREFIX, MARKET_PREFIX, AvailableCountry, Localization, Market
from schema.nodes import Node, node_loader
from schema.scalars import CountryCode, CurrencyCode
from schema.selection import Selection

UNSET = strawberry.UNSET
MarketId = Annotated[strawberry.ID, strawberry.argument(description="Id of the market.")]
ProductIds = Annotated[list[strawberry.ID], strawberry.argument(description="Ids of up to 250 products.")]


@strawberry.input(description="A market. What is left out stays as it is, or as usual in a new one.")
class MarketInput:
    name: str | None = strawberry.field(default=UNSET, description="For people; needed in a new one.")
    code: str | None = strawberry.field(
        default=UNSET, description="For programs: small letters, digits and hyphens; needed in a new one."
    )
    countries: list[CountryCode] | None = strawberry.field(
        default=UNSET, description="Where it sells to; each country is in one market. Not of the default market."
    )
    currency_code: CurrencyCode | None = strawberry.field(
        default=UNSET,
        description="To be sure of the currency, which is the price list's, or the shop's without one: another one is "
        "refused with PRICE_LIST_REQUIRED.",
    )
    price_list_id: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description="Its price list, which decides on its currency; null for the shop's own prices. With another "
        "currency, a minimum order and a rounding that are not given anew are gone.",
    )
    languages: list[str] | None = strawberry.field(
        default=UNSET, description="Tags such as `de-CH`, the default one first; empty for the shop's own."
    )
    prices_include_tax: bool | None = strawberry.field(
        default=UNSET, description="Whether prices have their tax in them; false unless said."
    )
    minimum_order: Decimal | None = strawberry.field(
        default=UNSET, description="What an order has to come to, in the market's currency; null for anything."
    )
    cash_rounding: Decimal | None = strawberry.field(
        default=UNSET, description="Totals become a multiple of it: `0.05` in Switzerland; null for the smallest unit."
    )
    position: int | None = strawberry.field(
        default=UNSET, description="Of markets with the same currency, the lowest is taken for it."
    )

    def given(self) -> MarketGiven:
        values = given_fields(self)
        if list_id := values.get("price_list_id"):
            values["price_list_id"] = ids.decode(LIST_PREFIX, list_id, ["input", "priceListId"])
        return cast(MarketGiven, values)


@strawberry.type(description="Answer to `marketCreate`, `marketUpdate`, `marketProductsHide` and `marketProductsShow`.")
class MarketPayload:
    market: Market | None = strawberry.field(default=None, description="The market as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `marketDelete`.")
class MarketDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the market that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _market(market_id: uuid.UUID) -> Market | None:
    found = (market for market in (await current.now()).terms if market.id == market_id)
    return next((Market.of(market) for market in found), None)


def available_countries(markets: Markets, language: str) -> list[AvailableCountry]:
    """Everywhere that the shop sells to, by name in that language."""
    shown = {market.id: Market.of(market) for market in markets.terms}
    return [
        AvailableCountry(
            code=CountryCode(code),
            name=name,
            currency_code=CurrencyCode(market.currency_code),
            market=shown[market.id],
        )
        for code, name in countries_by_name(language)
        if markets.sells_to(code)
        for market in (markets.of_country(code),)
    ]


@node_loader(MARKET_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> list[Node | None]:
    """Markets are for everybody."""
    wanted = [ids.decode(MARKET_PREFIX, text, ["id"]) for text in texts]
    markets = {market.id: Market.of(market) for market in (await current.now()).terms}
    return [markets.get(market_id) for market_id in wanted]


@strawberry.type
class MarketQueries:
    @query(
        access=PUBLIC,
        description="Where you are, as the directive `@inContext`, the headers `X-Country`, `X-Currency` and "
        "`Accept-Language` and your account say, and everywhere else that the shop sells to.",
    )
    async def localization(self, info: Info) -> Localization:
        buying = info.context.buying
        version, markets = await current.now_with_version()
        wishes, customer_id = (buying.wishes, buying.customer_id) if buying else ((), None)
        seen = markets.resolve(wishes, version=version, customer_id=customer_id)
        wanted = "availableCountries" in Selection.of(info)
        return Localization.of(seen, available_countries(markets, seen.language) if wanted else [])

    @query(access=PUBLIC, description="Every market, the default one first.")
    async def markets(self, info: Info) -> list[Market]:
        return [Market.of(market) for market in (await current.now()).terms]

    @query(access=PUBLIC, description="One market; null when there is none with this id.")
    async def market(self, info: Info, id: MarketId) -> Market | None:
        return await _market(ids.decode(MARKET_PREFIX, id, ["id"]))


@strawberry.type
class MarketMutations:
    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Sell to some countries on terms of their own.")
    async def market_create(
        self, info: Info, input: Annotated[MarketInput, strawberry.argument(description="The new market.")]
    ) -> MarketPayload:
        return MarketPayload(market=await _market(await service.create_market(input.given())))

    @mutation(
        access=STAFF(Permission.MARKETS_WRITE),
        description="Change a market. Open carts in it have its new prices at once.",
    )
    async def market_update(
        self,
        info: Info,
        id: MarketId,
        input: Annotated[MarketInput, strawberry.argument(description="What changes.")],
    ) -> MarketPayload:
        market_id = ids.decode(MARKET_PREFIX, id, ["id"])
        await service.update_market(market_id, input.given())
        return MarketPayload(market=await _market(market_id))

    @mutation(
        access=STAFF(Permission.MARKETS_WRITE),
        description="Give up a market: its countries and open carts are the default market's then, which itself stays.",
    )
    async def market_delete(self, info: Info, id: MarketId) -> MarketDeletePayload:
        await service.delete_market(ids.decode(MARKET_PREFIX, id, ["id"]))
        return MarketDeletePayload(deleted_id=id)

    @mutation(
        access=STAFF(Permission.MARKETS_WRITE),
        description="Hide products in a market: there, nobody finds or buys them, and carts that have them say so.",
    )
    async def market_products_hide(self, info: Info, id: MarketId, product_ids: ProductIds) -> MarketPayload:
        return await _set_visibility(id, product_ids, hidden=True)

    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Show products in a market again.")
    async def market_products_show(self, info: Info, id: MarketId, product_ids: ProductIds) -> MarketPayload:
        return await _set_visibility(id, product_ids, hidden=False)


async def _set_visibility(id: str, product_ids: Sequence[str], *, hidden: bool) -> MarketPayload:
    market_id = ids.decode(MARKET_PREFIX, id, ["id"])
    products = [ids.decode("prod", text, ["productIds", place]) for place, text in enumerate(product_ids)]
    await service.set_visibility(market_id, products, hidden=hidden)
    return MarketPayload(market=await _market(market_id))

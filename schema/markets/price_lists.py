"""Price lists, for staff."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import field
from decimal import Decimal
from typing import Annotated, Any, cast

import strawberry

from app.kit import ids
from app.kit.pagination import PageRequest, encode_cursor, page_of, page_request
from app.markets import price_lists, queries
from app.markets.price_lists import PriceGiven, PriceKey, PriceListGiven
from app.markets.queries import StoredPrice, StoredPriceList
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.catalogue import ProductVariant, load_variants
from schema.connections import Connection
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields
from schema.markets.types import LIST_PREFIX, decimal_of
from schema.money import Money, MoneyInput
from schema.nodes import Node, node_loader
from schema.scalars import CurrencyCode
from schema.selection import Selection, selection_check

UNSET = strawberry.UNSET
ORDER = "list_prices"
ListId = Annotated[strawberry.ID, strawberry.argument(description="Id of the price list.")]
PageArguments = tuple[int | None, str | None]
"""`first` and `after`."""


@strawberry.type(description="To what adjusted prices are rounded: the nearest multiple of `to`, and `ending` on top.")
class PriceRounding:
    to: Decimal = strawberry.field(description="Such as 1.00, 0.05, 10.")
    ending: Decimal = strawberry.field(description="Such as 0.99, 0.95; 0 for the multiple itself.")


@strawberry.type(description="What a variant costs in a list, instead of the adjusted price of the shop.")
class PriceListPrice:
    variant_id: strawberry.ID = strawberry.field(description="Of what.")
    variant: ProductVariant | None = strawberry.field(
        description="Of what, with the shop's own price; null where it is not yours to see."
    )
    minimum_quantity: int = strawberry.field(description="From this many units of the variant on.")
    price: Money = strawberry.field(description="What each unit costs then.")
    compare_at_price: Money | None = strawberry.field(description="What it cost before.")


def _prices(
    self: "PriceList",
    first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = UNSET,
    after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = UNSET,
) -> Connection[PriceListPrice]:
    return self.pages[None if first is UNSET else first, after or None]


@strawberry.type(
    description="Prices in one currency, for markets and groups of customers: own ones of some variants, and for all "
    "others the shop's prices, adjusted, at an exchange rate, rounded. So there always is one."
)
class PriceList(Node):
    name: str = strawberry.field(description="For staff.")
    currency_code: CurrencyCode = strawberry.field(description="What its prices are in.")
    adjustment_percentage: Decimal = strawberry.field(
        description="On the shop's prices: `-10` takes a tenth off, `5` puts a twentieth on."
    )
    exchange_rate: Decimal = strawberry.field(description="How much of its currency one unit of the shop's is.")
    rounding: PriceRounding | None = strawberry.field(
        description="To what adjusted prices are rounded, half up; null for the smallest unit of the currency."
    )
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it last changed; its own prices aside.")
    prices: Connection[PriceListPrice] = strawberry.field(resolver=_prices, description="Its own prices.")
    pages: strawberry.Private[dict[PageArguments, Connection[PriceListPrice]]] = field(default_factory=dict)


@strawberry.input(description="To what adjusted prices are rounded: the nearest multiple of `to`, and `ending` on top.")
class PriceRoundingInput:
    to: Decimal = strawberry.field(description="Such as 1.00, in the list's currency.")
    ending: Decimal | None = strawberry.field(default=UNSET, description="Such as 0.99; smaller than `to`.")


@strawberry.input(description="A price list. What is left out stays as it is.")
class PriceListUpdateInput:
    name: str | None = strawberry.field(default=UNSET, description="For staff.")
    adjustment_percentage: Decimal | None = strawberry.field(
        default=UNSET, description="On the shop's prices, above -100, up to 1000; `-10` takes a tenth off."
    )
    exchange_rate: Decimal | None = strawberry.field(
        default=UNSET,
        description="How much of its currency one unit of the shop's is, up to 12 digits after the point.",
    )
    rounding: PriceRoundingInput | None = strawberry.field(
        default=UNSET, description="To what adjusted prices are rounded; null for the smallest unit."
    )

    def given(self) -> PriceListGiven:
        values = given_fields(self)
        if self.rounding:
            values["rounding"] = {"to": self.rounding.to, "ending": self.rounding.ending or None}
        return cast(PriceListGiven, values)


@strawberry.input(description="A new price list.")
class PriceListCreateInput(PriceListUpdateInput):
    currency_code: CurrencyCode = strawberry.field(
        description="What its prices are in, for good. In another currency than the shop's it needs an exchange rate."
    )


@strawberry.input(description="What a variant costs in a list.")
class PriceListPriceInput:
    variant_id: strawberry.ID = strawberry.field(description="Of what.")
    minimum_quantity: int = strawberry.field(default=1, description="From this many units of the variant on.")
    price: MoneyInput = strawberry.field(description="What each unit costs then, in the list's currency.")
    compare_at_price: MoneyInput | None = strawberry.field(default=UNSET, description="What it cost before.")

    def given(self, place: int) -> PriceGiven:
        before = self.compare_at_price
        return PriceGiven(
            variant_id=ids.decode("var", self.variant_id, ["set", place, "variantId"]),
            min_quantity=self.minimum_quantity,
            price=self.price.parsed(["set", place, "price", "amount"]),
            compare_at_price=before.parsed(["set", place, "compareAtPrice", "amount"]) if before else None,
        )


@strawberry.input(description="A price to take out of a list.")
class PriceListPriceKeyInput:
    variant_id: strawberry.ID = strawberry.field(description="Of what.")
    minimum_quantity: int = strawberry.field(default=1, description="The quantity from which on it holds.")

    def given(self, place: int) -> PriceKey:
        return PriceKey(ids.decode("var", self.variant_id, ["delete", place, "variantId"]), self.minimum_quantity)


@strawberry.type(description="Answer to `priceListCreate`, `priceListUpdate` and `priceListPricesSet`.")
class PriceListPayload:
    price_list: PriceList | None = strawberry.field(default=None, description="The list as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `priceListDelete`.")
class PriceListDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the list that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def pages_of(selection: Selection) -> dict[PageArguments, tuple[PageRequest, Selection]]:
    """Pages of prices that are selected below a list. Raises DomainError(OUT_OF_RANGE | INVALID)."""
    pages: dict[PageArguments, tuple[PageRequest, Selection]] = {}
    for selected in selection.fields("prices"):
        arguments = (selected.arguments.get("first"), selected.arguments.get("after") or None)
        wanted = selected.selection
        if arguments in pages:
            wanted = wanted.joined(pages[arguments][1])
        request = page_request(*arguments, order=ORDER)
        request.cursor_id()
        pages[arguments] = (request, wanted)
    return pages


@selection_check("PriceList")
def _check(selection: Selection) -> None:
    pages_of(selection)


async def show_lists(info: Info, stored: Sequence[StoredPriceList], selection: Selection) -> list[PriceList]:
    pages = pages_of(selection)
    return [
        PriceList(
            id=strawberry.ID(ids.encode(LIST_PREFIX, one.id)),
            name=one.name,
            currency_code=CurrencyCode(one.currency_code),
            adjustment_percentage=_plain(one.adjustment_percentage),
            exchange_rate=_plain(one.exchange_rate),
            rounding=_rounding(one),
            created_at=one.created_at,
            updated_at=one.updated_at,
            pages={arguments: await _page(info, one, *page) for arguments, page in pages.items()},
        )
        for one in stored
    ]


def _plain(number: Decimal) -> Decimal:
    """Without the zeros that the column puts behind it, and never in exponents."""
    short = number.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def _rounding(stored: StoredPriceList) -> PriceRounding | None:
    if (stored.round_to_minor, stored.ending_minor) == (1, 0):
        return None
    currency = stored.currency_code
    return PriceRounding(
        to=decimal_of(stored.round_to_minor, currency), ending=decimal_of(stored.ending_minor, currency)
    )


async def _page(
    info: Info, stored: StoredPriceList, request: PageRequest, selection: Selection
) -> Connection[PriceListPrice]:
    rows = await queries.prices(stored.id, request)
    total = await queries.count_prices(stored.id) if "totalCount" in selection else None
    page = page_of(rows, [encode_cursor([row.id.hex], ORDER) for row in rows], request, total)
    variants: dict[uuid.UUID, ProductVariant] = {}
    if "variant" in selection.nodes():
        wanted = selection.nodes().below("variant")
        variants = await load_variants(info, list({row.variant_id for row in page.items}), wanted, off_sale_too=True)
    nodes = [_price(row, stored.currency_code, variants.get(row.variant_id)) for row in page.items]
    return Connection[PriceListPrice].of(page, nodes)


def _price(row: StoredPrice, currency: str, variant: ProductVariant | None) -> PriceListPrice:
    before = row.compare_at_price_minor
    return PriceListPrice(
        variant_id=strawberry.ID(ids.encode("var", row.variant_id)),
        variant=variant,
        minimum_quantity=row.min_quantity,
        price=Money.of(row.price_minor, currency),
        compare_at_price=None if before is None else Money.of(before, currency),
    )


async def _one(info: Info, list_id: uuid.UUID, selection: Selection) -> PriceList | None:
    return next(iter(await show_lists(info, await queries.price_lists([list_id]), selection)), None)


@node_loader(LIST_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> list[Node | None]:
    """Staff's own: for everybody else there are no price lists."""
    wanted: list[Any] = [ids.decode(LIST_PREFIX, text, ["id"]) for text in texts]
    if info.context.staff is None or not info.context.staff.may(Permission.MARKETS_WRITE):
        return [None for _ in texts]
    shown = {one.id: one for one in await show_lists(info, await queries.price_lists(wanted), selection)}
    return [shown.get(strawberry.ID(text)) for text in texts]


@strawberry.type
class PriceListQueries:
    @query(access=STAFF(Permission.MARKETS_WRITE), description="Every price list, by name.")
    async def price_lists(self, info: Info) -> list[PriceList]:
        return await show_lists(info, await queries.price_lists(), Selection.of(info))

    @query(access=STAFF(Permission.MARKETS_WRITE), description="One price list; null when there is none with this id.")
    async def price_list(self, info: Info, id: ListId) -> PriceList | None:
        return await _one(info, ids.decode(LIST_PREFIX, id, ["id"]), Selection.of(info))


@strawberry.type
class PriceListMutations:
    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Make a price list, for markets or groups.")
    async def price_list_create(
        self, info: Info, input: Annotated[PriceListCreateInput, strawberry.argument(description="The new list.")]
    ) -> PriceListPayload:
        list_id = await price_lists.create_price_list(input.given())
        return PriceListPayload(price_list=await _one(info, list_id, Selection.of(info).below("priceList")))

    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Change a price list. Open carts follow at once.")
    async def price_list_update(
        self,
        info: Info,
        id: ListId,
        input: Annotated[PriceListUpdateInput, strawberry.argument(description="What changes.")],
    ) -> PriceListPayload:
        list_id = ids.decode(LIST_PREFIX, id, ["id"])
        await price_lists.update_price_list(list_id, input.given())
        return PriceListPayload(price_list=await _one(info, list_id, Selection.of(info).below("priceList")))

    @mutation(
        access=STAFF(Permission.MARKETS_WRITE),
        description="Delete a price list with its prices; refused with PRICE_LIST_IN_USE while anything sells by it.",
    )
    async def price_list_delete(self, info: Info, id: ListId) -> PriceListDeletePayload:
        await price_lists.delete_price_list(ids.decode(LIST_PREFIX, id, ["id"]))
        return PriceListDeletePayload(deleted_id=id)

    @mutation(
        access=STAFF(Permission.MARKETS_WRITE),
        description="Set own prices of variants, and take others out: all of it, or nothing when anything is wrong. "
        "Up to 250 prices in one request.",
    )
    async def price_list_prices_set(
        self,
        info: Info,
        id: ListId,
        set: Annotated[
            list[PriceListPriceInput] | None,
            strawberry.argument(description="Prices; each takes the place of the one of its variant and quantity."),
        ] = UNSET,
        delete: Annotated[
            list[PriceListPriceKeyInput] | None, strawberry.argument(description="Prices to take out.")
        ] = UNSET,
    ) -> PriceListPayload:
        list_id = ids.decode(LIST_PREFIX, id, ["id"])
        given = [price.given(place) for place, price in enumerate(set or [])]
        gone = [key.given(place) for place, key in enumerate(delete or [])]
        await price_lists.set_prices(list_id, given, gone)
        return PriceListPayload(price_list=await _one(info, list_id, Selection.of(info).below("priceList")))

"""Markets, price lists and groups of customers, as rows."""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.kit import ids
from app.kit.money import Money
from app.markets import current, groups, price_lists, service
from app.markets.price_lists import PriceGiven, PriceListGiven


async def price_list(
    currency: str = "EUR",
    *,
    rate: str | None = "0.9",
    percentage: str = "0",
    to: str | None = None,
    ending: str | None = None,
) -> uuid.UUID:
    given = PriceListGiven(
        name=f"{currency} {uuid.uuid4().hex[:6]}",
        currency_code=currency,
        adjustment_percentage=Decimal(percentage),
        exchange_rate=None if rate is None else Decimal(rate),
    )
    if to is not None:
        given["rounding"] = {"to": Decimal(to), "ending": Decimal(ending) if ending else None}
    return await price_lists.create_price_list(given)


async def prices(list_id: uuid.UUID, variant_id: uuid.UUID, by_quantity: Mapping[int, tuple[str, str]]) -> None:
    """Own prices, each an amount and its currency."""
    given = [
        PriceGiven(variant_id, quantity, Money.from_decimal(Decimal(amount), currency), None)
        for quantity, (amount, currency) in by_quantity.items()
    ]
    await price_lists.set_prices(list_id, given, [])


async def market(
    code: str = "eu",
    countries: Sequence[str] = ("DE", "FR"),
    price_list_id: uuid.UUID | None = None,
    *,
    languages: Sequence[str] = ("de", "fr"),
    prices_include_tax: bool = False,
    minimum_order: str | None = None,
    cash_rounding: str | None = None,
) -> uuid.UUID:
    market_id = await service.create_market(
        {
            "code": code,
            "name": code.upper(),
            "countries": list(countries),
            "price_list_id": price_list_id,
            "languages": list(languages),
            "prices_include_tax": prices_include_tax,
            "minimum_order": Decimal(minimum_order) if minimum_order else None,
            "cash_rounding": Decimal(cash_rounding) if cash_rounding else None,
        }
    )
    await current.now()  # as `factories.shop` does
    return market_id


async def group(list_ids: Sequence[uuid.UUID], members: Sequence[uuid.UUID] = ()) -> uuid.UUID:
    group_id = await groups.create_group({"name": uuid.uuid4().hex[:8], "price_list_ids": list(list_ids)})
    await groups.add_members(group_id, list(members))
    await current.now()
    return group_id


def gid(market_id: uuid.UUID) -> str:
    return ids.encode("mkt", market_id)

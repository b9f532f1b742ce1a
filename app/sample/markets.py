"""Where the sample shop has prices of its own: Europe with tax in them, Switzerland without small coins, Japan without
decimals. Everywhere else it sells in US dollars."""

from decimal import Decimal

from app.markets import price_lists, service
from app.markets.price_lists import PriceListGiven
from app.markets.service import MarketGiven

_MARKETS: tuple[tuple[PriceListGiven, MarketGiven], ...] = (
    (
        {
            "name": "Euro",
            "currency_code": "EUR",
            # Tax is in these prices, and is not in those of the shop.
            "adjustment_percentage": Decimal(12),
            "exchange_rate": Decimal("0.92"),
            "rounding": {"to": Decimal(1), "ending": Decimal("0.95")},
        },
        {
            "name": "Europe",
            "code": "eu",
            "countries": ["AT", "DE", "FR", "NL"],
            "languages": ["en", "de", "fr", "nl"],
            "prices_include_tax": True,
        },
    ),
    (
        {
            "name": "Swiss franc",
            "currency_code": "CHF",
            "adjustment_percentage": Decimal(10),
            "exchange_rate": Decimal("0.88"),
            "rounding": {"to": Decimal("0.05"), "ending": None},
        },
        {
            "name": "Switzerland",
            "code": "ch",
            "countries": ["CH"],
            "languages": ["en", "de-CH", "fr-CH", "it-CH"],
            "prices_include_tax": True,
            "cash_rounding": Decimal("0.05"),
        },
    ),
    (
        {
            "name": "Yen",
            "currency_code": "JPY",
            "adjustment_percentage": Decimal(10),
            "exchange_rate": Decimal(150),
            "rounding": {"to": Decimal(100), "ending": Decimal(80)},
        },
        {
            "name": "Japan",
            "code": "jp",
            "countries": ["JP"],
            "languages": ["en", "ja"],
            "prices_include_tax": True,
            "minimum_order": Decimal(3000),
        },
    ),
)


async def make_markets() -> None:
    """In the open unit of work; the shop sells to all of their countries."""
    for prices, market in _MARKETS:
        await service.create_market({**market, "price_list_id": await price_lists.create_price_list(prices)})

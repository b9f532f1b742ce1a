"""Markets, price lists and groups of customers."""

from schema.markets.groups import CustomerGroupMutations, CustomerGroupQueries
from schema.markets.operations import MarketMutations, MarketQueries
from schema.markets.price_lists import PriceListMutations, PriceListQueries

__all__ = [
    "CustomerGroupMutations",
    "CustomerGroupQueries",
    "MarketMutations",
    "MarketQueries",
    "PriceListMutations",
    "PriceListQueries",
]

"""Shipping: quotes for shoppers, zones and methods for staff."""

from schema.shipping.pickup import PickupQueries
from schema.shipping.quotes import QuoteQueries
from schema.shipping.zones import ZoneMutations, ZoneQueries

__all__ = ["PickupQueries", "QuoteQueries", "ZoneMutations", "ZoneQueries"]

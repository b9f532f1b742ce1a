"""Fulfilment and tracking: what staff ship, and what shoppers see of it, as a query and live."""

from schema.fulfillments.operations import FulfillmentMutations
from schema.fulfillments.tracking import FulfillmentQueries, FulfillmentSubscriptions
from schema.fulfillments.types import Fulfillment, load_fulfillments

__all__ = [
    "Fulfillment",
    "FulfillmentMutations",
    "FulfillmentQueries",
    "FulfillmentSubscriptions",
    "load_fulfillments",
]

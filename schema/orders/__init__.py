"""Orders in the schema. Other domains show them with `OrderView`."""

from schema.orders.operations import OrderMutations, OrderQueries
from schema.orders.showing import OrderView
from schema.orders.types import Order

__all__ = ["Order", "OrderMutations", "OrderQueries", "OrderView"]

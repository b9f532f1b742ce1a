"""Carts in the schema. Checkouts and orders show their amounts and attributes with the same types."""

import schema.inventory.errors  # a cart can be refused with them
import schema.terms.errors  # noqa: F401  # a cart can be refused with them
from schema.cart.costs import CartCost, CartLineCost, OrderLineCost
from schema.cart.discounts import AppliedDiscount, CartDiscountCode
from schema.cart.operations import CartMutations, CartQueries
from schema.cart.showing import CartView
from schema.cart.types import Attribute, Cart, CartLine

__all__ = [
    "AppliedDiscount",
    "Attribute",
    "Cart",
    "CartCost",
    "CartDiscountCode",
    "CartLine",
    "CartLineCost",
    "CartMutations",
    "CartQueries",
    "CartView",
    "OrderLineCost",
]

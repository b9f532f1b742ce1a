"""What a cart tells its shopper without refusing anything."""

from dataclasses import dataclass
from enum import Enum

from app.cart.snapshots import CartLineSnapshot


class WarningCode(Enum):
    QUANTITY_CLAMPED = "QUANTITY_CLAMPED"
    QUANTITY_UNAVAILABLE = "QUANTITY_UNAVAILABLE"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    NOT_FOR_SALE = "NOT_FOR_SALE"
    COUNTRY_NOT_SERVED = "COUNTRY_NOT_SERVED"
    CART_NOT_FOUND = "CART_NOT_FOUND"
    CART_NOT_MERGED = "CART_NOT_MERGED"


@dataclass(frozen=True, slots=True)
class CartWarning:
    """`field` is the path of the argument that it is about; `available_quantity` belongs to those about stock."""

    code: WarningCode
    message: str
    field: list[str] | None = None
    available_quantity: int | None = None


def line_warnings(line: CartLineSnapshot, wanted_of_variant: int) -> list[CartWarning]:
    """What has changed about a line since it was put into the cart.

    Args:
        wanted_of_variant: units of the same variant in all of the cart's lines, which draw on the same stock.
    """
    if not line.for_sale:
        return [CartWarning(WarningCode.NOT_FOR_SALE, "This is no longer sold.")]
    limit = line.stock_limit
    if limit is None or wanted_of_variant <= limit:
        return []
    if limit == 0:
        return [CartWarning(WarningCode.OUT_OF_STOCK, "This is out of stock at the moment.", available_quantity=0)]
    message = f"Only {limit} of these are in stock now."
    return [CartWarning(WarningCode.QUANTITY_UNAVAILABLE, message, available_quantity=limit)]

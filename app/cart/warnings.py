"""What a cart tells its shopper without refusing anything."""

from dataclasses import dataclass
from enum import Enum

from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.markets.terms import MarketTerms
from app.terms.rules import NO_TERMS


class WarningCode(Enum):
    QUANTITY_CLAMPED = "QUANTITY_CLAMPED"
    QUANTITY_UNAVAILABLE = "QUANTITY_UNAVAILABLE"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    NOT_FOR_SALE = "NOT_FOR_SALE"
    COUNTRY_NOT_SERVED = "COUNTRY_NOT_SERVED"
    MARKET_CHANGED = "MARKET_CHANGED"
    CART_NOT_FOUND = "CART_NOT_FOUND"
    CART_NOT_MERGED = "CART_NOT_MERGED"
    QUANTITY_NOT_ALLOWED = "QUANTITY_NOT_ALLOWED"
    CUSTOMIZATION_UNAVAILABLE = "CUSTOMIZATION_UNAVAILABLE"
    CUSTOMIZATION_REPRICED = "CUSTOMIZATION_REPRICED"
    REGION_RESTRICTED = "REGION_RESTRICTED"
    NOT_RESERVED = "NOT_RESERVED"
    CHECKOUT_NOT_MERGED = "CHECKOUT_NOT_MERGED"
    COMPANY_LEFT = "COMPANY_LEFT"


@dataclass(frozen=True, slots=True)
class CartWarning:
    """`field` is the path of the argument that it is about; `available_quantity` belongs to those about stock."""

    code: WarningCode
    message: str
    field: list[str] | None = None
    available_quantity: int | None = None


def market_changed(market: MarketTerms, field: list[str] | None = None) -> CartWarning:
    """Told when a cart gets into another market, or its order would."""
    message = f"The prices are those of {market.name} now, in {market.currency_code}."
    return CartWarning(WarningCode.MARKET_CHANGED, message, field or ["countryCode"])


def cart_warnings(cart: CartSnapshot) -> list[CartWarning]:
    """What is to be known of a cart as a whole whenever it is looked at."""
    if not cart.has_left_company:
        return []
    message = "This is priced as for anybody: its account does not buy for the company any more."
    return [CartWarning(WarningCode.COMPANY_LEFT, message)]


def line_warnings(line: CartLineSnapshot, wanted_of_variant: int) -> list[CartWarning]:
    """What has changed about a line since it was put into the cart.

    Args:
        wanted_of_variant: units of the same variant in all of the cart's lines, which draw on the same stock.
    """
    if not line.for_sale:
        message = "This is not sold in this country." if line.is_hidden else "This is no longer sold."
        return [CartWarning(WarningCode.NOT_FOR_SALE, message)]
    limit = line.stock_limit
    if limit is None or wanted_of_variant <= limit:
        return []
    if limit == 0:
        return [CartWarning(WarningCode.OUT_OF_STOCK, "This is out of stock at the moment.", available_quantity=0)]
    message = f"Only {limit} of these are in stock now."
    return [CartWarning(WarningCode.QUANTITY_UNAVAILABLE, message, available_quantity=limit)]


def terms_warnings(
    line: CartLineSnapshot, wanted_of_product: int, destination: tuple[str | None, str | None]
) -> list[CartWarning]:
    """What keeps a line from being ordered by the terms that it is sold on, and what costs something else by now.

    Args:
        wanted_of_product: units in all of the cart's lines of the product.
        destination: country and province, as far as they are known.
    """
    if line.terms is NO_TERMS and not line.customizations:
        return []
    warnings = []
    if problem := line.terms.quantity_problem(wanted_of_product):
        warnings.append(CartWarning(WarningCode.QUANTITY_NOT_ALLOWED, problem.message))
    customized = line.customized
    warnings += [CartWarning(WarningCode.CUSTOMIZATION_UNAVAILABLE, problem.message) for problem in customized.problems]
    if customized.repriced:
        message = "What is made to order costs something else than when it was put into the cart."
        warnings.append(CartWarning(WarningCode.CUSTOMIZATION_REPRICED, message))
    country, province = destination
    if country and not line.terms.sold_to(country, province):
        warnings.append(CartWarning(WarningCode.REGION_RESTRICTED, "This is not sold where it would go to."))
    return warnings

"""What a cart costs, by the one function that prices orders too."""

from app.cart.snapshots import CartSnapshot
from app.pricing.amounts import LineToPrice, PricingInput, PricingResult, ShippingToPrice
from app.pricing.rules import price


def price_cart(cart: CartSnapshot, shipping: ShippingToPrice | None = None) -> PricingResult:
    """Lines keep their ids as text. Raises DomainError(TOTAL_TOO_LARGE)."""
    lines = tuple(
        LineToPrice(id=str(line.id), quantity=line.quantity, unit_price_minor=line.unit_price_minor)
        for line in cart.lines
    )
    return price(PricingInput(currency=cart.currency_code, lines=lines, shipping=shipping))

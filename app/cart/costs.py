"""What a cart costs, by the one function that prices orders too."""

from app.cart.snapshots import CartSnapshot
from app.pricing.amounts import LineToPrice, PriceBreak, PricingInput, ShippingToPrice
from app.pricing.results import PricingResult
from app.pricing.rules import price
from app.promotions.rules import Applied, Buyer, apply


def discounts_of(cart: CartSnapshot) -> Applied:
    """What applies to the cart as it stands, and a word on each of its codes."""
    subtotal = sum(line.unit_price_minor * line.quantity for line in cart.lines)
    buyer = Buyer(email=cart.email, phone=cart.phone, profile_id=cart.profile_id)
    return apply(cart.discounts, cart.discount_codes, buyer, subtotal, cart.currency_code)


def price_cart(
    cart: CartSnapshot, shipping: ShippingToPrice | None = None, applied: Applied | None = None
) -> PricingResult:
    """Lines keep their ids as text, and discounts theirs.

    Args:
        applied: of `discounts_of`, where the caller has it already.

    Raises:
        DomainError: TOTAL_TOO_LARGE.
    """
    lines = tuple(
        LineToPrice(
            id=str(line.id),
            variant_key=str(line.variant_id),
            quantity=line.quantity,
            price_breaks=(PriceBreak(1, line.unit_price_minor),),
        )
        for line in cart.lines
    )
    discounts = (applied or discounts_of(cart)).discounts
    return price(PricingInput(currency=cart.currency_code, lines=lines, discounts=discounts, shipping=shipping))

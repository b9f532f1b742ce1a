"""Amounts of carts, checkouts and orders: all of them come out of the one pricing function."""

import strawberry

from app.pricing.results import PricedLine, PricingResult
from schema.money import Money


@strawberry.type(
    description="What it costs: total = subtotal - discount + shipping + tax. Where prices include tax "
    "(`taxIncluded`), the tax lies inside the other amounts and is not added."
)
class CartCost:
    subtotal: Money = strawberry.field(description="The lines, before discounts.")
    discount: Money = strawberry.field(description="What discounts take off the lines.")
    shipping: Money = strawberry.field(description="Shipping, after its discounts; zero until a way to ship is chosen.")
    tax: Money = strawberry.field(description="Tax on lines and shipping.")
    tax_included: bool = strawberry.field(description="Whether the tax lies inside the prices.")
    total: Money = strawberry.field(description="What is to be paid.")

    @classmethod
    def of(cls, priced: PricingResult) -> "CartCost":
        return cls.of_amounts(
            priced.currency,
            subtotal_minor=priced.subtotal_minor,
            discount_minor=priced.discount_minor,
            shipping_minor=priced.shipping_minor,
            tax_minor=priced.tax_minor,
            tax_included=priced.tax_included,
            total_minor=priced.total_minor,
        )

    @classmethod
    def of_amounts(
        cls,
        currency: str,
        *,
        subtotal_minor: int,
        discount_minor: int,
        shipping_minor: int,
        tax_minor: int,
        tax_included: bool,
        total_minor: int,
    ) -> "CartCost":
        """From amounts as an order keeps them."""
        return cls(
            subtotal=Money.of(subtotal_minor, currency),
            discount=Money.of(discount_minor, currency),
            shipping=Money.of(shipping_minor, currency),
            tax=Money.of(tax_minor, currency),
            tax_included=tax_included,
            total=Money.of(total_minor, currency),
        )


@strawberry.type(description="What a line costs: total = subtotal - discount.")
class CartLineCost:
    unit_price: Money = strawberry.field(description="One unit, by the catalogue's price at this moment.")
    subtotal: Money = strawberry.field(description="Unit price times quantity.")
    discount: Money = strawberry.field(description="The line's part of the discounts.")
    total: Money = strawberry.field(description="Subtotal less discount.")

    @classmethod
    def of(cls, line: PricedLine, currency: str) -> "CartLineCost":
        return cls(
            unit_price=Money.of(line.unit_price_minor, currency),
            subtotal=Money.of(line.subtotal_minor, currency),
            discount=Money.of(line.discount_minor, currency),
            total=Money.of(line.total_minor, currency),
        )

"""Refusals by the terms of sale, as clients see them."""

import strawberry

from app.terms.errors import AgeRestricted, MinimumOrderNotReached, QuantityNotAllowed
from schema.errors import UserError, error_type
from schema.money import Money


@error_type(
    QuantityNotAllowed,
    lambda error: {"minimum": error.minimum, "maximum": error.maximum, "multiple_of": error.multiple_of},
)
@strawberry.type(description="The product is sold in other quantities only.")
class QuantityNotAllowedError(UserError):
    minimum: int | None = strawberry.field(description="At least so many; null for any number.")
    maximum: int | None = strawberry.field(description="At most so many; null for any number.")
    multiple_of: int | None = strawberry.field(description="Multiples of this number only; null for any number.")


@error_type(AgeRestricted, lambda error: {"minimum_age": error.minimum_age})
@strawberry.type(description="Something in the cart is sold from an age on.")
class AgeRestrictedError(UserError):
    minimum_age: int = strawberry.field(description="Years that the buyer has to have.")


@error_type(
    MinimumOrderNotReached,
    lambda error: {
        "minimum_order": Money.of(error.minimum.amount_minor, error.minimum.currency),
        "missing": Money.of(error.missing.amount_minor, error.missing.currency),
    },
)
@strawberry.type(description="The goods are worth less than the smallest order.")
class MinimumOrderNotReachedError(UserError):
    minimum_order: Money = strawberry.field(description="What the goods have to be worth, after discounts.")
    missing: Money = strawberry.field(description="How much is missing to that.")

"""What a client can hear about the terms that something is sold on."""

from collections.abc import Sequence

from app.errors import DomainError, ErrorCode
from app.kit.money import Money


class TermsErrorCode(ErrorCode):
    CUSTOMIZATION_UNKNOWN = "The product has no such customization, or no such choice in it."
    CUSTOMIZATION_REQUIRED = "The product is made to order and needs this customization."
    CUSTOMIZATION_INVALID = "The customization's value is not one that it takes; the message says why."
    QUANTITY_NOT_ALLOWED = (
        "The product is sold in other quantities only; `minimum`, `maximum` and `multipleOf` say in which."
    )
    AGE_RESTRICTED = "Something in the cart is sold from an age on, which the buyer has not confirmed or not reached."
    REGION_RESTRICTED = "The product is not sold to this country or province."
    MINIMUM_ORDER_NOT_REACHED = "The goods are worth less than the smallest order; `missing` says how much."


class QuantityNotAllowed(DomainError):  # noqa: N818 - named after what happened
    """Units are counted over all of the cart's lines of the product."""

    def __init__(
        self,
        message: str,
        field: Sequence[str | int] | None = None,
        *,
        minimum: int | None,
        maximum: int | None,
        multiple_of: int | None,
    ) -> None:
        super().__init__(TermsErrorCode.QUANTITY_NOT_ALLOWED, message, field)
        self.minimum = minimum
        self.maximum = maximum
        self.multiple_of = multiple_of


class AgeRestricted(DomainError):  # noqa: N818 - named after what happened
    def __init__(self, message: str, field: Sequence[str | int] | None = None, *, minimum_age: int) -> None:
        super().__init__(TermsErrorCode.AGE_RESTRICTED, message, field)
        self.minimum_age = minimum_age


class MinimumOrderNotReached(DomainError):  # noqa: N818 - named after what happened
    def __init__(
        self, message: str, field: Sequence[str | int] | None = None, *, minimum: Money, missing: Money
    ) -> None:
        super().__init__(TermsErrorCode.MINIMUM_ORDER_NOT_REACHED, message, field)
        self.minimum = minimum
        self.missing = missing

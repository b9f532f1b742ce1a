"""What a client can have got wrong about shipping."""

from collections.abc import Sequence

from pydantic import ValidationError

from app.errors import DomainError, ErrorCode
from app.kit.problems import errors_of_model


class ShippingErrorCode(ErrorCode):
    DESTINATION_NOT_SERVED = "The shop does not ship to this destination."
    NO_SHIPPING_METHOD = "The shop ships there, but by no method that takes these items, by weight or by value."
    QUOTE_INVALID = "This is not a shipping quote of this shop."
    QUOTE_EXPIRED = "The shipping quote has expired; ask for new ones."
    QUOTE_NOT_APPLICABLE = "The shipping quote was made for other items, another destination or another currency."


_NAMES = {
    "price_minor": "price",
    "per_item_minor": "perItem",
    "free_from_minor": "freeFrom",
    "from_minor": "fromSubtotal",
}
"""Amounts are minor units in here and decimals outside."""


def as_domain_errors(problem: ValidationError, at: Sequence[str | int] = ()) -> list[DomainError]:
    """A typed model's refusals, with the paths of the GraphQL input (`rate`, `brackets`, `0`, `upToGrams`)."""
    return errors_of_model(problem, at, _NAMES)

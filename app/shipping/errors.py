"""What a client can have got wrong about shipping."""

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from app.errors import CommonErrorCode, DomainError, ErrorCode


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
    problems = problem.errors(include_url=False, include_context=False)
    inner = {error["loc"][:depth] for error in problems for depth in range(len(error["loc"]))}
    errors = []
    for error in problems:
        if error["loc"] in inner:
            continue  # Only says that something below it is wrong, which has its own error.
        # A tagged union puts its tag into the path; clients do not send it as a level of its own.
        names = [part for part in error["loc"] if part != str(part).upper()]
        path = [part if isinstance(part, int) else _NAMES.get(part, to_camel(part)) for part in names]
        message = error["msg"].removeprefix("Value error, ")
        errors.append(DomainError(CommonErrorCode.INVALID, message, [*at, *path]))
    return errors

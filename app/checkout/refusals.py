"""Refusals as they are kept with an attempt, to be told again word for word."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson

from app.checkout.errors import AmountDueChanged, TotalChanged
from app.errors import DomainError, ErrorCode
from app.inventory.errors import InsufficientStock
from app.kit.money import Money
from app.terms.errors import AgeRestricted, MinimumOrderNotReached, QuantityNotAllowed


def to_json(errors: Sequence[DomainError]) -> str:
    return orjson.dumps([_stored(error) for error in errors]).decode()


def from_json(text: str) -> list[DomainError]:
    return [_restored(stored) for stored in orjson.loads(text)]


def _stored(error: DomainError) -> dict[str, Any]:
    stored: dict[str, Any] = {"code": error.code.name, "message": error.message, "field": error.field}
    if isinstance(error, InsufficientStock):
        stored["available_quantity"] = error.available_quantity
    elif isinstance(error, TotalChanged):
        stored["total"] = [error.total.amount_minor, error.total.currency]
    elif isinstance(error, AmountDueChanged):
        stored["due"] = [error.due.amount_minor, error.due.currency]
    elif isinstance(error, QuantityNotAllowed):
        stored["quantities"] = [error.minimum, error.maximum, error.multiple_of]
    elif isinstance(error, AgeRestricted):
        stored["minimum_age"] = error.minimum_age
    elif isinstance(error, MinimumOrderNotReached):
        stored["minimum_order"] = [error.minimum.amount_minor, error.missing.amount_minor, error.missing.currency]
    return stored


def _restored(stored: dict[str, Any]) -> DomainError:
    message, field = stored["message"], stored["field"]
    if "available_quantity" in stored:
        return InsufficientStock(stored["available_quantity"], message, field)
    if "total" in stored:
        return TotalChanged(Money(*stored["total"]), message, field)
    if "due" in stored:
        return AmountDueChanged(Money(*stored["due"]), message, field)
    if "quantities" in stored:
        minimum, maximum, multiple_of = stored["quantities"]
        return QuantityNotAllowed(message, field, minimum=minimum, maximum=maximum, multiple_of=multiple_of)
    if "minimum_age" in stored:
        return AgeRestricted(message, field, minimum_age=stored["minimum_age"])
    if "minimum_order" in stored:
        least, missing, currency = stored["minimum_order"]
        amounts = Money(least, currency), Money(missing, currency)
        return MinimumOrderNotReached(message, field, minimum=amounts[0], missing=amounts[1])
    return DomainError(_codes()[stored["code"]], message, field)


@cache
def _codes() -> dict[str, ErrorCode]:
    """Every domain's codes by name; they are unique over the domains (the schema's enum makes sure of it)."""
    return {name: code for codes in ErrorCode.__subclasses__() for name, code in codes.__members__.items()}

"""Refusals as they are kept with an attempt, to be told again word for word."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson

from app.checkout.errors import AmountDueChanged, TotalChanged
from app.errors import DomainError, ErrorCode
from app.inventory.errors import InsufficientStock
from app.kit.money import Money


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
    return stored


def _restored(stored: dict[str, Any]) -> DomainError:
    message, field = stored["message"], stored["field"]
    if "available_quantity" in stored:
        return InsufficientStock(stored["available_quantity"], message, field)
    if "total" in stored:
        return TotalChanged(Money(*stored["total"]), message, field)
    if "due" in stored:
        return AmountDueChanged(Money(*stored["due"]), message, field)
    return DomainError(_codes()[stored["code"]], message, field)


@cache
def _codes() -> dict[str, ErrorCode]:
    """Every domain's codes by name; they are unique over the domains (the schema's enum makes sure of it)."""
    return {name: code for codes in ErrorCode.__subclasses__() for name, code in codes.__members__.items()}

"""When what is sold is delivered: now, from a date on, or once it is back in stock. Pure; SQL says the same in
`queries.availability_column`."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol


class AvailabilityStatus(StrEnum):
    IN_STOCK = "IN_STOCK"
    PRE_ORDER = "PRE_ORDER"
    BACK_ORDER = "BACK_ORDER"
    SOLD_OUT = "SOLD_OUT"


class Dated(Protocol):
    """What a variant says of its dates and its stock."""

    @property
    def available_from(self) -> datetime | None: ...
    @property
    def restock_expected_at(self) -> datetime | None: ...
    @property
    def stock_limit(self) -> int | None: ...
    @property
    def available_quantity(self) -> int: ...
    @property
    def track_inventory(self) -> bool: ...
    @property
    def for_sale(self) -> bool: ...


def availability(variant: Dated, units: int, now: datetime) -> tuple[AvailabilityStatus, datetime | None]:
    """How `units` of a variant, over all lines that want it, can be had; and from when on, where that is known.

    An order that needs more than there is waits as a whole: it is back-ordered.
    """
    coming = max(filter(None, (variant.available_from, variant.restock_expected_at)), default=None)
    limit = variant.stock_limit
    if not variant.for_sale or (limit is not None and limit < units):
        return AvailabilityStatus.SOLD_OUT, coming if coming and coming > now and variant.for_sale else None
    if variant.available_from and variant.available_from > now:
        return AvailabilityStatus.PRE_ORDER, variant.available_from
    if variant.track_inventory and variant.available_quantity < units:
        expected = variant.restock_expected_at
        return AvailabilityStatus.BACK_ORDER, expected if expected and expected > now else None
    return AvailabilityStatus.IN_STOCK, None


def expected_at(variant: Dated, units: int, now: datetime) -> datetime | None:
    """From when on it can be sent; None for now, and where nobody knows."""
    return availability(variant, units, now)[1]

"""What an order keeps of its taxes and discounts, read back as pricing made it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from app.pricing.amounts import DiscountTarget
from app.pricing.results import DiscountAllocation, TaxLine

Stored = Iterable[Mapping[str, Any]]


def taxes(stored: Stored) -> list[TaxLine]:
    """Of `tax_lines` and the like."""
    return [TaxLine(**{**tax, "rate": Decimal(tax["rate"])}) for tax in stored]


def discounts(stored: Stored) -> list[DiscountAllocation]:
    """Of a line's `discounts`."""
    return [DiscountAllocation(**{**part, "target": DiscountTarget(part["target"])}) for part in stored]


def discounts_of_order(stored: Stored) -> list[DiscountAllocation]:
    """Of an order's `discounts`; those of earlier releases came off the goods."""
    return [
        DiscountAllocation(
            discount_id=used["id"],
            label=used["name"],
            code=used["code"],
            amount_minor=used["amount_minor"],
            target=DiscountTarget(used.get("target", DiscountTarget.MERCHANDISE)),
        )
        for used in stored
    ]

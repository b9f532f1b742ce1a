"""Who may buy a product, where it may go, and in which quantities. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.terms.customizations import Customization, read
from app.terms.errors import QuantityNotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTerms:
    """Quantities are units of the product over all lines of an order, whatever their variants.

    Attributes:
        minimum_age: years, None where anybody may buy it.
        allowed_regions: `US`, or `US-CA` for a province; empty allows all but the forbidden ones.
    """

    customizations: tuple[Customization, ...] = ()
    minimum_quantity: int | None = None
    maximum_quantity: int | None = None
    quantity_step: int | None = None
    minimum_age: int | None = None
    allowed_regions: frozenset[str] = frozenset()
    forbidden_regions: frozenset[str] = frozenset()

    def sold_to(self, country: str, province: str | None) -> bool:
        """Where the province is not known yet, it may turn out to be one that is allowed."""
        place = f"{country}-{province}"
        if country in self.forbidden_regions or (province and place in self.forbidden_regions):
            return False
        if not self.allowed_regions or country in self.allowed_regions:
            return True
        if province:
            return place in self.allowed_regions
        return any(region.startswith(f"{country}-") for region in self.allowed_regions)

    def quantity_problem(self, units: int) -> QuantityNotAllowed | None:
        """What is wrong with that many units; without a path."""
        low, high, step = self.minimum_quantity, self.maximum_quantity, self.quantity_step
        if high is not None and units > high:
            message = f"At most {high} of these can be ordered at once."
        elif low is not None and units < low:
            message = f"At least {low} of these have to be ordered."
        elif step is not None and units % step:
            message = f"These are sold in multiples of {step}."
        else:
            return None
        return QuantityNotAllowed(message, minimum=low, maximum=high, multiple_of=step)


NO_TERMS = ProductTerms()


def terms_of(stored: Mapping[str, Any] | None) -> ProductTerms:
    """Of a row of `product_terms`, or of none."""
    if stored is None:
        return NO_TERMS
    return ProductTerms(
        customizations=read(stored["customizations"]),
        minimum_quantity=stored["minimum_quantity"],
        maximum_quantity=stored["maximum_quantity"],
        quantity_step=stored["quantity_step"],
        minimum_age=stored["minimum_age"],
        allowed_regions=frozenset(stored["allowed_regions"]),
        forbidden_regions=frozenset(stored["forbidden_regions"]),
    )


def highest_age(terms: Iterable[ProductTerms]) -> int | None:
    """The age from which on all of it may be bought."""
    return max((one.minimum_age for one in terms if one.minimum_age is not None), default=None)


def age_on(born: date, today: date) -> int:
    """Whole years. Who was born on 29 February is a year older from 1 March on where the year has no such day."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

"""What a shipping method costs: typed rates, as stored in a method's `rate`, and their arithmetic.

    {"kind": "FLAT", "price_minor": 599, "free_from_minor": 7500}
    {"kind": "PER_ITEM", "price_minor": 300, "per_item_minor": 150}
    {"kind": "BY_WEIGHT", "brackets": [{"up_to_grams": 2000, "price_minor": 500}, {"up_to_grams": null, …}]}
    {"kind": "BY_SUBTOTAL", "brackets": [{"from_minor": 0, "price_minor": 900}, {"from_minor": 5000, …}]}

Only what has to be shipped counts, in weight, pieces and subtotal. Stored amounts are minor units of the shop's
currency; `in_currency` makes a market's of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from app.kit.money import MAX_AMOUNT_MINOR

MAX_BRACKETS = 100
MAX_WEIGHT_GRAMS = 100_000_000

Amount: TypeAlias = Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR, strict=True)]
Grams: TypeAlias = Annotated[int, Field(ge=0, le=MAX_WEIGHT_GRAMS, strict=True)]


@dataclass(frozen=True, slots=True)
class Consignment:
    """What there is to ship, added up."""

    item_count: int
    weight_grams: int
    subtotal_minor: int


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _BaseRate(_Strict):
    free_from_minor: Amount | None = None
    """A subtotal from which on it costs nothing."""
    min_weight_grams: Grams | None = None
    max_weight_grams: Grams | None = None
    """Lighter or heavier orders are not taken."""

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        low, high = self.min_weight_grams, self.max_weight_grams
        if low is not None and high is not None and low > high:
            raise ValueError("the lowest weight exceeds the highest")
        return self

    def _gross_minor(self, consignment: Consignment) -> int | None:
        raise NotImplementedError

    def price_minor_of(self, consignment: Consignment) -> int | None:
        """The price, or None where the method does not take the consignment."""
        if self.min_weight_grams is not None and consignment.weight_grams < self.min_weight_grams:
            return None
        if self.max_weight_grams is not None and consignment.weight_grams > self.max_weight_grams:
            return None
        gross = self._gross_minor(consignment)
        if gross is None or self.free_from_minor is None or consignment.subtotal_minor < self.free_from_minor:
            return gross
        return 0


class FlatRate(_BaseRate):
    kind: Literal["FLAT"] = "FLAT"
    price_minor: Amount

    def _gross_minor(self, consignment: Consignment) -> int | None:
        return self.price_minor


class PerItemRate(_BaseRate):
    """`price_minor` once, and `per_item_minor` for each piece."""

    kind: Literal["PER_ITEM"] = "PER_ITEM"
    price_minor: Amount = 0
    per_item_minor: Amount

    def _gross_minor(self, consignment: Consignment) -> int | None:
        return self.price_minor + self.per_item_minor * consignment.item_count


class WeightBracket(_Strict):
    up_to_grams: Grams | None
    """Inclusive; None in the last bracket takes any weight."""
    price_minor: Amount


class WeightRate(_BaseRate):
    """The first bracket that is heavy enough; what is heavier than the last is not taken."""

    kind: Literal["BY_WEIGHT"] = "BY_WEIGHT"
    brackets: Annotated[tuple[WeightBracket, ...], Field(min_length=1, max_length=MAX_BRACKETS)]

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        bounds = [bracket.up_to_grams for bracket in self.brackets]
        known = [bound for bound in bounds if bound is not None]
        if None in bounds[:-1]:
            raise ValueError("only the last bracket can be without a weight")
        if any(low >= high for low, high in pairwise(known)):
            raise ValueError("brackets go from the lightest to the heaviest, each weight once")
        return self

    def _gross_minor(self, consignment: Consignment) -> int | None:
        for bracket in self.brackets:
            if bracket.up_to_grams is None or consignment.weight_grams <= bracket.up_to_grams:
                return bracket.price_minor
        return None


class SubtotalBracket(_Strict):
    from_minor: Amount
    """Inclusive."""
    price_minor: Amount


class SubtotalRate(_BaseRate):
    """The last bracket that the subtotal reaches; what is below the first is not taken."""

    kind: Literal["BY_SUBTOTAL"] = "BY_SUBTOTAL"
    brackets: Annotated[tuple[SubtotalBracket, ...], Field(min_length=1, max_length=MAX_BRACKETS)]

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        bounds = [bracket.from_minor for bracket in self.brackets]
        if any(low >= high for low, high in pairwise(bounds)):
            raise ValueError("brackets go from the lowest subtotal to the highest, each once")
        return self

    def _gross_minor(self, consignment: Consignment) -> int | None:
        reached = [bracket for bracket in self.brackets if consignment.subtotal_minor >= bracket.from_minor]
        return reached[-1].price_minor if reached else None


_AMOUNTS = ("price_minor", "per_item_minor", "free_from_minor", "from_minor")


def in_currency(
    rate: FlatRate | PerItemRate | WeightRate | SubtotalRate, convert: Callable[[int], int]
) -> FlatRate | PerItemRate | WeightRate | SubtotalRate:
    """The rate in a market's currency: every amount by itself, prices and thresholds alike."""

    def converted(model: BaseModel) -> dict[str, int]:
        amounts = {name: getattr(model, name, None) for name in _AMOUNTS}
        return {name: convert(amount) for name, amount in amounts.items() if amount is not None}

    changed: dict[str, object] = {**converted(rate)}
    if isinstance(rate, (WeightRate, SubtotalRate)):
        # Not checked again: thresholds that were apart may round to the same amount, of which the last one counts.
        changed["brackets"] = tuple(step.model_copy(update=converted(step)) for step in rate.brackets)
    return rate.model_copy(update=changed)


Rate: TypeAlias = Annotated[FlatRate | PerItemRate | WeightRate | SubtotalRate, Field(discriminator="kind")]
RATE: TypeAdapter[FlatRate | PerItemRate | WeightRate | SubtotalRate] = TypeAdapter(Rate)
"""Reads and writes a method's `rate`. Raises pydantic's ValidationError, which says what is wrong where."""

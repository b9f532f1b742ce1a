"""On which terms products are sold, as clients see them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import strawberry

from app.terms.customizations import Chosen, Customization, read
from app.terms.dates import AvailabilityStatus
from app.terms.models import CustomizationType
from schema.enums import describe_enum
from schema.money import Money

describe_enum(
    CustomizationType,
    "How a customization is asked for.",
    TEXT="One line of text.",
    TEXTAREA="Text of several lines.",
    CHOICE="One of `choices`.",
    CHECKBOX="Yes or no: `true` or `false`.",
    NUMBER="A number, such as a length.",
    DATE="A day, as YYYY-MM-DD.",
)
describe_enum(
    AvailabilityStatus,
    "Whether something can be ordered, and when it is delivered.",
    IN_STOCK="It is there.",
    PRE_ORDER="It can be ordered ahead of the day from which on it is delivered.",
    BACK_ORDER="It can be ordered and is delivered once it is back in stock.",
    SOLD_OUT="It cannot be ordered now.",
)


@strawberry.type(description="Whether something can be ordered, and when it is there.")
class Availability:
    status: AvailabilityStatus = strawberry.field(description="Whether it can be ordered.")
    expected_at: dt.datetime | None = strawberry.field(
        description="From when on it is delivered; null for at once, and where nobody knows."
    )


@strawberry.type(description="In which quantities a product is sold, over all of a cart's lines of it.")
class QuantityRule:
    minimum: int = strawberry.field(description="At least so many.")
    maximum: int | None = strawberry.field(description="At most so many; null for any number.")
    multiple_of: int = strawberry.field(description="Multiples of this number only.")


@strawberry.type(description="One of the things that a customization can be.")
class CustomizationChoice:
    value: str = strawberry.field(description="What to send with a cart's line.")
    label: str = strawberry.field(description="What to show.")
    price: Money = strawberry.field(description="For each unit, on top of the customization's own price.")


@strawberry.type(description="Something that is made to order, such as an engraving.")
class ProductCustomization:
    key: str = strawberry.field(description="Its name for programs, unique within the product.")
    label: str = strawberry.field(description="Its name for people.")
    type: CustomizationType = strawberry.field(description="How it is asked for.")
    required: bool = strawberry.field(description="Whether the product cannot be bought without it.")
    price: Money = strawberry.field(description="For each unit, once it is asked for.")
    choices: list[CustomizationChoice] = strawberry.field(description="For CHOICE: what there is to choose from.")
    max_length: int | None = strawberry.field(description="For texts: the most characters that it takes.")
    minimum: str | None = strawberry.field(description="For NUMBER and DATE: the least that it takes.")
    maximum: str | None = strawberry.field(description="For NUMBER and DATE: the most that it takes.")

    @classmethod
    def of(cls, one: Customization, currency: str, exchange: Callable[[int], int]) -> "ProductCustomization":
        """
        Args:
            exchange: from minor units of the shop's currency to those of this one.
        """
        return cls(
            key=one.key,
            label=one.label,
            type=one.type,
            required=one.required,
            price=Money.of(exchange(one.price_minor), currency),
            choices=[
                CustomizationChoice(
                    value=choice.value, label=choice.label, price=Money.of(exchange(choice.price_minor), currency)
                )
                for choice in one.choices
            ],
            max_length=one.max_length,
            minimum=one.minimum,
            maximum=one.maximum,
        )


@strawberry.type(description="What was chosen of a customization, with what it costs.")
class LineCustomization:
    key: str = strawberry.field(description="Which customization.")
    label: str = strawberry.field(description="Its name for people.")
    value: str = strawberry.field(description="What was given.")
    display_value: str = strawberry.field(description="The same for people: of a choice its label.")
    price: Money = strawberry.field(description="For each unit of the line.")

    @classmethod
    def of(cls, chosen: Chosen, currency: str) -> "LineCustomization":
        return cls(
            key=chosen.key,
            label=chosen.label,
            value=chosen.value,
            display_value=chosen.shown,
            price=Money.of(chosen.price_minor, currency),
        )


def customizations_of(
    stored: Sequence[Mapping[str, Any]], currency: str, exchange: Callable[[int], int]
) -> list[ProductCustomization]:
    """See `ProductCustomization.of`."""
    return [ProductCustomization.of(one, currency, exchange) for one in read(stored)]


def availability_of(document: Mapping[str, Any]) -> Availability:
    expected = document["expected_at"]
    return Availability(
        status=AvailabilityStatus(document["status"]),
        expected_at=None if expected is None else dt.datetime.fromisoformat(expected),
    )

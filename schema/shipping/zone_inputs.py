"""What staff send to change zones and methods; amounts become minor units here, everything else is checked below."""

import datetime as dt
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import strawberry

from app.kit import ids
from app.kit.money import Money
from app.shipping.zone_editing import MethodDraft, ZoneDraft
from schema.enums import describe_enum

Field = list[str | int]

METHOD_PREFIX = "smethod"


class ShippingRateKind(Enum):
    FLAT = "FLAT"
    PER_ITEM = "PER_ITEM"
    BY_WEIGHT = "BY_WEIGHT"
    BY_SUBTOTAL = "BY_SUBTOTAL"


describe_enum(
    ShippingRateKind,
    "How a shipping method is priced. Only what needs shipping counts.",
    FLAT="One price: `price`.",
    PER_ITEM="`price` once, and `perItem` for each piece.",
    BY_WEIGHT="By `brackets` of weight: the first with `upToGrams` not below the order's weight.",
    BY_SUBTOTAL="By `brackets` of value: the last with `fromSubtotal` not above the order's subtotal.",
)


class Weekday(IntEnum):
    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


describe_enum(Weekday, "A day of the week.", **{day.name: f"{day.name.title()}." for day in Weekday})


@strawberry.input(description="A country or a part of it. With provinces and postal codes, one of each has to match.")
class ShippingLocationInput:
    country: str = strawberry.field(description="ISO 3166-1 alpha-2, or `*` for wherever no other zone ships.")
    provinces: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Codes or names of states, provinces or prefectures."
    )
    postal_codes: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Codes (`SW1A 1AA`), prefixes (`SW1*`) and ranges (`10000-19999`, `100-0001 - 102-9999`).",
    )

    def stored(self) -> dict[str, Any]:
        return {
            "country": self.country,
            "provinces": self.provinces or [],
            "postal_codes": self.postal_codes or [],
        }


@strawberry.input(description="A step of a rate by weight or by subtotal.")
class ShippingBracketInput:
    price: Decimal = strawberry.field(description="Price within it, in the shop's currency.")
    up_to_grams: int | None = strawberry.field(
        default=strawberry.UNSET, description="For weights: up to and including; left out in the last for any weight."
    )
    from_subtotal: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="For subtotals: from this one on."
    )


@strawberry.input(description="What a method costs.")
class ShippingRateInput:
    kind: ShippingRateKind = strawberry.field(description="How it is priced.")
    price: Decimal | None = strawberry.field(default=strawberry.UNSET, description="For `FLAT` and `PER_ITEM`.")
    per_item: Decimal | None = strawberry.field(default=strawberry.UNSET, description="For `PER_ITEM`.")
    brackets: list[ShippingBracketInput] | None = strawberry.field(
        default=strawberry.UNSET, description="For `BY_WEIGHT` and `BY_SUBTOTAL`, from the lowest to the highest."
    )
    free_from: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="A subtotal from which on it costs nothing."
    )
    min_weight_grams: int | None = strawberry.field(
        default=strawberry.UNSET, description="Lighter orders are not taken."
    )
    max_weight_grams: int | None = strawberry.field(
        default=strawberry.UNSET, description="Heavier orders are not taken."
    )

    def stored(self, currency: str, at: Field) -> dict[str, Any]:
        """As `app.shipping.rates` reads it. Raises DomainError(INVALID | OUT_OF_RANGE) for amounts."""

        def minor(amount: Decimal | None, *name: str | int) -> int | None:
            if amount is None or amount is strawberry.UNSET:
                return None
            return Money.from_decimal(amount, currency, [*at, *name]).amount_minor

        brackets = None
        if _given(self.brackets):
            brackets = [
                _sent(
                    price_minor=minor(bracket.price, "brackets", place, "price"),
                    up_to_grams=bracket.up_to_grams,
                    from_minor=minor(bracket.from_subtotal, "brackets", place, "fromSubtotal"),
                )
                for place, bracket in enumerate(self.brackets or [])
            ]
            if self.kind is ShippingRateKind.BY_WEIGHT:
                brackets = [{"up_to_grams": None, **bracket} for bracket in brackets]
        return _sent(
            kind=self.kind.value,
            price_minor=minor(self.price, "price"),
            per_item_minor=minor(self.per_item, "perItem"),
            brackets=brackets,
            free_from_minor=minor(self.free_from, "freeFrom"),
            min_weight_grams=self.min_weight_grams,
            max_weight_grams=self.max_weight_grams,
        )


def _given(value: object) -> bool:
    return value is not None and value is not strawberry.UNSET


def _sent(**values: Any) -> dict[str, Any]:
    """Only what the client sent."""
    return {name: value for name, value in values.items() if _given(value)}


@strawberry.input(description="How long a method takes, in working days.")
class ShippingDeliveryInput:
    transit_days_min: int = strawberry.field(description="The carrier's shortest time.")
    transit_days_max: int = strawberry.field(description="The carrier's longest time.")
    handling_days_min: int = strawberry.field(default=0, description="The warehouse's shortest time to hand over.")
    handling_days_max: int = strawberry.field(default=1, description="The warehouse's longest time to hand over.")
    cutoff: str = strawberry.field(
        default="14:00", description="Local time, `HH:MM`: what is ordered later is handled on the next working day."
    )
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET, description="Such as `Europe/Berlin`, where it is not the warehouse's own."
    )
    handling_weekdays: list[Weekday] | None = strawberry.field(
        default=strawberry.UNSET, description="When the warehouse hands over; Monday to Friday when left out."
    )
    transit_weekdays: list[Weekday] | None = strawberry.field(
        default=strawberry.UNSET, description="When the carrier delivers; Monday to Friday when left out."
    )
    holidays: list[dt.date] | None = strawberry.field(
        default=strawberry.UNSET, description="Days on which neither works."
    )

    def stored(self) -> dict[str, Any]:
        return _sent(
            transit_days_min=self.transit_days_min,
            transit_days_max=self.transit_days_max,
            handling_days_min=self.handling_days_min,
            handling_days_max=self.handling_days_max,
            cutoff=self.cutoff,
            time_zone=self.time_zone,
            handling_weekdays=self.handling_weekdays,
            transit_weekdays=self.transit_weekdays,
            holidays=self.holidays,
        )


@strawberry.input(description="A way to ship within a zone.")
class ShippingMethodInput:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Of the method to change; left out for a new one."
    )
    carrier: str = strawberry.field(description="Who carries it; known carriers are spelled as they spell themselves.")
    service: str = strawberry.field(description="The carrier's service, as shoppers see it.")
    rate: ShippingRateInput = strawberry.field(description="What it costs.")
    delivery: ShippingDeliveryInput | None = strawberry.field(
        default=strawberry.UNSET, description="How long it takes; without it, quotes promise no dates."
    )
    active: bool = strawberry.field(default=True, description="Whether shoppers are offered it.")

    def draft(self, currency: str, at: Field) -> MethodDraft:
        """Raises DomainError."""
        return MethodDraft(
            id=ids.decode(METHOD_PREFIX, self.id, [*at, "id"]) if self.id else None,
            carrier=self.carrier,
            service=self.service,
            rate=self.rate.stored(currency, [*at, "rate"]),
            delivery=self.delivery.stored() if self.delivery else None,
            is_active=self.active,
        )


@strawberry.input(description="A zone. In an update, what is left out stays as it is.")
class ShippingZoneInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For staff. Needed in a new zone.")
    locations: list[ShippingLocationInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Where it is. Needed in a new zone."
    )
    methods: list[ShippingMethodInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All of its methods, in their order: those with an id are changed, those without added, and those "
        "that are missing deleted.",
    )
    position: int | None = strawberry.field(
        default=strawberry.UNSET, description="Of zones that name a place equally closely, the lowest wins."
    )

    def draft(self, currency: str) -> ZoneDraft:
        """Raises DomainError."""
        methods = self.methods or [] if _given(self.methods) else None
        locations = self.locations or [] if _given(self.locations) else None
        return ZoneDraft(
            name=self.name if _given(self.name) else None,
            locations=None if locations is None else [location.stored() for location in locations],
            methods=None
            if methods is None
            else [method.draft(currency, ["input", "methods", place]) for place, method in enumerate(methods)],
            position=self.position if _given(self.position) else None,
        )

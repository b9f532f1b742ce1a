"""Stores that orders can be fetched from."""

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

import strawberry

from app.addresses.postal import PostalAddress
from app.kit import ids
from app.shipping import pickup
from schema.access import PUBLIC, query
from schema.addresses import Address
from schema.context import Info
from schema.enums import describe_enum
from schema.scalars import CountryCode


@strawberry.type(description="When a store is open on one day of the week; a day can have several.")
class OpeningHours:
    weekday: int = strawberry.field(description="1 for Monday to 7 for Sunday.")
    opens: str = strawberry.field(description="Local time, such as `09:00`.")
    closes: str = strawberry.field(description="Local time, such as `18:30`.")

    @classmethod
    def all_of(cls, stored: list[dict[str, Any]]) -> "list[OpeningHours]":
        return [cls(weekday=one["weekday"], opens=one["opens"], closes=one["closes"]) for one in stored]


@strawberry.type(description="A store that orders can be fetched from.")
class PickupLocation:
    id: strawberry.ID = strawberry.field(description="The store's warehouse; of no other use to storefronts.")
    name: str = strawberry.field(description="Its name.")
    address: Address = strawberry.field(description="Where it is.")
    opening_hours: list[OpeningHours] = strawberry.field(description="From Monday on.")
    instructions: str = strawberry.field(description="What to know, such as where to ring; may be empty.")
    ready_hours: int | None = strawberry.field(
        description="Within how many hours an order is ready; null where an order says when it is."
    )

    @classmethod
    def of(cls, location: pickup.PickupLocation) -> "PickupLocation":
        return cls(
            id=strawberry.ID(ids.encode("wh", location.id)),
            name=location.name,
            address=Address.of(location.address),
            opening_hours=OpeningHours.all_of(location.opening_hours),
            instructions=location.instructions,
            ready_hours=location.ready_hours,
        )

    @classmethod
    def of_order(cls, location_id: Any, stored: Mapping[str, Any]) -> "PickupLocation":
        """As it was when the order was placed."""
        return cls(
            id=strawberry.ID(ids.encode("wh", location_id)),
            name=stored["name"],
            address=Address.of(PostalAddress.from_json(stored["address"])),
            opening_hours=OpeningHours.all_of(stored["openingHours"]),
            instructions=stored["instructions"],
            ready_hours=None,
        )


class PickupState(Enum):
    PREPARING = "PREPARING"
    READY = "READY"
    PICKED_UP = "PICKED_UP"


describe_enum(
    PickupState,
    "How far an order is that is fetched from a store.",
    PREPARING="It is being packed.",
    READY="It waits in the store.",
    PICKED_UP="It was handed over.",
)


@strawberry.type(description="How an order is fetched from a store.")
class OrderPickup:
    location: PickupLocation = strawberry.field(description="Which store, as it was described at the time.")
    state: PickupState = strawberry.field(description="How far it is.")
    promised_at: dt.datetime | None = strawberry.field(
        description="From when on it was promised to be ready; null where it was put on hold at first."
    )
    ready_at: dt.datetime | None = strawberry.field(description="Since when it waits in the store.")
    picked_up_at: dt.datetime | None = strawberry.field(description="When it was handed over.")

    @classmethod
    def of(cls, order: Mapping[str, Any], quote: Mapping[str, Any] | None) -> "OrderPickup | None":
        """Args: the order's row, and the promise that it keeps."""
        location_id = order["pickup_location_id"]
        if location_id is None or not quote or "location" not in quote:
            return None
        handed_over, ready = order["picked_up_at"], order["pickup_ready_at"]
        state = PickupState.PICKED_UP if handed_over else PickupState.READY if ready else PickupState.PREPARING
        return cls(
            location=PickupLocation.of_order(location_id, quote["location"]),
            state=state,
            promised_at=dt.datetime.fromisoformat(quote["readyAt"]) if quote["readyAt"] else None,
            ready_at=ready,
            picked_up_at=handed_over,
        )


@strawberry.input(description="Near what.")
class NearInput:
    country_code: CountryCode | None = strawberry.field(default=strawberry.UNSET, description="Only in this country.")
    postal_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="Those first whose postal code begins most like this one."
    )


@strawberry.type
class PickupQueries:
    @query(
        access=PUBLIC,
        description="Stores that orders can be fetched from. Which of them have all that is in a cart, its shipping "
        "quotes say: those of `kind` PICKUP.",
    )
    async def pickup_locations(
        self,
        info: Info,
        near: Annotated[NearInput | None, strawberry.argument(description="Near what; all unless said.")] = (
            strawberry.UNSET
        ),
    ) -> list[PickupLocation]:
        country, code = (near.country_code or None, near.postal_code or None) if near else (None, None)
        return [PickupLocation.of(one) for one in await pickup.near(country, code)]

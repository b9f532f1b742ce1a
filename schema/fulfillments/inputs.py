"""What staff say of goods that leave, and what carriers say of parcels."""

import datetime as dt
import uuid

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.fulfillments.models import ShipmentStatus
from app.fulfillments.parcels import ParcelDetails
from app.fulfillments.tracking import TrackingUpdate
from app.kit import ids
from schema.fulfillments.types import FULFILLMENT_PREFIX, SHIPMENT_PREFIX
from schema.order_lines import LINE_PREFIX

MAX_LINES = 250


@strawberry.input(description="Units of an order line to ship.")
class FulfillmentLineInput:
    order_line_id: strawberry.ID = strawberry.field(description="A line of the order.")
    quantity: int = strawberry.field(description="Units; at most what is still to be shipped.")


@strawberry.input(description="One parcel.")
class ParcelInput:
    carrier: str | None = strawberry.field(
        default=strawberry.UNSET, description="Recognised from the number where that is possible."
    )
    tracking_number: str | None = strawberry.field(default=strawberry.UNSET, description="The carrier's number.")


@strawberry.input(description="What is shipped. Without lines, everything that is still to be shipped.")
class FulfillmentCreateInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    lines: list[FulfillmentLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Part of the order; all that is left without it."
    )
    carrier: str | None = strawberry.field(
        default=strawberry.UNSET, description="For one parcel; recognised from the number where that is possible."
    )
    tracking_number: str | None = strawberry.field(default=strawberry.UNSET, description="For one parcel.")
    parcels: list[ParcelInput] | None = strawberry.field(
        default=strawberry.UNSET, description="For several parcels, in place of carrier and trackingNumber."
    )
    notify_customer: bool | None = strawberry.field(
        default=True, description="Whether the customer is told that it was shipped."
    )
    allow_unpaid: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Ship although money is missing that was not agreed to come later; without it, ORDER_UNPAID.",
    )

    def wanted(self) -> list[tuple[uuid.UUID, int]] | None:
        """Units by order line; None for all that is left. Raises DomainError(TOO_MANY, INVALID_ID)."""
        if self.lines is strawberry.UNSET or self.lines is None:
            return None
        if len(self.lines) > MAX_LINES:
            raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_LINES} lines.", ["input", "lines"])
        return [
            (ids.decode(LINE_PREFIX, line.order_line_id, ["input", "lines", place, "orderLineId"]), line.quantity)
            for place, line in enumerate(self.lines)
        ]

    def parcel_details(self) -> list[ParcelDetails]:
        """Raises DomainError(INVALID) when one parcel and several are described at once."""
        if not self.parcels:
            return [ParcelDetails(self.carrier or None, self.tracking_number or None)]
        if self.carrier or self.tracking_number:
            message = "Give parcels, or carrier and trackingNumber, not both."
            raise DomainError(CommonErrorCode.INVALID, message, ["input", "parcels"])
        return [
            ParcelDetails(one.carrier or None, one.tracking_number or None, ("input", "parcels", place))
            for place, one in enumerate(self.parcels)
        ]


@strawberry.input(description="What a carrier says of a parcel.")
class TrackingEventInput:
    fulfillment_id: strawberry.ID = strawberry.field(description="The fulfilment that the parcel belongs to.")
    shipment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The parcel; may be left out where there is only one."
    )
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The carrier's id of the event: the same one again changes nothing."
    )
    status: ShipmentStatus = strawberry.field(description="Where the parcel is.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="In the carrier's words.")
    location: str | None = strawberry.field(default=strawberry.UNSET, description="Such as the town.")
    occurred_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Now, if left out; at most a day from now."
    )

    def update(self) -> TrackingUpdate:
        """Raises DomainError(INVALID_ID)."""
        shipment_id = self.shipment_id or None
        return TrackingUpdate(
            fulfillment_id=ids.decode(FULFILLMENT_PREFIX, self.fulfillment_id, ["input", "fulfillmentId"]),
            shipment_id=shipment_id and ids.decode(SHIPMENT_PREFIX, shipment_id, ["input", "shipmentId"]),
            external_id=self.external_id or None,
            status=self.status,
            description=self.description or None,
            location=self.location or None,
            occurred_at=self.occurred_at or None,
        )

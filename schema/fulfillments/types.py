"""Fulfilments and their parcels as clients see them."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from app.fulfillments import queries
from app.fulfillments.models import ShipmentStatus
from app.kit import ids
from schema.context import Info
from schema.dates import DateRange
from schema.enums import describe_enum
from schema.nodes import Node
from schema.order_lines import OrderLine, load_lines
from schema.selection import Selection

FULFILLMENT_PREFIX = "ful"
SHIPMENT_PREFIX = "shp"
_LINE_PREFIX = "flin"

describe_enum(
    ShipmentStatus,
    "Where a parcel is.",
    LABEL_CREATED="The carrier knows of it, but has not got it yet.",
    IN_TRANSIT="On its way.",
    OUT_FOR_DELIVERY="On the vehicle that brings it.",
    DELIVERED="Handed over.",
    DELAYED="Later than expected.",
    FAILED="Somebody tried to deliver it and could not.",
    RETURNED="On its way back, or back.",
)


@strawberry.type(description="What a carrier said of a parcel.")
class TrackingEvent:
    status: ShipmentStatus = strawberry.field(description="Where the parcel was.")
    description: str = strawberry.field(description="In the carrier's words; may be empty.")
    location: str | None = strawberry.field(description="Such as the town.")
    occurred_at: dt.datetime = strawberry.field(description="When it happened.")

    @classmethod
    def of(cls, row: dict[str, Any]) -> "TrackingEvent":
        return cls(
            status=ShipmentStatus(row["status"]),
            description=row["description"],
            location=row["location"],
            occurred_at=dt.datetime.fromisoformat(row["occurredAt"]),
        )


@strawberry.type(description="One parcel.")
class Shipment:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    carrier: str = strawberry.field(description="As the carrier writes its name.")
    tracking_number: str | None = strawberry.field(description="The carrier's number of the parcel.")
    tracking_url: str | None = strawberry.field(description="The carrier's page for it, where one is known.")
    status: ShipmentStatus = strawberry.field(description="Where it is; never moves backward.")
    estimated_delivery: DateRange | None = strawberry.field(
        description="When it should arrive; null for a parcel that left after the days that were promised."
    )
    events: list[TrackingEvent] = strawberry.field(description="What the carrier said, newest first.")

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Shipment":
        return cls(
            id=strawberry.ID(ids.encode(SHIPMENT_PREFIX, uuid.UUID(row["id"]))),
            carrier=row["carrier"],
            tracking_number=row["trackingNumber"],
            tracking_url=row["trackingUrl"],
            status=ShipmentStatus(row["status"]),
            estimated_delivery=DateRange.of(row["estimatedFrom"], row["estimatedTo"]),
            events=[TrackingEvent.of(event) for event in row["events"]],
        )


@strawberry.type(description="How many units of an order line a fulfilment ships.")
class FulfillmentLine:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    order_line: OrderLine = strawberry.field(description="The order's line.")
    quantity: int = strawberry.field(description="Units shipped.")


@strawberry.type(description="Goods of an order that left together, in one parcel or several.")
class Fulfillment(Node):
    lines: list[FulfillmentLine] = strawberry.field(description="What was shipped.")
    shipments: list[Shipment] = strawberry.field(description="The parcels.")
    created_at: dt.datetime = strawberry.field(description="When it was recorded.")

    @classmethod
    def of(cls, row: dict[str, Any], order_lines: Mapping[uuid.UUID, OrderLine]) -> "Fulfillment":
        """`order_lines` may be empty where nobody asks for them."""
        return cls(
            id=strawberry.ID(ids.encode(FULFILLMENT_PREFIX, row["id"])),
            lines=[
                FulfillmentLine(
                    id=strawberry.ID(ids.encode(_LINE_PREFIX, uuid.UUID(line["id"]))),
                    order_line=order_lines.get(uuid.UUID(line["orderLineId"])),  # type: ignore[arg-type]
                    quantity=line["quantity"],
                )
                for line in row["lines"]
            ],
            shipments=[Shipment.of(shipment) for shipment in row["shipments"]],
            created_at=row["created_at"],
        )


async def show_fulfillments(info: Info, rows: Sequence[dict[str, Any]], selection: Selection) -> list[Fulfillment]:
    """Rows of `app.fulfillments.queries`, with their order lines where `selection`, below a fulfilment, wants them."""
    order_lines: dict[uuid.UUID, OrderLine] = {}
    if rows and selection.asks_for("lines", "orderLine"):
        wanted = {uuid.UUID(line["orderLineId"]) for row in rows for line in row["lines"]}
        order_lines = await load_lines(info, list(wanted), selection.below("lines").below("orderLine"), owner=None)
    return [Fulfillment.of(row, order_lines) for row in rows]


async def load_fulfillments(
    info: Info, order_ids: Sequence[uuid.UUID], selection: Selection
) -> dict[uuid.UUID, list[Fulfillment]]:
    """For `Order.fulfillments`: by the order's id, oldest first, in as many statements for many orders as for one."""
    found: dict[uuid.UUID, list[Fulfillment]] = {order_id: [] for order_id in order_ids}
    rows = await queries.of_orders(order_ids)
    for row, fulfillment in zip(rows, await show_fulfillments(info, rows, selection), strict=True):
        found[row["order_id"]].append(fulfillment)
    return found

"""Fulfilment and tracking: what staff ship, and what shoppers see of it, as a query and live."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import strawberry

from app import live, rate_limit
from app.addresses.contact import email_key
from app.errors import CommonErrorCode, DomainError, not_found
from app.fulfillments import queries, service
from app.fulfillments.models import ShipmentStatus
from app.kit import ids
from app.orders.status import order_topic
from app.staff.permissions import Permission
from schema.access import PUBLIC, STAFF, mutation, query, subscription
from schema.context import Info
from schema.dates import DateRange
from schema.enums import describe_enum
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.order_status import FulfillmentStatus, OrderStatus
from schema.selection import Selection

LOOK_UPS_PER_ADDRESS = 60
LOOK_UP_WINDOW_SECONDS = 300

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
    estimated_delivery: DateRange | None = strawberry.field(description="When it should arrive.")
    events: list[TrackingEvent] = strawberry.field(description="What the carrier said, newest first.")

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Shipment":
        return cls(
            id=strawberry.ID(ids.encode("shp", uuid.UUID(row["id"]))),
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
    order_line_id: strawberry.ID = strawberry.field(description="The order's line.")
    quantity: int = strawberry.field(description="Units shipped.")


@strawberry.type(description="Goods of an order that left together, in one parcel or several.")
class Fulfillment(Node):
    lines: list[FulfillmentLine] = strawberry.field(description="What was shipped.")
    shipments: list[Shipment] = strawberry.field(description="The parcels.")
    created_at: dt.datetime = strawberry.field(description="When it was recorded.")

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Fulfillment":
        return cls(
            id=strawberry.ID(ids.encode("ful", row["id"])),
            lines=[
                FulfillmentLine(
                    id=strawberry.ID(ids.encode("flin", uuid.UUID(line["id"]))),
                    order_line_id=strawberry.ID(ids.encode("oline", uuid.UUID(line["orderLineId"]))),
                    quantity=line["quantity"],
                )
                for line in row["lines"]
            ],
            shipments=[Shipment.of(shipment) for shipment in row["shipments"]],
            created_at=row["created_at"],
        )


@strawberry.type(description="What anybody with the order's number and email may see: no name, address or line.")
class OrderTracking:
    number: str = strawberry.field(description="The order's number, for people.")
    status: OrderStatus = strawberry.field(description="Where the order is in its life.")
    fulfillment_status: FulfillmentStatus = strawberry.field(description="How much of it has been shipped.")
    estimated_delivery: DateRange | None = strawberry.field(description="When all of it should have arrived.")
    shipments: list[Shipment] = strawberry.field(description="Its parcels, in the order in which they left.")

    @classmethod
    def of(cls, row: dict[str, Any]) -> "OrderTracking":
        promised = row["promised"] or {}
        return cls(
            number=str(row["number"]),
            status=OrderStatus(row["status"]),
            fulfillment_status=FulfillmentStatus(row["fulfillment_status"]),
            estimated_delivery=DateRange.of(promised.get("from"), promised.get("to")),
            shipments=[Shipment.of(shipment) for shipment in row["shipments"]],
        )


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
    carrier: str | None = strawberry.field(default=strawberry.UNSET, description="For one parcel.")
    tracking_number: str | None = strawberry.field(default=strawberry.UNSET, description="For one parcel.")
    parcels: list[ParcelInput] | None = strawberry.field(
        default=strawberry.UNSET, description="For several parcels, in place of carrier and trackingNumber."
    )
    notify_customer: bool | None = strawberry.field(
        default=True, description="Whether the shop writes to the customer."
    )


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
    occurred_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Now, if left out.")


@strawberry.type(description="Answer to `fulfillmentCreate` and `trackingEventAdd`.")
class FulfillmentPayload:
    fulfillment: Fulfillment | None = strawberry.field(default=None, description="The fulfilment as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def load_fulfillments(order_ids: Sequence[Any]) -> dict[Any, list[Fulfillment]]:
    """For `Order.fulfillments`: by the order's UUID, in one statement."""
    found: dict[Any, list[Fulfillment]] = {order_id: [] for order_id in order_ids}
    for row in await queries.of_orders(order_ids):
        found[row["order_id"]].append(Fulfillment.of(row))
    return found


@node_loader("ful")
async def _fulfillment_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Fulfillment | None]:
    staff = info.context.staff
    if staff is None or not staff.may(Permission.ORDERS_READ):
        return [None] * len(texts)
    wanted = [ids.decode("ful", text, ["id"]) for text in texts]
    found = {row["id"]: Fulfillment.of(row) for row in await queries.by_ids(wanted)}
    return [found.get(fulfillment_id) for fulfillment_id in wanted]


async def _payload(fulfillment_id: Any) -> FulfillmentPayload:
    (row,) = await queries.by_ids([fulfillment_id])
    return FulfillmentPayload(fulfillment=Fulfillment.of(row))


async def _find_tracking(info: Info, number: str | None, email: str | None, token: str | None) -> dict[str, Any] | None:
    """Raises DomainError(REQUIRED) without a token or a pair, RATE_LIMITED for too many guesses."""
    if token:
        return await queries.tracking_by_token(token)
    if not number or not email:
        raise DomainError(CommonErrorCode.REQUIRED, "Give the token, or the number with the email.", ["number"])
    await rate_limit.allow(
        "order_tracking",
        info.context.client_address,
        limit=LOOK_UPS_PER_ADDRESS,
        window_seconds=LOOK_UP_WINDOW_SECONDS,
    )
    return await queries.tracking_by_number(number.removeprefix("#").strip(), email_key(email))


Number = Annotated[str | None, strawberry.argument(description="The order's number; needs the email too.")]
Email = Annotated[str | None, strawberry.argument(description="The address that the order was placed with.")]
Token = Annotated[str | None, strawberry.argument(description="The token from the receipt; enough by itself.")]


@strawberry.type
class FulfillmentQueries:
    @query(
        access=PUBLIC,
        description="Guest tracking: the token from the receipt, or the order's number with the email it was placed "
        "with. Null when they do not fit.",
    )
    async def order_tracking(
        self,
        info: Info,
        number: Number = strawberry.UNSET,
        email: Email = strawberry.UNSET,
        token: Token = strawberry.UNSET,
    ) -> OrderTracking | None:
        row = await _find_tracking(info, number or None, email or None, token or None)
        return OrderTracking.of(row) if row else None


@strawberry.type
class FulfillmentMutations:
    @mutation(access=STAFF(Permission.ORDERS_WRITE), description="Ship an order, or a part of it.")
    async def fulfillment_create(
        self, info: Info, input: Annotated[FulfillmentCreateInput, strawberry.argument(description="What is shipped.")]
    ) -> FulfillmentPayload:
        single = service.ParcelDetails(input.carrier or None, input.tracking_number or None)
        if input.parcels and (single.carrier or single.tracking_number):
            raise DomainError(
                CommonErrorCode.INVALID,
                "Give parcels, or carrier and trackingNumber, not both.",
                ["input", "parcels"],
            )
        parcels = [
            service.ParcelDetails(one.carrier or None, one.tracking_number or None) for one in input.parcels or ()
        ]
        wanted = None
        if input.lines:
            if len(input.lines) > service.MAX_LINES:
                raise DomainError(CommonErrorCode.TOO_MANY, f"At most {service.MAX_LINES} lines.", ["input", "lines"])
            wanted = [
                (ids.decode("oline", line.order_line_id, ["input", "lines", position, "orderLineId"]), line.quantity)
                for position, line in enumerate(input.lines)
            ]
        staff = info.context.staff
        fulfillment_id = await service.create_fulfillment(
            ids.decode("ord", input.order_id, ["input", "orderId"]),
            wanted,
            parcels or [single],
            notify_customer=input.notify_customer is not False,
            staff_id=staff.id if staff else None,
        )
        return await _payload(fulfillment_id)

    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Note what a carrier says of a parcel. Its status moves forward, never backward; repeated and "
        "late events are harmless.",
    )
    async def tracking_event_add(
        self, info: Info, input: Annotated[TrackingEventInput, strawberry.argument(description="What happened.")]
    ) -> FulfillmentPayload:
        update = service.TrackingUpdate(
            fulfillment_id=ids.decode("ful", input.fulfillment_id, ["input", "fulfillmentId"]),
            shipment_id=ids.decode("shp", input.shipment_id, ["input", "shipmentId"]) if input.shipment_id else None,
            external_id=input.external_id or None,
            status=input.status,
            description=input.description or None,
            location=input.location or None,
            occurred_at=input.occurred_at or None,
        )
        return await _payload(await service.add_tracking_event(update))


@strawberry.type
class FulfillmentSubscriptions:
    @subscription(
        access=PUBLIC,
        description="Emits at once, then at every change of the order's status, fulfilments or tracking events.",
    )
    async def order_tracking(
        self,
        info: Info,
        number: Number = strawberry.UNSET,
        email: Email = strawberry.UNSET,
        token: Token = strawberry.UNSET,
    ) -> AsyncIterator[OrderTracking]:
        found = await _find_tracking(info, number or None, email or None, token or None)
        if found is None:
            raise not_found("order", ["token" if token else "number"])
        last: dict[str, Any] | None = None
        async with live.watch(order_topic(found["id"])) as changes:
            async for _ in changes:
                row = await queries.tracking_of(found["id"])
                if row is not None and row != last:
                    last = row
                    yield OrderTracking.of(row)

"""Shipping an order's goods, and following their parcels."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import orjson

from app import clock, db, events
from app.carriers.recognition import Parcel, describe_parcel
from app.errors import CommonErrorCode, DomainError, not_found
from app.fulfillments.errors import FulfillmentErrorCode
from app.fulfillments.models import ShipmentStatus
from app.fulfillments.rules import OrderedLine, lines_to_ship, status_after
from app.inventory import reservations
from app.kit.ids import new_id
from app.orders.models import OrderStatus
from app.orders.status import announce

MAX_PARCELS = 100
MAX_LINES = 250
MAX_TEXT_CHARS = 500
UNKNOWN_CARRIER = "Other"
MAX_AHEAD = timedelta(days=1)
"""A carrier's clock, or its time zone, may be a little off."""


@dataclass(frozen=True, slots=True)
class ParcelDetails:
    carrier: str | None
    tracking_number: str | None


@dataclass(frozen=True, slots=True)
class TrackingUpdate:
    fulfillment_id: uuid.UUID
    shipment_id: uuid.UUID | None
    external_id: str | None
    status: ShipmentStatus
    description: str | None
    location: str | None
    occurred_at: datetime | None
    """Business time; None is now."""


async def create_fulfillment(
    order_id: uuid.UUID,
    wanted: Sequence[tuple[uuid.UUID, int]] | None,
    parcels: Sequence[ParcelDetails],
    *,
    notify_customer: bool,
    staff_id: uuid.UUID | None,
) -> uuid.UUID:
    """Ship all that is left, or `wanted` units by order line, in one parcel or several.

    Raises:
        DomainError: NOT_FOUND, ORDER_NOT_FULFILLABLE, and what `lines_to_ship` and `describe_parcel` raise.
    """
    described = _describe(parcels)
    async with db.unit_of_work():
        order = await db.fetchrow(
            "SELECT id, attempt_id, status, shipping_quote FROM orders WHERE id = $1 FOR UPDATE", order_id
        )
        if order is None:
            raise not_found("order", ["input", "orderId"])
        if order["status"] != OrderStatus.OPEN:
            raise DomainError(
                FulfillmentErrorCode.ORDER_NOT_FULFILLABLE, "The order is not open.", ["input", "orderId"]
            )
        ordered = [
            OrderedLine(**row)
            for row in await db.fetch(
                """
                SELECT id, variant_id, quantity, fulfilled_quantity AS fulfilled, requires_shipping
                FROM order_lines WHERE order_id = $1 ORDER BY position
                """,
                order_id,
            )
        ]
        units = lines_to_ship(ordered, wanted)
        fulfillment_id = new_id()
        await db.execute(
            "INSERT INTO fulfillments (id, order_id, created_at, created_by) VALUES ($1, $2, business_now(), $3)",
            fulfillment_id,
            order_id,
            staff_id,
        )
        await _write_lines(fulfillment_id, units)
        await _write_parcels(fulfillment_id, described, order["shipping_quote"])
        shipped: dict[uuid.UUID, int] = {}
        for line in ordered:
            if line.id in units:
                shipped[line.variant_id] = shipped.get(line.variant_id, 0) + units[line.id]
        await reservations.ship(order["attempt_id"], shipped)
        await _update_order(order_id)
        await events.record(
            "fulfillment.created",
            subject_id=order_id,
            payload={
                "orderId": str(order_id),
                "fulfillmentId": str(fulfillment_id),
                "notifyCustomer": notify_customer,
            },
        )
        announce(order_id)
    return fulfillment_id


async def add_tracking_event(update: TrackingUpdate) -> uuid.UUID:
    """Note what a carrier says of a parcel; returns the fulfilment's id. Repeated and late events change nothing.

    Raises:
        DomainError: NOT_FOUND, SHIPMENT_REQUIRED, TOO_LONG, OUT_OF_RANGE for a time in the future.
    """
    for name, text in (
        ("externalId", update.external_id),
        ("description", update.description),
        ("location", update.location),
    ):
        if text is not None and len(text) > (255 if name != "description" else MAX_TEXT_CHARS):
            raise DomainError(CommonErrorCode.TOO_LONG, "The text is too long.", ["input", name])
    async with db.unit_of_work():
        shipment_id, order_id, before = await _lock_shipment(update)
        now = await clock.now()
        if update.occurred_at is not None and update.occurred_at > now + MAX_AHEAD:
            raise DomainError(CommonErrorCode.OUT_OF_RANGE, "This is in the future.", ["input", "occurredAt"])
        if not await _write_event(shipment_id, update, update.occurred_at or now):
            return update.fulfillment_id
        rows = await db.fetch("SELECT status, occurred_at FROM tracking_events WHERE shipment_id = $1", shipment_id)
        after = status_after((ShipmentStatus(row["status"]), row["occurred_at"]) for row in rows)
        announce(order_id)
        if after is not before:
            await db.execute(
                "UPDATE shipments SET status = $2, updated_at = business_now() WHERE id = $1", shipment_id, after
            )
            await events.record(
                f"shipment.{after.value.lower()}",
                subject_id=order_id,
                payload={"orderId": str(order_id), "shipmentId": str(shipment_id)},
            )
    return update.fulfillment_id


def _describe(parcels: Sequence[ParcelDetails]) -> list[Parcel]:
    if len(parcels) > MAX_PARCELS:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_PARCELS} parcels.", ["input", "parcels"])
    several = len(parcels) > 1
    described: list[Parcel] = []
    for position, parcel in enumerate(parcels):
        at: list[str | int] = ["input", "parcels", position] if several else ["input"]
        described.append(
            describe_parcel(
                parcel.tracking_number,
                parcel.carrier,
                number_field=[*at, "trackingNumber"],
                carrier_field=[*at, "carrier"],
            )
        )
    return described


async def _write_lines(fulfillment_id: uuid.UUID, units: Mapping[uuid.UUID, int]) -> None:
    await db.execute(
        """
        INSERT INTO fulfillment_lines (id, fulfillment_id, order_line_id, quantity)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[])
        """,
        [new_id() for _ in units],
        [fulfillment_id] * len(units),
        list(units),
        list(units.values()),
    )
    await db.execute(
        """
        UPDATE order_lines SET fulfilled_quantity = fulfilled_quantity + shipped.quantity
        FROM unnest($1::uuid[], $2::int[]) AS shipped (id, quantity) WHERE order_lines.id = shipped.id
        """,
        list(units),
        list(units.values()),
    )


async def _write_parcels(fulfillment_id: uuid.UUID, parcels: Sequence[Parcel], shipping_quote: str | None) -> None:
    promised = orjson.loads(shipping_quote) if shipping_quote else {}
    dates = promised.get("estimatedDelivery") or {}
    earliest, latest = (date.fromisoformat(dates[end]) if dates.get(end) else None for end in ("from", "to"))
    for position, parcel in enumerate(parcels):
        await db.execute(
            """
            INSERT INTO shipments (id, fulfillment_id, position, carrier, tracking_number, tracking_url, status,
                                   estimated_from, estimated_to, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, business_now(), business_now())
            """,
            new_id(),
            fulfillment_id,
            position,
            parcel.carrier or promised.get("carrier") or UNKNOWN_CARRIER,
            parcel.tracking_number,
            parcel.tracking_url,
            ShipmentStatus.LABEL_CREATED,
            earliest,
            latest,
        )


async def _update_order(order_id: uuid.UUID) -> None:
    """An order is complete when everything in it has left and it is paid for."""
    await db.execute(
        """
        UPDATE orders SET
            fulfillment_status = CASE WHEN rest.units = 0 THEN 'FULFILLED' ELSE 'PARTIALLY_FULFILLED' END,
            status = CASE WHEN rest.units = 0 AND payment_status = 'PAID' THEN 'COMPLETED' ELSE status END,
            updated_at = business_now()
        FROM (
            SELECT coalesce(sum(quantity - fulfilled_quantity) FILTER (WHERE requires_shipping), 0) AS units
            FROM order_lines WHERE order_id = $1
        ) rest
        WHERE orders.id = $1
        """,
        order_id,
    )


async def _lock_shipment(update: TrackingUpdate) -> tuple[uuid.UUID, uuid.UUID, ShipmentStatus]:
    """The parcel, its order and its status; locked, so that two events of one parcel come one after the other."""
    rows = await db.fetch(
        """
        SELECT s.id, s.status, f.order_id FROM shipments s JOIN fulfillments f ON f.id = s.fulfillment_id
        WHERE f.id = $1 AND ($2::uuid IS NULL OR s.id = $2) ORDER BY s.id FOR UPDATE OF s
        """,
        update.fulfillment_id,
        update.shipment_id,
    )
    if not rows:
        if update.shipment_id is None:
            raise not_found("fulfilment", ["input", "fulfillmentId"])
        raise not_found("parcel in this fulfilment", ["input", "shipmentId"])
    if len(rows) > 1:
        raise DomainError(
            FulfillmentErrorCode.SHIPMENT_REQUIRED,
            "The fulfilment has several parcels: say which one.",
            ["input", "shipmentId"],
        )
    (row,) = rows
    return row["id"], row["order_id"], ShipmentStatus(row["status"])


async def _write_event(shipment_id: uuid.UUID, update: TrackingUpdate, occurred_at: datetime) -> bool:
    """False for an event that is there already: by its external id, or without one by all that it says."""
    written = await db.execute(
        """
        INSERT INTO tracking_events
            (id, shipment_id, external_id, status, description, location, occurred_at, created_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, business_now()
        WHERE $3::text IS NOT NULL OR NOT EXISTS (
            SELECT FROM tracking_events
            WHERE shipment_id = $2 AND external_id IS NULL AND status = $4 AND description = $5
              AND location IS NOT DISTINCT FROM $6 AND occurred_at = $7
        )
        ON CONFLICT (shipment_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
        """,
        new_id(),
        shipment_id,
        update.external_id,
        update.status,
        update.description or "",
        update.location,
        occurred_at,
    )
    return written == 1

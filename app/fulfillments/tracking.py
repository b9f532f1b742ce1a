"""Following parcels: what carriers say of them, in any order and any number of times."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app import clock, db
from app.errors import CommonErrorCode, DomainError, not_found
from app.fulfillments.errors import FulfillmentErrorCode
from app.fulfillments.models import ShipmentStatus
from app.fulfillments.rules import status_after
from app.kit.ids import new_id
from app.kit.text import check_text
from app.orders.models import FulfillmentStatus
from app.orders.status import announce, lock_order, tell

ORDER_DELIVERED = "order.delivered"
ORDER_RETURNED = "order.returned"
MAX_NAME_CHARS = 255
MAX_DESCRIPTION_CHARS = 500
MAX_AHEAD = timedelta(days=1)
"""A carrier's clock, or its time zone, may be a little off."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Whatever is older comes from a clock that was never set."""


@dataclass(frozen=True, slots=True)
class TrackingUpdate:
    """What a carrier says of a parcel.

    Attributes:
        shipment_id: None for the fulfilment's only parcel.
        external_id: the carrier's own id of the event, by which it is known again.
        occurred_at: business time; None is now.
    """

    fulfillment_id: uuid.UUID
    shipment_id: uuid.UUID | None
    external_id: str | None
    status: ShipmentStatus
    description: str | None
    location: str | None
    occurred_at: datetime | None


async def add_tracking_event(update: TrackingUpdate) -> None:
    """Note what a carrier says. Events that come again or late are harmless: a parcel never moves backward.

    Each status that the parcel comes to is an event of its own, `shipment.out_for_delivery` and so on, for whoever
    tells the customer.

    Raises:
        DomainError: NOT_FOUND, SHIPMENT_REQUIRED, TOO_LONG, INVALID for control characters, OUT_OF_RANGE for a time
            that cannot be.
    """
    _check_texts(update)
    async with db.unit_of_work():
        shipment_id, order_id, before = await _lock_shipment(update)
        occurred_at = _checked_time(update.occurred_at, await clock.now())
        if not await _write_event(shipment_id, update, occurred_at):
            return
        rows = await db.fetch("SELECT status, occurred_at FROM tracking_events WHERE shipment_id = $1", shipment_id)
        after = status_after((ShipmentStatus(row["status"]), row["occurred_at"]) for row in rows)
        announce(order_id)
        if after is not before:
            await db.execute(
                "UPDATE shipments SET status = $2, updated_at = business_now() WHERE id = $1", shipment_id, after.value
            )
            await _tell(order_id, shipment_id, after)


async def _tell(order_id: uuid.UUID, shipment_id: uuid.UUID, after: ShipmentStatus) -> None:
    """The order is locked: of two parcels that arrive at the same time, the second one is the last."""
    order = await lock_order(order_id)
    if order is None:
        raise RuntimeError("a parcel's order has gone")
    profile_id: uuid.UUID | None = order["profile_id"]
    parcel = {"shipmentId": str(shipment_id)}
    await tell(f"shipment.{after.value.lower()}", order_id, profile_id, parcel)
    if after is ShipmentStatus.RETURNED:
        await tell(ORDER_RETURNED, order_id, profile_id, parcel)
    shipped = order["fulfillment_status"] == FulfillmentStatus.FULFILLED
    if after is ShipmentStatus.DELIVERED and shipped and not await _under_way(order_id):
        await tell(ORDER_DELIVERED, order_id, profile_id)


async def _under_way(order_id: uuid.UUID) -> bool:
    """Whether a parcel of it has neither arrived nor come back."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM shipments s JOIN fulfillments f ON f.id = s.fulfillment_id
            WHERE f.order_id = $1 AND s.status NOT IN ('DELIVERED', 'RETURNED')
        )
        """,
        order_id,
    )
    return found


def _check_texts(update: TrackingUpdate) -> None:
    for name, text, max_chars in (
        ("externalId", update.external_id, MAX_NAME_CHARS),
        ("description", update.description, MAX_DESCRIPTION_CHARS),
        ("location", update.location, MAX_NAME_CHARS),
    ):
        if text is not None and (problem := check_text(text, max_chars, ["input", name])):
            raise problem


def _checked_time(occurred_at: datetime | None, now: datetime) -> datetime:
    if occurred_at is None:
        return now
    if occurred_at > now + MAX_AHEAD:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "This is in the future.", ["input", "occurredAt"])
    if occurred_at < EARLIEST:
        message = f"This is before the year {EARLIEST.year}."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["input", "occurredAt"])
    return occurred_at


async def _lock_shipment(update: TrackingUpdate) -> tuple[uuid.UUID, uuid.UUID, ShipmentStatus]:
    """The parcel, its order and its status; locked, so that two events of one parcel come one after the other."""
    rows = await db.fetch(
        """
        SELECT s.id, s.status, f.order_id FROM shipments s JOIN fulfillments f ON f.id = s.fulfillment_id
        WHERE f.id = $1 AND ($2::uuid IS NULL OR s.id = $2) ORDER BY s.id FOR NO KEY UPDATE OF s
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
        SELECT $1, $2, $3::text, $4::text, $5::text, $6::text, $7, business_now()
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
        update.status.value,
        update.description or "",
        update.location,
        occurred_at,
    )
    return written == 1

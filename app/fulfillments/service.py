"""Shipping an order's goods."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from app import db
from app.carriers.recognition import Parcel
from app.errors import DomainError, not_found
from app.fulfillments import queries, releasing
from app.fulfillments.errors import FulfillmentErrorCode
from app.fulfillments.models import ShipmentStatus
from app.fulfillments.parcels import ParcelDetails, describe_parcels
from app.fulfillments.rules import OrderedLine, lines_to_ship
from app.inventory import handing_out
from app.kit.ids import new_id
from app.orders import status
from app.orders.models import FulfillmentStatus, OrderStatus
from app.payments import standing

FULFILLMENT_CREATED = "fulfillment.created"


async def create_fulfillment(
    order_id: uuid.UUID,
    wanted: Sequence[tuple[uuid.UUID, int]] | None,
    parcels: Sequence[ParcelDetails],
    *,
    notify_customer: bool,
    staff_id: uuid.UUID | None,
    allow_unpaid: bool = False,
) -> uuid.UUID:
    """Ship all that is left, or `wanted` units by order line, in one parcel or several; returns the fulfilment's id.

    Args:
        allow_unpaid: whoever asks answers for money that is missing.

    Raises:
        DomainError: NOT_FOUND, ORDER_NOT_FULFILLABLE, ORDER_ON_HOLD, ORDER_UNPAID, and what `lines_to_ship` and
            `describe_parcels` raise.
    """
    async with db.unit_of_work():
        order = await status.lock_order(order_id)
        if order is None:
            raise not_found("order", ["input", "orderId"])
        if order["status"] == OrderStatus.CANCELLED:
            message = "The order is cancelled."
            raise DomainError(FulfillmentErrorCode.ORDER_NOT_FULFILLABLE, message, ["input", "orderId"])
        if order["pickup_location_id"] is not None and order["picked_up_at"] is None:
            message = "The order is fetched from a store: note that it was, with orderPickupComplete."
            raise DomainError(FulfillmentErrorCode.ORDER_NOT_FULFILLABLE, message, ["input", "orderId"])
        releasing.check_holds(order, ["input", "orderId"])
        if not allow_unpaid:
            await releasing.check_paid(order, ["input", "orderId"])
        ordered = await _ordered_lines(order_id)
        units = lines_to_ship(ordered, wanted)
        shipped = _by_variant(ordered, units)
        promised = orjson.loads(order["shipping_quote"] or "{}")
        described = describe_parcels(
            parcels,
            promised_carrier=promised.get("carrier"),
            origin_country=await queries.origin_country(order["attempt_id"], list(shipped)),
        )
        fulfillment_id = new_id()
        await _write_fulfillment(fulfillment_id, order_id, units, staff_id)
        await _write_parcels(fulfillment_id, described, promised.get("estimatedDelivery") or {})
        await handing_out.ship(order["attempt_id"], shipped)
        after = await _update_order(order_id)
        if after["status"] == OrderStatus.COMPLETED:
            await handing_out.ship_rest(order["attempt_id"])
        facts = {"fulfillmentId": str(fulfillment_id), "notifyCustomer": notify_customer}
        await status.tell(FULFILLMENT_CREATED, order_id, order["profile_id"], facts)
        if after["fulfillment_status"] == FulfillmentStatus.FULFILLED:
            await status.tell(status.ORDER_FULFILLED, order_id, order["profile_id"])
        status.announce(order_id)
    return fulfillment_id


async def _ordered_lines(order_id: uuid.UUID) -> list[OrderedLine]:
    rows = await db.fetch(
        """
        SELECT id, variant_id, quantity, fulfilled_quantity AS fulfilled, requires_shipping
        FROM order_lines WHERE order_id = $1 ORDER BY position, id
        """,
        order_id,
    )
    return [OrderedLine(**row) for row in rows]


def _by_variant(ordered: Sequence[OrderedLine], units: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, int]:
    """Two lines may draw on the same stock."""
    shipped: dict[uuid.UUID, int] = {}
    for line in ordered:
        if line.id in units:
            shipped[line.variant_id] = shipped.get(line.variant_id, 0) + units[line.id]
    return shipped


async def _write_fulfillment(
    fulfillment_id: uuid.UUID, order_id: uuid.UUID, units: Mapping[uuid.UUID, int], staff_id: uuid.UUID | None
) -> None:
    await db.execute(
        "INSERT INTO fulfillments (id, order_id, created_at, created_by) VALUES ($1, $2, business_now(), $3)",
        fulfillment_id,
        order_id,
        staff_id,
    )
    await db.execute(
        """
        WITH shipped AS (
            SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::int[]) AS n (id, order_line_id, quantity)
        ), counted AS (
            UPDATE order_lines SET fulfilled_quantity = fulfilled_quantity + shipped.quantity
            FROM shipped WHERE order_lines.id = shipped.order_line_id
        )
        INSERT INTO fulfillment_lines (id, fulfillment_id, order_line_id, quantity)
        SELECT id, $1, order_line_id, quantity FROM shipped
        """,
        fulfillment_id,
        [new_id() for _ in units],
        list(units),
        list(units.values()),
    )


async def _write_parcels(fulfillment_id: uuid.UUID, parcels: Sequence[Parcel], promised: Mapping[str, Any]) -> None:
    """What leaves after the days that were promised has no estimate: the promise says nothing of it."""
    first, last = (date.fromisoformat(promised[end]) if promised.get(end) else None for end in ("from", "to"))
    await db.execute(
        """
        INSERT INTO shipments (id, fulfillment_id, position, carrier, tracking_number, tracking_url, status,
                               estimated_from, estimated_to, created_at, updated_at)
        SELECT p.id, $1, p.place - 1, p.carrier, p.tracking_number, p.tracking_url, $6,
               CASE WHEN $8 >= business_now()::date THEN $7::date END,
               CASE WHEN $8 >= business_now()::date THEN $8::date END, business_now(), business_now()
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
             AS p (id, carrier, tracking_number, tracking_url, place)
        """,
        fulfillment_id,
        [new_id() for _ in parcels],
        [parcel.carrier for parcel in parcels],
        [parcel.tracking_number for parcel in parcels],
        [parcel.tracking_url for parcel in parcels],
        ShipmentStatus.LABEL_CREATED.value,
        first,
        last,
    )


async def _update_order(order_id: uuid.UUID) -> db.Record:
    """An order is complete when everything in it has left and it is paid for; see `payments.standing` too.

    Returns:
        Its statuses.
    """
    now = await db.fetchrow(
        """
        UPDATE orders SET
            fulfillment_status = CASE WHEN rest.units = 0 THEN 'FULFILLED' ELSE 'PARTIALLY_FULFILLED' END,
            status = CASE WHEN rest.units = 0 AND payment_status = ANY($2) THEN $3 ELSE status END,
            updated_at = business_now()
        FROM (
            SELECT coalesce(sum(quantity - fulfilled_quantity) FILTER (WHERE requires_shipping), 0) AS units
            FROM order_lines WHERE order_id = $1
        ) rest
        WHERE orders.id = $1 RETURNING status, fulfillment_status
        """,
        order_id,
        [settled.value for settled in standing.SETTLED],
        OrderStatus.COMPLETED.value,
    )
    if now is None:
        raise RuntimeError("a locked order has gone")
    return now

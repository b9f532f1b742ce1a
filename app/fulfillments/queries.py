"""Reading fulfilments and parcels, each in one statement."""

import uuid
from collections.abc import Sequence
from typing import Any

import orjson

from app import db
from app.kit.crypto import hash_token

_SHIPMENTS = """
    SELECT coalesce(json_agg(json_build_object(
        'id', s.id, 'carrier', s.carrier, 'trackingNumber', s.tracking_number, 'trackingUrl', s.tracking_url,
        'status', s.status, 'estimatedFrom', s.estimated_from, 'estimatedTo', s.estimated_to,
        'events', (
            SELECT coalesce(json_agg(json_build_object(
                'status', e.status, 'description', e.description, 'location', e.location, 'occurredAt', e.occurred_at
            ) ORDER BY e.occurred_at DESC, e.id DESC), '[]')
            FROM tracking_events e WHERE e.shipment_id = s.id
        )
    ) ORDER BY f.created_at, s.position), '[]')
"""

_FULFILLMENTS = f"""
    SELECT f.id, f.order_id, f.created_at,
        (
            SELECT coalesce(json_agg(json_build_object('id', l.id, 'orderLineId', l.order_line_id,
                                                       'quantity', l.quantity) ORDER BY l.id), '[]')
            FROM fulfillment_lines l WHERE l.fulfillment_id = f.id
        ) AS lines,
        ({_SHIPMENTS} FROM shipments s WHERE s.fulfillment_id = f.id) AS shipments
    FROM fulfillments f
    WHERE f.order_id = ANY($1) OR f.id = ANY($2)
    ORDER BY f.created_at, f.id
"""

_TRACKING = f"""
    SELECT o.id, o.number, o.status, o.fulfillment_status, o.shipping_quote -> 'estimatedDelivery' AS promised,
        (
            {_SHIPMENTS} FROM fulfillments f JOIN shipments s ON s.fulfillment_id = f.id WHERE f.order_id = o.id
        ) AS shipments
    FROM orders o
"""


def _decoded(row: db.Record) -> dict[str, Any]:
    decoded = dict(row)
    for column in ("lines", "shipments", "promised"):
        if isinstance(decoded.get(column), str):
            decoded[column] = orjson.loads(decoded[column])
    return decoded


async def of_orders(order_ids: Sequence[uuid.UUID]) -> list[dict[str, Any]]:
    """The orders' fulfilments, oldest first, with `lines` and `shipments` inside."""
    return [_decoded(row) for row in await db.fetch(_FULFILLMENTS, list(order_ids), [])]


async def by_ids(fulfillment_ids: Sequence[uuid.UUID]) -> list[dict[str, Any]]:
    return [_decoded(row) for row in await db.fetch(_FULFILLMENTS, [], list(fulfillment_ids))]


async def tracking_by_token(token: str) -> dict[str, Any] | None:
    """For the token on the receipt."""
    row = await db.fetchrow(f"{_TRACKING} WHERE o.token_hash = $1", hash_token(token))
    return _decoded(row) if row else None


async def tracking_by_number(number: str, email: str) -> dict[str, Any] | None:
    """For the order's number with the email that it was placed with; both have to fit."""
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    row = await db.fetchrow(f"{_TRACKING} WHERE o.number = $1 AND lower(o.email) = lower($2)", int(number), email)
    return _decoded(row) if row else None


async def tracking_of(order_id: uuid.UUID) -> dict[str, Any] | None:
    row = await db.fetchrow(f"{_TRACKING} WHERE o.id = $1", order_id)
    return _decoded(row) if row else None

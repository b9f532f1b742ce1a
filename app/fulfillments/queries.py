"""Reading fulfilments and parcels, each in one statement."""

import uuid
from collections.abc import Sequence
from typing import Any

import orjson

from app import db
from app.addresses.contact import email_key
from app.kit.crypto import hash_token

MAX_NUMBER_DIGITS = 18
"""More would not fit into a bigint."""

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

# What is cancelled is not on its way any more.
_TRACKING = f"""
    SELECT o.id, o.number, o.status, o.fulfillment_status,
        CASE WHEN o.status <> 'CANCELLED' THEN o.shipping_quote -> 'estimatedDelivery' END AS promised,
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
    """For the order's number, with or without its #, and the email that it was placed with; both have to fit."""
    digits, address = number.strip().removeprefix("#").strip(), email_key(email)
    if not digits.isascii() or not digits.isdigit() or len(digits) > MAX_NUMBER_DIGITS or not address.isprintable():
        return None
    row = await db.fetchrow(f"{_TRACKING} WHERE o.number = $1 AND lower(o.email) = $2", int(digits), address)
    return _decoded(row) if row else None


async def origin_country(attempt_id: uuid.UUID, variant_ids: Sequence[uuid.UUID]) -> str | None:
    """ISO 3166-1 alpha-2 of where these goods of an order are: None where they come from several countries.

    What is not counted is at the default warehouse.
    """
    rows = await db.fetch(
        """
        WITH places AS (
            SELECT s.warehouse_id FROM stock_reservations r JOIN stock_levels s ON s.id = r.stock_level_id
            WHERE r.attempt_id = $1 AND r.variant_id = ANY($2)
        )
        SELECT DISTINCT country_code FROM warehouses
        WHERE id IN (SELECT warehouse_id FROM places) OR (is_default AND NOT EXISTS (SELECT FROM places))
        """,
        attempt_id,
        list(variant_ids),
    )
    return rows[0]["country_code"] if len(rows) == 1 else None


async def tracking_of(order_id: uuid.UUID) -> dict[str, Any] | None:
    row = await db.fetchrow(f"{_TRACKING} WHERE o.id = $1", order_id)
    return _decoded(row) if row else None

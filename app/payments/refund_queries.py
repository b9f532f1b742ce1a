"""Reading refunds."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app import db

RefundRow = Mapping[str, Any]
"""Columns of `refunds`, decoded `lines`, and `refunded_minor` and `failure_code` of its parts."""

_SELECT = """
    SELECT r.id, r.order_id, r.source, r.target, r.state, r.amount_minor, r.shipping_minor, r.currency_code, r.lines,
           r.reason, r.notify_customer, r.created_at, r.updated_at, parts.refunded_minor, parts.failure_code
    FROM refunds r
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_minor) FILTER (WHERE state = 'SUCCEEDED'), 0)::bigint AS refunded_minor,
               min(failure_code) AS failure_code
        FROM refund_parts WHERE refund_id = r.id
    ) parts
"""


async def of_orders(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[RefundRow]]:
    """Each order's, the oldest first."""
    rows = await db.fetch(f"{_SELECT} WHERE r.order_id = ANY($1) ORDER BY r.id", list(order_ids))
    found: dict[uuid.UUID, list[RefundRow]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        found[row["order_id"]].append(_decoded(row))
    return found


async def by_ids(refund_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, RefundRow]:
    """Those that exist. Who may see them is the caller's to know."""
    rows = await db.fetch(f"{_SELECT} WHERE r.id = ANY($1)", list(refund_ids))
    return {row["id"]: _decoded(row) for row in rows}


def _decoded(row: db.Record) -> RefundRow:
    return {**row, "lines": orjson.loads(row["lines"])}

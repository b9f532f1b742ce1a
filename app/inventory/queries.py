"""Reading warehouses and stock."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app import db


@dataclass(frozen=True, slots=True)
class WarehouseRow:
    id: uuid.UUID
    code: str
    name: str
    is_default: bool
    priority: int
    """Stock is taken from the lowest first."""
    country_code: str | None
    time_zone: str
    """Of the IANA database."""
    pickup_enabled: bool
    address: dict[str, str] | None
    """As `PostalAddress.to_json` gives it."""
    opening_hours: list[dict[str, Any]]
    pickup_instructions: str
    pickup_ready_hours: int


@dataclass(frozen=True, slots=True)
class StockLevelRow:
    warehouse: WarehouseRow
    available: int
    reserved: int
    backordered: int
    updated_at: datetime


_WAREHOUSE = """
    w.id, w.code, w.name, w.is_default, w.priority, w.country_code, w.time_zone, w.pickup_enabled, w.address,
    w.opening_hours, w.pickup_instructions, w.pickup_ready_hours
"""


async def warehouses(ids: Sequence[uuid.UUID] | None = None) -> list[WarehouseRow]:
    """All of them, or those with these ids, in the order in which stock is taken from them."""
    rows = await db.fetch(
        f"""
        SELECT {_WAREHOUSE} FROM warehouses w
        WHERE $1::uuid[] IS NULL OR w.id = ANY($1) ORDER BY w.priority, w.id
        """,
        None if ids is None else list(ids),
    )
    return [_row(row) for row in rows]


def _row(values: Mapping[str, Any]) -> WarehouseRow:
    address = orjson.loads(values["address"]) if values["address"] else None
    return WarehouseRow(**{**values, "address": address, "opening_hours": orjson.loads(values["opening_hours"])})


async def stock_level(variant_id: uuid.UUID, warehouse_id: uuid.UUID) -> StockLevelRow | None:
    row = await db.fetchrow(
        f"""
        SELECT s.available, s.reserved, s.backordered, s.updated_at, {_WAREHOUSE}
        FROM stock_levels s JOIN warehouses w ON w.id = s.warehouse_id
        WHERE s.variant_id = $1 AND s.warehouse_id = $2
        """,
        variant_id,
        warehouse_id,
    )
    if row is None:
        return None
    values = dict(row)
    level = {name: values.pop(name) for name in ("available", "reserved", "backordered", "updated_at")}
    return StockLevelRow(warehouse=_row(values), **level)

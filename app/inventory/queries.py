"""Reading warehouses and stock."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True, slots=True)
class StockLevelRow:
    warehouse: WarehouseRow
    available: int
    reserved: int
    backordered: int
    updated_at: datetime


_WAREHOUSE = "w.id, w.code, w.name, w.is_default, w.priority, w.country_code, w.time_zone"


async def warehouses(ids: Sequence[uuid.UUID] | None = None) -> list[WarehouseRow]:
    """All of them, or those with these ids, in the order in which stock is taken from them."""
    rows = await db.fetch(
        f"""
        SELECT {_WAREHOUSE} FROM warehouses w
        WHERE $1::uuid[] IS NULL OR w.id = ANY($1) ORDER BY w.priority, w.id
        """,
        None if ids is None else list(ids),
    )
    return [WarehouseRow(**row) for row in rows]


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
    return StockLevelRow(warehouse=WarehouseRow(**values), **level)

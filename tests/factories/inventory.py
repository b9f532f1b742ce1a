"""Warehouses and stock, as rows."""

import uuid

from app import db
from app.kit.ids import new_id


async def default_warehouse() -> uuid.UUID:
    """The default warehouse's id; made when there is none."""
    found: uuid.UUID | None = await db.fetchval("SELECT id FROM warehouses WHERE is_default")
    return found or await warehouse(code="MAIN", name="Main warehouse", is_default=True)


async def warehouse(
    *, code: str = "EAST", name: str = "East", is_default: bool = False, priority: int = 0, country_code: str = "US"
) -> uuid.UUID:
    warehouse_id = new_id()
    await db.execute(
        """
        INSERT INTO warehouses (id, code, name, is_default, priority, country_code, time_zone, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'UTC', clock_timestamp())
        """,
        warehouse_id,
        code,
        name,
        is_default,
        priority,
        country_code,
    )
    return warehouse_id


async def stock(
    variant_id: uuid.UUID,
    available: int,
    *,
    reserved: int = 0,
    backordered: int = 0,
    warehouse_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Sets a level, at the default warehouse unless another is named, and notes it; returns the level's id."""
    level_id: uuid.UUID = await db.fetchval(
        """
        WITH before AS (
            SELECT available FROM stock_levels WHERE variant_id = $2 AND warehouse_id = $3
        ), level AS (
            INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
            ON CONFLICT (variant_id, warehouse_id) DO UPDATE SET
                available = EXCLUDED.available, reserved = EXCLUDED.reserved, backordered = EXCLUDED.backordered
            RETURNING id, available
        ), moved AS (
            INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, created_at)
            SELECT $7, level.id, level.available - coalesce(before.available, 0), 'made for a test', clock_timestamp()
            FROM level LEFT JOIN before ON true
            WHERE level.available <> coalesce(before.available, 0)
        )
        SELECT id FROM level
        """,
        new_id(),
        variant_id,
        warehouse_id or await default_warehouse(),
        available,
        reserved,
        backordered,
        new_id(),
    )
    return level_id


async def available(variant_id: uuid.UUID) -> int:
    """What can be sold of a variant, over all warehouses."""
    units: int = await db.fetchval(
        "SELECT coalesce(sum(available), 0) FROM stock_levels WHERE variant_id = $1", variant_id
    )
    return units

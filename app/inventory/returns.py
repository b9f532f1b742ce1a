"""Goods that had left and came back: they can be sold again, from where they left."""

import uuid
from collections.abc import Mapping

import orjson

from app import db
from app.alerts import watching

MOVED_BY_RETURN = "return"

# Levels are locked in the order of their ids by one statement and changed by the next, as everywhere.
_WANTED = """
    wanted AS (
        SELECT (
            SELECT r.stock_level_id FROM stock_reservations r
            WHERE r.attempt_id = $1 AND r.variant_id = l.variant_id AND r.shipped_quantity > 0
            ORDER BY r.shipped_quantity DESC, r.stock_level_id LIMIT 1
        ) AS level_id, sum(n.quantity)::int AS units
        FROM jsonb_to_recordset($2::jsonb) AS n (id uuid, quantity int)
        JOIN order_lines l ON l.id = n.id AND l.track_inventory
        GROUP BY l.variant_id
    )
"""
_LOCK = f"""
    WITH {_WANTED}
    SELECT id FROM stock_levels WHERE id IN (SELECT level_id FROM wanted) ORDER BY id FOR NO KEY UPDATE
"""
_TAKE_BACK = f"""
    WITH {_WANTED}, summed AS (
        SELECT level_id, sum(units)::int AS units FROM wanted WHERE level_id IS NOT NULL GROUP BY level_id
    ), levels AS (
        UPDATE stock_levels s SET available = s.available + summed.units, updated_at = business_now()
        FROM summed WHERE s.id = summed.level_id RETURNING s.id, s.variant_id, summed.units
    ), moved AS (
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
        SELECT gen_random_uuid(), id, units, '{MOVED_BY_RETURN}', $3, business_now() FROM levels
    )
    SELECT variant_id FROM levels
"""


async def take_back(attempt_id: uuid.UUID, order_id: uuid.UUID, units: Mapping[uuid.UUID, int]) -> None:
    """In the open unit of work, which has the order locked.

    Args:
        units: by order line; of what is not counted, nothing happens.
    """
    db.current_unit_of_work()
    wanted = orjson.dumps([{"id": str(line_id), "quantity": n} for line_id, n in units.items()]).decode()
    await db.fetch(_LOCK, attempt_id, wanted)
    await watching.changed(row["variant_id"] for row in await db.fetch(_TAKE_BACK, attempt_id, wanted, order_id))

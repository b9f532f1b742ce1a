"""Stock that a file or a form states as a whole, many variants at once, at the default warehouse.

Every change leaves a movement. Levels are locked in the order of their ids, and made in that of their variants', so
that nobody waits in a circle. All of it joins the open unit of work.
"""

import uuid
from collections.abc import Mapping

from app import db
from app.alerts import watching
from app.inventory.models import MAX_UNITS
from app.kit.ids import new_id

DEFAULT_WAREHOUSE_CODE = "MAIN"


async def default_warehouse_id() -> uuid.UUID:
    """The default warehouse; a shop that has none gets one, called “Main warehouse”."""
    found: uuid.UUID | None = await db.fetchval("SELECT id FROM warehouses WHERE is_default")
    if found is not None:
        return found
    await db.execute(
        """
        INSERT INTO warehouses (id, code, name, is_default, priority, time_zone, created_at)
        VALUES ($1, $2, 'Main warehouse', true, 0, 'UTC', business_now())
        ON CONFLICT DO NOTHING
        """,
        new_id(),
        DEFAULT_WAREHOUSE_CODE,
    )
    made: uuid.UUID = await db.fetchval("SELECT id FROM warehouses WHERE is_default")
    return made


async def open_levels(quantities: Mapping[uuid.UUID, int], *, reason: str, reference_id: uuid.UUID | None) -> int:
    """Give variants without stock at the default warehouse their first level. Existing levels stay as they are.

    Args:
        quantities: units that can be sold, by variant; zero or more.
        reference_id: the job or staff user behind it.

    Returns:
        The number of levels that were opened.
    """
    if not quantities:
        return 0
    rows = await db.fetch(
        """
        INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
        SELECT n.id, n.variant_id, $4, n.available, 0, 0, business_now()
        FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS n (id, variant_id, available)
        ORDER BY n.variant_id
        ON CONFLICT DO NOTHING
        RETURNING id, variant_id, available
        """,
        [new_id() for _ in quantities],
        list(quantities),
        list(quantities.values()),
        await default_warehouse_id(),
    )
    await _note({row["id"]: row["available"] for row in rows}, reason, reference_id)
    await watching.changed(row["variant_id"] for row in rows if row["available"] > 0)
    return len(rows)


async def restate_levels(quantities: Mapping[uuid.UUID, int], *, reason: str, reference_id: uuid.UUID | None) -> int:
    """Set what can be sold at the default warehouse, whatever was sold before; reservations stay.

    A quantity that a level cannot hold beside what is reserved becomes the largest that it can.

    Returns:
        The number of levels that changed.
    """
    if not quantities:
        return 0
    warehouse_id = await default_warehouse_id()
    rows = await db.fetch(
        """
        SELECT id, variant_id, available, reserved FROM stock_levels WHERE warehouse_id = $1 AND variant_id = ANY($2)
        ORDER BY id FOR NO KEY UPDATE
        """,
        warehouse_id,
        list(quantities),
    )
    stated = {row["id"]: min(quantities[row["variant_id"]], MAX_UNITS - row["reserved"]) for row in rows}
    deltas = {row["id"]: stated[row["id"]] - row["available"] for row in rows if stated[row["id"]] != row["available"]}
    if deltas:
        await db.execute(
            """
            UPDATE stock_levels s SET available = s.available + d.delta, updated_at = business_now()
            FROM unnest($1::uuid[], $2::int[]) AS d (id, delta) WHERE s.id = d.id
            """,
            list(deltas),
            list(deltas.values()),
        )
        await _note(deltas, reason, reference_id)
        await watching.changed(row["variant_id"] for row in rows if deltas.get(row["id"], 0) > 0)
    levelled = {row["variant_id"] for row in rows}
    missing = {variant: quantity for variant, quantity in quantities.items() if variant not in levelled}
    return len(deltas) + await open_levels(missing, reason=reason, reference_id=reference_id)


async def _note(deltas: Mapping[uuid.UUID, int], reason: str, reference_id: uuid.UUID | None) -> None:
    moved = {level: delta for level, delta in deltas.items() if delta}
    if not moved:
        return
    await db.execute(
        """
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
        SELECT m.id, m.level_id, m.delta, $4, $5, business_now()
        FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS m (id, level_id, delta)
        """,
        [new_id() for _ in moved],
        list(moved),
        list(moved.values()),
        reason,
        reference_id,
    )

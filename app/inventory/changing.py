"""The units of an order that is edited: given back to where they came from, or taken in addition. Exact, under lock."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import db
from app.alerts import watching
from app.inventory import reservations
from app.inventory.allocation import Demand, Share
from app.kit.ids import new_id

MOVED_BY_EDIT = "order edited"

_LOCK = "SELECT id FROM stock_levels WHERE variant_id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
_HELD = """
    SELECT r.id, r.variant_id, r.stock_level_id, r.quantity, r.backordered, r.shipped_quantity
    FROM stock_reservations r JOIN stock_levels s ON s.id = r.stock_level_id JOIN warehouses w ON w.id = s.warehouse_id
    WHERE r.attempt_id = $1 AND r.state = 'COMMITTED' AND r.variant_id = ANY($2)
    ORDER BY w.priority DESC, r.id DESC
"""
_GIVE_BACK = """
    WITH share AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[])
            AS n (reservation_id, level_id, quantity, backordered)
    ), lowered AS (
        UPDATE stock_reservations r
        SET quantity = r.quantity - share.quantity, backordered = r.backordered - share.backordered,
            state = CASE
                WHEN r.shipped_quantity = r.quantity - share.quantity + r.backordered - share.backordered THEN 'SHIPPED'
                ELSE r.state END
        FROM share WHERE r.id = share.reservation_id
          AND r.quantity + r.backordered > share.quantity + share.backordered
    ), gone AS (
        DELETE FROM stock_reservations r USING share
        WHERE r.id = share.reservation_id AND r.quantity + r.backordered = share.quantity + share.backordered
    ), level AS (
        SELECT level_id, sum(quantity)::int AS quantity, sum(backordered)::int AS backordered FROM share GROUP BY 1
    ), changed AS (
        UPDATE stock_levels l
        SET available = l.available + level.quantity, reserved = l.reserved - level.quantity,
            backordered = l.backordered - level.backordered, updated_at = business_now()
        FROM level WHERE l.id = level.level_id
    )
    INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
    SELECT gen_random_uuid(), level_id, quantity, $6, $5, business_now() FROM level WHERE quantity > 0
"""
_TAKE = """
    WITH share AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[])
            AS n (id, level_id, variant_id, quantity, backordered)
    ), held AS (
        INSERT INTO stock_reservations (id, attempt_id, stock_level_id, variant_id, quantity, backordered, state,
                                        shipped_quantity, expires_at, created_at)
        SELECT id, $6, level_id, variant_id, quantity, backordered, 'COMMITTED', 0, NULL, business_now() FROM share
    ), changed AS (
        UPDATE stock_levels l
        SET available = l.available - share.quantity, reserved = l.reserved + share.quantity,
            backordered = l.backordered + share.backordered, updated_at = business_now()
        FROM share WHERE l.id = share.level_id
    )
    INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
    SELECT gen_random_uuid(), level_id, -quantity, $8, $7, business_now() FROM share WHERE quantity > 0
"""


async def change(
    attempt_id: uuid.UUID, order_id: uuid.UUID, fewer: Mapping[uuid.UUID, int], more: Sequence[Demand]
) -> dict[uuid.UUID, int]:
    """Give back and take units of an order, in the open unit of work, which has the order locked.

    Args:
        fewer: units to give back, by variant; none of them has shipped.
        more: units to take in addition; of other variants.

    Returns:
        The units that can be sold of each variant that there are too few of. Nothing was taken then, and the unit of
        work has to be rolled back.
    """
    db.current_unit_of_work()
    # All of them at once, in the order of their ids, as everybody who draws on several levels locks them.
    await db.execute(_LOCK, [*fewer, *(demand.variant_id for demand in more)])
    if fewer:
        await _give_back(attempt_id, order_id, fewer)
    if not more:
        return {}
    found = await reservations.find(more)
    if found.shares:
        await _take(attempt_id, order_id, found.shares)
    return found.missing


@dataclass(slots=True)
class _Share:
    """What one reservation gives back: units that are held, and units that are owed."""

    level_id: uuid.UUID
    held: int = 0
    owed: int = 0


async def _give_back(attempt_id: uuid.UUID, order_id: uuid.UUID, fewer: Mapping[uuid.UUID, int]) -> None:
    """What is owed goes first, whichever reservation owes it: it is not there yet."""
    rows = await db.fetch(_HELD, attempt_id, list(fewer))
    left, shares = dict(fewer), {row["id"]: _Share(row["stock_level_id"]) for row in rows}
    for row in rows:
        part = min(left[row["variant_id"]], row["backordered"] - max(0, row["shipped_quantity"] - row["quantity"]))
        shares[row["id"]].owed = part
        left[row["variant_id"]] -= part
    for row in rows:
        part = min(left[row["variant_id"]], max(0, row["quantity"] - row["shipped_quantity"]))
        shares[row["id"]].held = part
        left[row["variant_id"]] -= part
    if any(left.values()):
        raise RuntimeError("an order has fewer units than it gives back")
    given = {row_id: share for row_id, share in shares.items() if share.owed or share.held}
    await db.execute(
        _GIVE_BACK,
        list(given),
        [share.level_id for share in given.values()],
        [share.held for share in given.values()],
        [share.owed for share in given.values()],
        order_id,
        MOVED_BY_EDIT,
    )
    await watching.changed(fewer)


async def _take(attempt_id: uuid.UUID, order_id: uuid.UUID, shares: Sequence[Share]) -> None:
    await db.execute(
        _TAKE,
        [new_id() for _ in shares],
        [share.level_id for share in shares],
        [share.variant_id for share in shares],
        [share.quantity for share in shares],
        [share.backordered for share in shares],
        attempt_id,
        order_id,
        MOVED_BY_EDIT,
    )

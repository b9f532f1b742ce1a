"""How promised units leave the shelf, in parcels or with the order itself.

Both functions join the open unit of work, and may be called for any part of an order, as often as parcels leave. What
the words mean is told in `app/inventory/reservations.py`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import db

MOVED_BY_SHIPMENT = "backorder shipped"


async def ship(attempt_id: uuid.UUID, units: Mapping[uuid.UUID, int]) -> None:
    """Units of an order left the shelf.

    Those that were there at the sale go first. A back-ordered unit came in later, into what can be sold, and leaves
    from there.

    Args:
        units: by variant; of variants that are not counted there are no reservations, and nothing happens.
    """
    db.current_unit_of_work()
    rows = await db.fetch(
        """
        SELECT r.id, r.stock_level_id, r.variant_id, r.quantity, r.backordered, r.shipped_quantity
        FROM stock_reservations r JOIN stock_levels s ON s.id = r.stock_level_id
        WHERE r.attempt_id = $1 AND r.state = 'COMMITTED' AND r.variant_id = ANY($2)
        ORDER BY s.id, r.id FOR NO KEY UPDATE
        """,
        attempt_id,
        list(units),
    )
    left = dict(units)
    shares: list[_Shipped] = []
    for row in rows:
        share = _Shipped.of(row, left[row["variant_id"]])
        left[row["variant_id"]] -= share.units
        if share.units:
            shares.append(share)
    if shares:
        await _write_shipped(shares, attempt_id)


async def ship_rest(attempt_id: uuid.UUID) -> None:
    """The order is complete: what goes into no parcel, such as the seats of a course, was handed over with it."""
    rows = await db.fetch(
        """
        SELECT variant_id, sum(quantity + backordered - shipped_quantity)::int AS units
        FROM stock_reservations WHERE attempt_id = $1 AND state = 'COMMITTED' GROUP BY variant_id
        """,
        attempt_id,
    )
    if rows:
        await ship(attempt_id, {row["variant_id"]: row["units"] for row in rows})


@dataclass(frozen=True, slots=True)
class _Shipped:
    """What leaves of one reservation: units that were reserved, and units that were owed."""

    reservation_id: uuid.UUID
    stock_level_id: uuid.UUID
    reserved: int
    owed: int

    @property
    def units(self) -> int:
        return self.reserved + self.owed

    @classmethod
    def of(cls, row: db.Record, wanted: int) -> "_Shipped":
        reserved_left = max(0, row["quantity"] - row["shipped_quantity"])
        owed_left = row["quantity"] + row["backordered"] - row["shipped_quantity"] - reserved_left
        reserved = min(wanted, reserved_left)
        return cls(row["id"], row["stock_level_id"], reserved, min(wanted - reserved, owed_left))


async def _write_shipped(shares: Sequence[_Shipped], attempt_id: uuid.UUID) -> None:
    await db.execute(
        """
        WITH shares AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[])
                AS n (reservation_id, stock_level_id, reserved, owed)
        ), shipped AS (
            UPDATE stock_reservations r
            SET shipped_quantity = shipped_quantity + shares.reserved + shares.owed,
                state = CASE WHEN shipped_quantity + shares.reserved + shares.owed = quantity + backordered
                        THEN 'SHIPPED' ELSE state END
            FROM shares WHERE r.id = shares.reservation_id
        ), levels AS (
            SELECT s.id, l.reserved, l.owed, least(s.available, l.owed) AS from_available
            FROM stock_levels s
            JOIN (
                SELECT stock_level_id, sum(reserved)::int AS reserved, sum(owed)::int AS owed
                FROM shares GROUP BY stock_level_id
            ) l ON l.stock_level_id = s.id
        ), left_the_shelf AS (
            UPDATE stock_levels s
            SET reserved = s.reserved - levels.reserved, backordered = s.backordered - levels.owed,
                available = s.available - levels.from_available, updated_at = business_now()
            FROM levels WHERE s.id = levels.id
        )
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
        SELECT gen_random_uuid(), levels.id, -from_available, $6, o.id, business_now()
        FROM levels LEFT JOIN orders o ON o.attempt_id = $5 WHERE from_available > 0
        """,
        [share.reservation_id for share in shares],
        [share.stock_level_id for share in shares],
        [share.reserved for share in shares],
        [share.owed for share in shares],
        attempt_id,
        MOVED_BY_SHIPMENT,
    )

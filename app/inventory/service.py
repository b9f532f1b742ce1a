"""Stock by hand: staff say how much there is, or how much came or went."""

import uuid
from dataclasses import dataclass

from app import db
from app.alerts import watching
from app.errors import CommonErrorCode, DomainError, not_found
from app.inventory.errors import InsufficientStock
from app.inventory.models import MAX_UNITS
from app.inventory.receiving import default_warehouse_id
from app.kit.ids import new_id
from app.kit.text import check_text

MAX_REASON_CHARS = 120
DEFAULT_REASON = "Adjusted by staff"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Exactly one of `set_to` and `delta`; both are about what can be sold.

    Attributes:
        set_to: units that can be sold from now on. What is promised to checkouts and orders is not among them and
            stays promised, so a count of the shelf has to leave those out.
        delta: units that came (or went, below zero). What was sold beyond the stock is taken from them when it ships.
    """

    variant_id: uuid.UUID
    warehouse_id: uuid.UUID | None = None
    """The default one unless said."""
    set_to: int | None = None
    delta: int | None = None
    reason: str | None = None


async def adjust(adjustment: Adjustment, *, staff_id: uuid.UUID | None = None) -> uuid.UUID:
    """Change a level and note the movement; returns the warehouse that it is in. Any number at once add up.

    Raises:
        DomainError: INVALID unless exactly one of the two is given, NOT_FOUND, OUT_OF_RANGE, TOO_LONG.
        InsufficientStock: there is less than is to go.
    """
    reason = _checked_reason(adjustment)
    async with db.unit_of_work():
        if not await db.fetchval(
            "SELECT EXISTS (SELECT FROM product_variants WHERE id = $1 AND removed_at IS NULL)", adjustment.variant_id
        ):
            raise not_found("variant", ["input", "variantId"])
        warehouse_id = adjustment.warehouse_id or await default_warehouse_id()
        level = await _locked_level(adjustment.variant_id, warehouse_id)
        delta = adjustment.delta if adjustment.set_to is None else adjustment.set_to - level["available"]
        if delta:
            _check(level, delta, "delta" if adjustment.set_to is None else "setTo")
            await _move(level["id"], delta, reason, staff_id)
            if delta > 0:
                await watching.changed([adjustment.variant_id])
    return warehouse_id


def _checked_reason(adjustment: Adjustment) -> str:
    if (adjustment.set_to is None) == (adjustment.delta is None):
        raise DomainError(CommonErrorCode.INVALID, "Give either setTo or delta.", ["input"])
    if adjustment.set_to is not None and not 0 <= adjustment.set_to <= MAX_UNITS:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "Stock cannot be below zero.", ["input", "setTo"])
    reason = " ".join((adjustment.reason or "").split())
    if error := check_text(reason, MAX_REASON_CHARS, ["input", "reason"]):
        raise error
    return reason or DEFAULT_REASON


def _check(level: db.Record, delta: int, argument: str) -> None:
    available: int = level["available"]
    if available + delta < 0:
        message = f"Only {available} can be taken away: the rest is sold, promised or not there."
        raise InsufficientStock(available, message, ["input", argument])
    if available + level["reserved"] + delta > MAX_UNITS:
        message = f"At most {MAX_UNITS:,} units, those that are promised included."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["input", argument])


async def _locked_level(variant_id: uuid.UUID, warehouse_id: uuid.UUID) -> db.Record:
    """Raises DomainError(NOT_FOUND) for the warehouse."""
    query = """
        SELECT id, available, reserved FROM stock_levels WHERE variant_id = $1 AND warehouse_id = $2
        FOR NO KEY UPDATE
    """
    level = await db.fetchrow(query, variant_id, warehouse_id)
    if level is None:
        opened = await db.execute(
            """
            INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
            SELECT $3, $1, w.id, 0, 0, 0, business_now() FROM warehouses w WHERE w.id = $2
            ON CONFLICT (variant_id, warehouse_id) DO NOTHING
            """,
            variant_id,
            warehouse_id,
            new_id(),
        )
        level = await db.fetchrow(query, variant_id, warehouse_id)
        if level is None and not opened:
            raise not_found("warehouse", ["input", "warehouseId"])
    if level is None:
        raise RuntimeError("the level was deleted between two statements")
    return level


async def _move(level_id: uuid.UUID, delta: int, reason: str, staff_id: uuid.UUID | None) -> None:
    await db.execute(
        """
        WITH moved AS (
            UPDATE stock_levels SET available = available + $2, updated_at = business_now() WHERE id = $1 RETURNING id
        )
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
        SELECT $3, id, $2, $4, $5, business_now() FROM moved
        """,
        level_id,
        delta,
        new_id(),
        reason,
        staff_id,
    )

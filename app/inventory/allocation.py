"""Which warehouse gives how many units: decided on levels that are locked, without I/O."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """Units of one variant, over all lines that want it."""

    variant_id: uuid.UUID
    quantity: int
    may_backorder: bool
    warehouse_id: uuid.UUID | None = None
    """The only one that may give it, where it is fetched from there."""


@dataclass(frozen=True, slots=True)
class Level:
    """What one warehouse has of a variant."""

    id: uuid.UUID
    variant_id: uuid.UUID
    available: int
    """On the shelf and promised to nobody."""
    owed: int = 0
    """Sold before it was there; to be taken from what is available."""
    warehouse_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one level gives, and what it owes beyond that."""

    level_id: uuid.UUID
    variant_id: uuid.UUID
    quantity: int
    backordered: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """`missing` has the units that can be sold of each variant that there are too few of; then there are no shares."""

    shares: list[Share]
    missing: dict[uuid.UUID, int]


def allocate(demands: Sequence[Demand], levels: Sequence[Level]) -> Allocation:
    """Give every demand what it wants, or nothing to any. What is owed to others, at any warehouse, is not for sale.

    Args:
        demands: at most one for a variant.
        levels: of each variant in the order in which they are to be sold from. Where all of them do not suffice and the
            variant may be sold beyond its stock, the first one owes the rest.
    """
    of_variant: dict[uuid.UUID, list[Level]] = defaultdict(list)
    for level in levels:
        of_variant[level.variant_id].append(level)
    shares: list[Share] = []
    missing: dict[uuid.UUID, int] = {}
    for demand in demands:
        found = [level for level in of_variant[demand.variant_id] if demand.warehouse_id in (None, level.warehouse_id)]
        available = max(0, sum(level.available - level.owed for level in found))
        owed = max(0, demand.quantity - available)
        if owed and not (demand.may_backorder and found):
            missing[demand.variant_id] = available
            continue
        left = demand.quantity - owed
        for level in found:
            taken = min(left, max(0, level.available - level.owed))
            if taken or owed:
                shares.append(Share(level.id, demand.variant_id, taken, owed))
            left, owed = left - taken, 0
    return Allocation([], missing) if missing else Allocation(shares, {})

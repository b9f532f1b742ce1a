"""Pure decisions: what is still to be shipped, and where a parcel stands after its events."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.errors import CommonErrorCode, DomainError
from app.fulfillments.errors import FulfillmentErrorCode
from app.fulfillments.models import ShipmentStatus

_PROGRESS = {
    ShipmentStatus.LABEL_CREATED: 0,
    ShipmentStatus.IN_TRANSIT: 1,
    ShipmentStatus.DELAYED: 1,
    ShipmentStatus.OUT_FOR_DELIVERY: 2,
    ShipmentStatus.FAILED: 2,
    ShipmentStatus.DELIVERED: 3,
    ShipmentStatus.RETURNED: 4,
}
"""How far each status is on a parcel's way; at the same distance the newer event counts, and of two at the same moment
the one that is named later here: bad news is not hidden."""
_RANK = {status: rank for rank, status in enumerate(_PROGRESS)}


def status_after(events: Iterable[tuple[ShipmentStatus, datetime]]) -> ShipmentStatus:
    """Where a parcel stands, from all of its events in any order.

    It never moves backward: an event that arrives late, or again, changes nothing. A failed delivery may be followed by
    another try, and a delay by going on.
    """
    furthest = max(events, key=lambda event: (_PROGRESS[event[0]], event[1], _RANK[event[0]]), default=None)
    return furthest[0] if furthest else ShipmentStatus.LABEL_CREATED


@dataclass(frozen=True, slots=True)
class OrderedLine:
    id: uuid.UUID
    variant_id: uuid.UUID
    quantity: int
    fulfilled: int
    requires_shipping: bool

    @property
    def remaining(self) -> int:
        return self.quantity - self.fulfilled if self.requires_shipping else 0


def lines_to_ship(
    ordered: Sequence[OrderedLine], wanted: Sequence[tuple[uuid.UUID, int]] | None
) -> Mapping[uuid.UUID, int]:
    """Units by order line; without `wanted`, everything that is still to be shipped.

    Raises:
        DomainError: NOTHING_TO_FULFILL, NOT_FOUND for a line of another order, OUT_OF_RANGE for less than one unit,
            FULFILLMENT_EXCEEDS_ORDER.
    """
    if wanted is None:
        rest = {line.id: line.remaining for line in ordered if line.remaining > 0}
        if not rest:
            raise DomainError(FulfillmentErrorCode.NOTHING_TO_FULFILL, "Nothing of the order is still to be shipped.")
        return rest
    by_id = {line.id: line for line in ordered}
    units: dict[uuid.UUID, int] = {}
    for position, (line_id, quantity) in enumerate(wanted):
        at: list[str | int] = ["input", "lines", position]
        line = by_id.get(line_id)
        if line is None:
            raise DomainError(CommonErrorCode.NOT_FOUND, "The order has no such line.", [*at, "orderLineId"])
        if quantity < 1:
            raise DomainError(CommonErrorCode.OUT_OF_RANGE, "At least one unit.", [*at, "quantity"])
        units[line_id] = units.get(line_id, 0) + quantity
        if units[line_id] > line.remaining:
            raise DomainError(
                FulfillmentErrorCode.FULFILLMENT_EXCEEDS_ORDER,
                f"Still to be shipped of this line: {line.remaining}."
                if line.requires_shipping
                else "This line is nothing that is shipped.",
                [*at, "quantity"],
            )
    if not units:
        raise DomainError(FulfillmentErrorCode.NOTHING_TO_FULFILL, "Name at least one line.", ["input", "lines"])
    return units

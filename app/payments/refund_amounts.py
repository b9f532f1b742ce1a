"""What the lines of a refund are worth, to the last minor unit. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """A line as it was sold; amounts in minor units.

    Attributes:
        gross_minor: for all of it: discounts taken off, gift wrap and tax with it.
        refunded: units that were refunded before.
        returnable: units that have left and were not taken back to stock before.
        spent: of gift cards, those that somebody has paid with: what is on them is not the buyer's to have back.
    """

    id: uuid.UUID
    quantity: int
    gross_minor: int
    refunded: int = 0
    returnable: int = 0
    spent: int = 0

    @property
    def left(self) -> int:
        return max(0, self.quantity - self.refunded - self.spent)

    def value(self, quantity: int) -> int:
        """Of the next units: any way of refunding a line part by part adds up to all of it."""
        return self._first(self.refunded + quantity) - self._first(self.refunded)

    def _first(self, units: int) -> int:
        return self.gross_minor * units // self.quantity


@dataclass(frozen=True, slots=True)
class Payable:
    """A payment that can be given back through, and how much of it."""

    payment_id: uuid.UUID
    room_minor: int


def share_out(amount_minor: int, payments: Sequence[Payable], *, stored_minor: int) -> Mapping[uuid.UUID | None, int]:
    """Through which payments an amount goes back: the newest first, and what is left to stored value (None).

    Args:
        payments: the oldest first.
        stored_minor: what stored value can take back.

    Raises:
        ValueError: for more than all of them take.
    """
    parts: dict[uuid.UUID | None, int] = {}
    left = amount_minor
    for payment in reversed(payments):
        if part := min(left, payment.room_minor):
            parts[payment.payment_id] = part
            left -= part
    if part := min(left, stored_minor):
        parts[None] = part
        left -= part
    if left:
        raise ValueError("more than was paid")
    return parts

"""What a client can get wrong about stock."""

from collections.abc import Sequence

from app.errors import DomainError, ErrorCode


class InventoryErrorCode(ErrorCode):
    INSUFFICIENT_STOCK = "There is less in stock than was asked for; `availableQuantity` says how much."


class InsufficientStock(DomainError):  # noqa: N818 - named after what happened  # noqa: N818 - reads like the code that it carries
    """Asked for more than there is.

    Args:
        available_quantity: units that can be had now; the public schema shows it as `availableQuantity`.
    """

    def __init__(self, available_quantity: int, message: str, field: Sequence[str | int] | None = None) -> None:
        super().__init__(InventoryErrorCode.INSUFFICIENT_STOCK, message, field)
        self.available_quantity = available_quantity

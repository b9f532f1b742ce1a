"""What a client can hear when it completes a checkout."""

from collections.abc import Sequence

from app.errors import DomainError, ErrorCode
from app.kit.money import Money


class CheckoutErrorCode(ErrorCode):
    AMOUNT_DUE_CHANGED = (
        "Gift cards and store credit leave another amount to pay than the shopper was shown; `amountDue` says what."
    )
    CART_EMPTY = "There is nothing in the cart."
    IN_PROGRESS = (
        "The cart is being paid for at this moment. Ask again with the same key: the answer is the order, a refusal, "
        "or this again."
    )
    IDEMPOTENCY_KEY_REUSED = "The idempotency key came with another input before; nothing was done now."
    TOTAL_CHANGED = "The total is not the one that the shopper was shown; `total` says what it is."


class TotalChanged(DomainError):  # noqa: N818 - named after what happened
    """Nobody pays a price that they did not see."""

    def __init__(self, total: Money, message: str, field: Sequence[str | int] | None = None) -> None:
        super().__init__(CheckoutErrorCode.TOTAL_CHANGED, message, field)
        self.total = total


class AmountDueChanged(DomainError):  # noqa: N818 - named after what happened
    """A gift card was spent elsewhere: nobody pays an amount that they did not see."""

    def __init__(self, due: Money, message: str, field: Sequence[str | int] | None = None) -> None:
        super().__init__(CheckoutErrorCode.AMOUNT_DUE_CHANGED, message, field)
        self.due = due


def in_progress() -> DomainError:
    return DomainError(
        CheckoutErrorCode.IN_PROGRESS, "The cart is being paid for; ask again with the same key.", ["input"]
    )

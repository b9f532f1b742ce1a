"""What staff can hear about orders."""

from app.errors import ErrorCode


class OrderErrorCode(ErrorCode):
    ORDER_CANCELLED = "The order is cancelled already."
    ORDER_FULFILLED = "Something of the order has been shipped or delivered, so it cannot be cancelled."
    PAYMENT_NOT_DUE = "Nothing is to be collected for the order: it is paid or cancelled, or a gateway takes the money."
    ORDER_NOT_EDITABLE = "The order cannot be edited any more: it is complete, cancelled, refunded or being captured."
    LINE_NOT_EDITABLE = "This line cannot be changed: some of it has been shipped, or it is a gift card."
    ORDER_EMPTY = "An order keeps one line at least; cancel it instead."
    ADDRESS_CHANGES_PRICE = "The new address would change taxes or shipping; ask the shop."

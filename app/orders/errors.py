"""What staff can hear about orders."""

from app.errors import ErrorCode


class OrderErrorCode(ErrorCode):
    ORDER_CANCELLED = "The order is cancelled already."
    ORDER_FULFILLED = "Something of the order has been shipped or delivered, so it cannot be cancelled."
    PAYMENT_NOT_DUE = "Nothing is to be collected for the order: it is paid or cancelled, or a gateway takes the money."

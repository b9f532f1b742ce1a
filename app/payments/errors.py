"""What a client can hear about payments."""

from app.errors import ErrorCode


class PaymentErrorCode(ErrorCode):
    PAYMENT_DECLINED = "The payment was declined; nothing was charged. Try again with another one and a new key."
    PAYMENT_EXPIRED = "The payment was not confirmed in time; nothing was charged. Try again with a new key."
    PAYMENT_NOT_COMPLETED = "The payment was interrupted; nothing was charged. Try again with a new key."
    PAYMENT_METHOD_UNAVAILABLE = "The shop does not offer this way to pay for this order."
    PAYMENT_CAPTURED = "The money has been taken already, so that cancelling would need a refund."

"""What a client can hear about payments."""

from app.errors import ErrorCode


class PaymentErrorCode(ErrorCode):
    PAYMENT_DECLINED = "The payment was declined; nothing was charged. Try again with another one and a new key."
    PAYMENT_EXPIRED = "The payment was not confirmed in time; nothing was charged. Try again with a new key."
    PAYMENT_NOT_COMPLETED = "The payment was interrupted; nothing was charged. Try again with a new key."
    PAYMENT_METHOD_UNAVAILABLE = "The shop does not offer this way to pay for this order."
    PAYMENT_CAPTURED = "The money has been taken already, so that cancelling would need a refund."
    PAYMENT_IN_PROGRESS = "The money is being taken or paid at this moment; try again in a minute."
    CREDIT_LIMIT_EXCEEDED = "The company would owe more than was agreed; pay another way, or for earlier orders first."
    REFUND_TOO_LARGE = "So much is not left to refund, of the line, of shipping or of the whole order."
    NOT_RETURNABLE = "So many units have not left the shop, or are back already, so they cannot be taken back to stock."
    STORE_CREDIT_UNAVAILABLE = "The order belongs to no account, and only accounts have store credit."

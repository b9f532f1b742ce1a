"""The states and kinds of payments, as clients see them."""

from app.payments.gateway import PaymentActionType
from app.payments.models import PaymentMethod, PaymentState
from schema.enums import describe_enum

describe_enum(
    PaymentMethod,
    "How a shopper pays.",
    CARD="By card, through a payment gateway.",
    CASH_ON_DELIVERY="To whoever brings the goods.",
)
describe_enum(
    PaymentState,
    "Where a payment is in its life.",
    PENDING="To be collected, or not decided by the gateway yet.",
    REQUIRES_ACTION="The shopper has to confirm it with their bank.",
    AUTHORIZED="The money is set aside for the shop.",
    CAPTURING="The goods have left; the gateway is asked for the money.",
    CAPTURED="The shop has the money.",
    FAILED="Declined.",
    VOIDING="To be given back; the gateway is asked until it confirms.",
    VOIDED="Given back; nothing was or will be taken.",
)
describe_enum(
    PaymentActionType,
    "What kind of thing the shopper has to do.",
    REDIRECT="Open `url`; it comes back to the payment's `returnUrl`.",
)

__all__ = ["PaymentActionType", "PaymentMethod", "PaymentState"]

"""The states and kinds of payments, as clients see them."""

from app.payments.gateway import PaymentActionType
from app.payments.models import PaymentMethod, PaymentState
from schema.enums import describe_enum

describe_enum(
    PaymentMethod,
    "How a shopper pays.",
    CARD="By card, through a payment gateway.",
    WALLET="By a wallet of the device or the browser (Apple Pay, Google Pay, Link), through a payment gateway.",
    PAYPAL="With PayPal.",
    CASH_ON_DELIVERY="To whoever brings the goods.",
    BANK_TRANSFER="By a transfer to the shop's account, before the goods leave.",
    PURCHASE_ORDER="On a company's account, later.",
)
describe_enum(
    PaymentState,
    "Where a payment is in its life.",
    PENDING="To be collected, or not decided by the gateway yet.",
    REQUIRES_ACTION="The shopper has to confirm it with their bank.",
    AUTHORIZED="The money is set aside for the shop.",
    CAPTURING="The goods have left; the gateway is asked for the money.",
    PARTIALLY_CAPTURED="The shop has a part of the money, and the rest is set aside.",
    CAPTURED="The shop has the money.",
    FAILED="Declined.",
    VOIDING="To be given back; the gateway is asked until it confirms.",
    VOIDED="Given back; nothing was or will be taken.",
)
describe_enum(
    PaymentActionType,
    "What kind of thing the shopper has to do.",
    REDIRECT="Open `url`; it comes back to the payment's `returnUrl`.",
    CLIENT_SECRET="Confirm with `clientSecret` in the gateway's own form in the client.",  # noqa: S106
)

__all__ = ["PaymentActionType", "PaymentMethod", "PaymentState"]

"""Ways to pay that the shop offers for an order."""

from dataclasses import dataclass

from app.checkout.requests import PaymentChoice
from app.errors import CommonErrorCode, DomainError
from app.payments.errors import PaymentErrorCode
from app.payments.models import PaymentMethod
from app.payments.registry import gateway_for, gateways


@dataclass(frozen=True, slots=True)
class OfferedMethod:
    """`gateway` is None where nobody has to be asked."""

    method: PaymentMethod
    gateway: str | None
    client_key: str | None = None
    needs_token: bool = False


def offered_methods(*, due_minor: int, ships: bool) -> list[OfferedMethod]:
    """None when nothing is due. Cash on delivery needs a delivery."""
    if due_minor == 0:
        return []
    offered = [
        OfferedMethod(method, gateway.name, gateway.client_key, method not in gateway.tokenless)
        for gateway in gateways().values()
        for method in PaymentMethod
        if method in gateway.methods
    ]
    if ships:
        offered.append(OfferedMethod(PaymentMethod.CASH_ON_DELIVERY, None))
    return offered


def check_payment(choice: PaymentChoice | None, *, ships: bool) -> list[DomainError]:
    """What is wrong with how the shopper wants to pay for something that is due, but for a saved method (`own`)."""
    at = ["input", "payment"]
    if choice is None:
        return [DomainError(CommonErrorCode.REQUIRED, "Choose how to pay.", at)]
    if choice.method is PaymentMethod.CASH_ON_DELIVERY:
        if ships:
            return []
        message = "Nothing is delivered, so there is no cash on delivery."
        return [DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, message, [*at, "method"])]
    gateway = gateway_for(choice.method, choice.gateway)
    if gateway is None:
        field = [*at, "gateway" if choice.gateway else "method"]
        message = "The shop does not take payments this way."
        return [DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, message, field)]
    if not choice.token and choice.method not in gateway.tokenless:
        return [DomainError(CommonErrorCode.REQUIRED, "The gateway's token is missing.", [*at, "token"])]
    return []

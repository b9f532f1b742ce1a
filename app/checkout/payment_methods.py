"""Ways to pay that the shop offers for an order."""

import uuid
from dataclasses import dataclass, field

from app.checkout.requests import PaymentChoice
from app.errors import CommonErrorCode, DomainError
from app.payments import credit, payment_settings
from app.payments.credit import CreditTerms
from app.payments.errors import PaymentErrorCode
from app.payments.models import PaymentMethod
from app.payments.payment_settings import PaymentSettings
from app.payments.registry import MANUAL, gateway_for, gateways

MAX_PURCHASE_ORDER_NUMBER_CHARS = 64


@dataclass(frozen=True, slots=True)
class OfferedMethod:
    """`gateway` is None where nobody has to be asked."""

    method: PaymentMethod
    gateway: str | None
    client_key: str | None = None
    needs_token: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides on the ways to pay for which no gateway is asked.

    Attributes:
        credit: of the company that is bought for; None where it does not buy on account, and without one.
    """

    settings: PaymentSettings = field(default_factory=PaymentSettings)
    credit: CreditTerms | None = None


async def terms_for(versions: dict[str, int], company_id: uuid.UUID | None) -> Terms:
    """
    Args:
        versions: of the configuration, as the cart's statement read them.
    """
    settings = await payment_settings.settings.at(versions.get(payment_settings.settings.name))
    return Terms(settings, await credit.terms_of(company_id))


def offered_methods(*, due_minor: int, ships: bool, terms: Terms) -> list[OfferedMethod]:
    """None when nothing is due."""
    if due_minor == 0:
        return []
    offered = [
        OfferedMethod(method, gateway.name, gateway.client_key, method not in gateway.tokenless)
        for gateway in gateways().values()
        for method in PaymentMethod
        if method in gateway.methods
    ]
    return offered + [OfferedMethod(method, None) for method in MANUAL if not _not_offered(method, ships, terms)]


def _not_offered(method: PaymentMethod, ships: bool, terms: Terms) -> str | None:
    """Why it cannot be paid that way, for which no gateway is asked; None where it can."""
    match method:
        case PaymentMethod.CASH_ON_DELIVERY if not ships:
            return "Nothing is delivered, so there is no cash on delivery."
        case PaymentMethod.CASH_ON_DELIVERY:
            return None if terms.settings.cash_on_delivery else "The shop does not take cash on delivery."
        case PaymentMethod.BANK_TRANSFER:
            return None if terms.settings.bank_transfer else "The shop does not take payments by transfer."
        case _:
            return None if terms.credit else "Only companies that this was agreed with buy on account."


def check_payment(choice: PaymentChoice | None, *, ships: bool, terms: Terms) -> list[DomainError]:
    """What is wrong with how the shopper wants to pay for something that is due, but for a saved method (`own`)."""
    at = ["input", "payment"]
    if choice is None:
        return [DomainError(CommonErrorCode.REQUIRED, "Choose how to pay.", at)]
    if choice.method in MANUAL:
        if why_not := _not_offered(choice.method, ships, terms):
            return [DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, why_not, [*at, "method"])]
        return _check_number(choice, [*at, "purchaseOrderNumber"])
    gateway = gateway_for(choice.method, choice.gateway)
    if gateway is None:
        field = [*at, "gateway" if choice.gateway else "method"]
        message = "The shop does not take payments this way."
        return [DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, message, field)]
    if not choice.token and choice.method not in gateway.tokenless:
        return [DomainError(CommonErrorCode.REQUIRED, "The gateway's token is missing.", [*at, "token"])]
    return []


def _check_number(choice: PaymentChoice, field: list[str]) -> list[DomainError]:
    """The buyer's own number, which their bookkeeping finds the invoice by."""
    if choice.method is not PaymentMethod.PURCHASE_ORDER:
        return []
    number = choice.purchase_order_number
    if not number:
        return [DomainError(CommonErrorCode.REQUIRED, "Give the number of your purchase order.", field)]
    if len(number) > MAX_PURCHASE_ORDER_NUMBER_CHARS:
        message = f"It can have {MAX_PURCHASE_ORDER_NUMBER_CHARS} characters at most."
        return [DomainError(CommonErrorCode.TOO_LONG, message, field)]
    if not number.isprintable():
        return [DomainError(CommonErrorCode.INVALID, "It has control characters in it.", field)]
    return []

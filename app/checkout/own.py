"""What a checkout takes from the account of who is signed in: addresses of its book, what it saved to pay with.

Somebody else's is not there, just as what was deleted. Who is not signed in hears so: their token may have ended while
they were typing, so that is no answer that would stay under a key.
"""

import uuid

from app.accounts import address_book
from app.accounts.identity import CustomerIdentity
from app.addresses.postal import PostalAddress
from app.checkout.requests import ChosenAddresses, Details, PaymentChoice
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.payments import saved_methods
from app.payments.errors import PaymentErrorCode
from app.payments.registry import gateway_for
from app.payments.saved_methods import Chargeable

_PAYMENT = ("input", "payment")


async def addresses(chosen: ChosenAddresses, customer: CustomerIdentity | None) -> Details:
    """The addresses that were chosen from the address book, and nothing else.

    Raises:
        DomainErrors: NOT_FOUND, at `shippingAddressId` and `billingAddressId` of the input.
        DomainError: UNAUTHENTICATED.
    """
    errors: list[DomainError] = []

    async def find(address_id: uuid.UUID | None, name: str) -> PostalAddress | None:
        if address_id is None:
            return None
        field = ["input", name]
        try:
            return await address_book.own(address_id, _signed_in(customer, field).id, field)
        except DomainError as error:
            if error.code is CommonErrorCode.UNAUTHENTICATED:
                raise
            errors.append(error)
            return None

    shipping = await find(chosen.shipping_id, "shippingAddressId")
    billing = await find(chosen.billing_id, "billingAddressId")
    if errors:
        raise DomainErrors(errors)
    return Details(shipping_address=shipping, billing_address=billing)


def check_payer(choice: PaymentChoice | None, customer: CustomerIdentity | None) -> None:
    """Raises DomainError(UNAUTHENTICATED) for what takes an account."""
    if choice is not None and choice.saved_method_id is not None:
        _signed_in(customer, [*_PAYMENT, "savedPaymentMethodId"])
    if choice is not None and choice.save:
        _signed_in(customer, [*_PAYMENT, "save"])


def _signed_in(customer: CustomerIdentity | None, field: list[str]) -> CustomerIdentity:
    if customer is None:
        raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first, then ask again.", field)
    return customer


async def saved_method(choice: PaymentChoice, customer: CustomerIdentity) -> Chargeable:
    """The saved method that is to be charged.

    Raises:
        DomainError: NOT_FOUND, PAYMENT_METHOD_UNAVAILABLE where it is of another kind or another gateway's than what
            was chosen with it, or the shop does not use that gateway any more.
    """
    found = None
    if choice.saved_method_id is not None:
        found = await saved_methods.chargeable(choice.saved_method_id, customer.id)
    if found is None:
        raise not_found("saved payment method", [*_PAYMENT, "savedPaymentMethodId"])
    named = choice.gateway in (None, found.gateway)
    if found.method is not choice.method or not named or gateway_for(found.method, found.gateway) is None:
        message = "The saved payment method does not go with this way to pay."
        field = [*_PAYMENT, "gateway" if found.method is choice.method and not named else "method"]
        raise DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, message, field)
    return found


async def check_saving(choice: PaymentChoice, customer: CustomerIdentity) -> list[DomainError]:
    """What is wrong with keeping what is paid with."""
    field = [*_PAYMENT, "save"]
    gateway = gateway_for(choice.method, choice.gateway)
    if gateway is None or choice.method not in gateway.saves:
        message = "This way to pay cannot be kept."
        return [DomainError(PaymentErrorCode.PAYMENT_METHOD_UNAVAILABLE, message, field)]
    if not await saved_methods.has_room(customer.id):
        message = f"An account keeps {saved_methods.MAX_SAVED} payment methods at most; delete one first."
        return [DomainError(CommonErrorCode.TOO_MANY, message, field)]
    return []

"""What storefronts send about checkouts."""

import hashlib
import uuid
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import orjson
import strawberry

from app.accounts.identity import CustomerIdentity
from app.addresses.postal import PostalAddress
from app.checkout.requests import ChosenAddresses, CompletionRequest, Details, PaymentChoice, check_key
from app.checkout.service import CheckoutKey, DetailsChange
from app.customers.consent import Proof
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.kit import ids
from app.kit.money import Money
from schema.addresses import AddressInput
from schema.cart.inputs import CART_PREFIX
from schema.consent_inputs import ConsentInput, given_consents
from schema.money import MoneyInput
from schema.payments import PaymentMethod

CHECKOUT_PREFIX = "chk"
ADDRESS_PREFIX = "cadd"
SAVED_METHOD_PREFIX = "pm"
MAX_TOKEN_CHARS = 500
MAX_URL_CHARS = 2_000
MAX_QUOTE_CHARS = 2_000
_SHIPPING_ID = "One of the signed-in customer's address book, in the place of `shippingAddress`; copied as it is now."
_BILLING_ID = "The same for `billingAddress`."


@strawberry.input(description="Which cart, and what is known of the buyer already.")
class CheckoutCreateInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart; when it has a checkout, that one is changed.")
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Where the order's mail goes.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="In international form, or as dialled in the address's country."
    )
    shipping_address: AddressInput | None = strawberry.field(default=strawberry.UNSET, description="Where it goes.")
    billing_address: AddressInput | None = strawberry.field(
        default=strawberry.UNSET, description="Who pays; the shipping address where left out."
    )
    shipping_address_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_SHIPPING_ID)
    billing_address_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_BILLING_ID)
    birth_date: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="When the buyer was born, where something in the cart is sold from an age on. It is compared and "
        "forgotten; what is kept is that they are old enough.",
    )
    age_confirmed: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="The buyer says that they are old enough for all that is in the cart; enough where "
        "`Shop.ageCheck` is DECLARATION.",
    )
    marketing_consent: list[ConsentInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="For the addresses of the checkout, or else of its cart, by channel. An empty box takes back what "
        "was given with this cart.",
    )


@strawberry.input(description="What changes. What is left out stays as it is; null takes it out of the checkout.")
class CheckoutUpdateInput:
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Where the order's mail goes.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="In international form, or as dialled in the address's country."
    )
    shipping_address: AddressInput | None = strawberry.field(default=strawberry.UNSET, description="Where it goes.")
    billing_address: AddressInput | None = strawberry.field(default=strawberry.UNSET, description="Who pays.")
    shipping_address_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_SHIPPING_ID)
    billing_address_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_BILLING_ID)
    shipping_quote_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The chosen way to ship."
    )
    birth_date: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="When the buyer was born, where something in the cart is sold from an age on. It is compared and "
        "forgotten; what is kept is that they are old enough.",
    )
    age_confirmed: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="The buyer says that they are old enough for all that is in the cart; enough where "
        "`Shop.ageCheck` is DECLARATION.",
    )
    marketing_consent: list[ConsentInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="For the addresses of the checkout, or else of its cart, by channel. An empty box takes back what "
        "was given with this cart.",
    )


@strawberry.input(description="How the shopper pays.")
class PaymentInput:
    method: PaymentMethod = strawberry.field(description="One of the checkout's `paymentMethods`.")
    gateway: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whose token it is; may be left out where one gateway takes the method."
    )
    token: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="From the gateway's own form in the client, good for one payment. In development, gateway `test` "
        "takes tok_success, tok_declined, tok_requires_action, tok_timeout and tok_late_webhook.",
    )
    saved_payment_method_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="One of the signed-in customer's `paymentMethods`, in the place of a token.",
    )
    save: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Keep what is paid with among the signed-in customer's `paymentMethods`, once the order is placed.",
    )
    purchase_order_number: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The buyer's own number, needed for PURCHASE_ORDER: up to 64 characters, on the invoice.",
    )
    return_url: str | None = strawberry.field(
        default=strawberry.UNSET, description="Where the shopper comes back to after confirming with their bank."
    )

    def parsed(self) -> PaymentChoice:
        """Raises DomainErrors."""
        at = ["input", "payment"]
        errors = []
        for name, text, limit in (("gateway", self.gateway, 40), ("token", self.token, MAX_TOKEN_CHARS)):
            if text and (len(text) > limit or not text.isprintable()):
                errors.append(DomainError(CommonErrorCode.INVALID, f"This is not a {name}.", [*at, name]))
        if self.return_url and not _is_web_url(self.return_url):
            message = "Give an absolute https URL (http for development)."
            errors.append(DomainError(CommonErrorCode.INVALID, message, [*at, "returnUrl"]))
        if self.saved_payment_method_id and (self.token or self.save):
            message = "Give a token, which can be saved, or what was saved before."
            errors.append(DomainError(CommonErrorCode.INVALID, message, [*at, "savedPaymentMethodId"]))
        if errors:
            raise DomainErrors(errors)
        return PaymentChoice(
            method=self.method,
            gateway=self.gateway or None,
            token=self.token or None,
            return_url=self.return_url or None,
            saved_method_id=_id(SAVED_METHOD_PREFIX, self.saved_payment_method_id, [*at, "savedPaymentMethodId"]),
            save=bool(self.save),
            purchase_order_number=(self.purchase_order_number or "").strip() or None,
        )


@strawberry.input(description="Everything that places an order. What is left out comes from the checkout and the cart.")
class CheckoutCompleteInput:
    cart_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A cart; either this or `checkoutId`."
    )
    checkout_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A checkout; either this or `cartId`."
    )
    idempotency_key: str = strawberry.field(
        description="New for every attempt to buy, the same when asking again: up to 255 visible ASCII characters. The "
        "same key and input get the same answer, order or refusal, also after a lost connection; another input is "
        "refused. A key belongs to its cart: with another cart it is a new one."
    )
    expected_total: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the shopper was shown; another total is refused with TOTAL_CHANGED.",
    )
    expected_amount_due: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the shopper was shown to be left to pay after gift cards and store credit; another amount is "
        "refused with AMOUNT_DUE_CHANGED.",
    )
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Where the order's mail goes.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="In international form, or as dialled in the address's country."
    )
    shipping_address: AddressInput | None = strawberry.field(
        default=strawberry.UNSET, description="Where it goes; needed when something ships."
    )
    billing_address: AddressInput | None = strawberry.field(
        default=strawberry.UNSET, description="Who pays; the shipping address where left out."
    )
    shipping_address_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_SHIPPING_ID)
    billing_address_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_BILLING_ID)
    shipping_quote_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The chosen way to ship; needed when something ships."
    )
    payment: PaymentInput | None = strawberry.field(
        default=strawberry.UNSET, description="How to pay; needed when something is due."
    )
    birth_date: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="When the buyer was born, where something in the cart is sold from an age on. It is compared and "
        "forgotten; what is kept is that they are old enough.",
    )
    age_confirmed: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="The buyer says that they are old enough for all that is in the cart; enough where "
        "`Shop.ageCheck` is DECLARATION.",
    )
    marketing_consent: list[ConsentInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="For the addresses of the order, by channel; taken with the attempt, also where the payment is "
        "declined then. An empty box takes back what was given with this cart.",
    )

    def parsed(self, proof: Proof, customer: CustomerIdentity | None) -> CompletionRequest:
        """`proof` is kept with the consent; `customer` is who is signed in.

        Raises:
            DomainErrors: for whatever is malformed in itself; none of it is kept under the key.
        """
        check_key(self.idempotency_key)
        if bool(self.cart_id) == bool(self.checkout_id):
            raise DomainError(CommonErrorCode.INVALID, "Give cartId or checkoutId, one of the two.", ["input"])
        prefix, text, name = (
            (CART_PREFIX, self.cart_id, "cartId") if self.cart_id else (CHECKOUT_PREFIX, self.checkout_id, "checkoutId")
        )
        opened, secret = ids.decode_with_secret(prefix, text or "", ["input", name])
        expected, due = self.expected_total, self.expected_amount_due
        return CompletionRequest(
            cart_id=opened if self.cart_id else None,
            checkout_id=None if self.cart_id else opened,
            secret=secret,
            idempotency_key=self.idempotency_key,
            fingerprint=fingerprint_of(self),
            expected_total=_money(expected, "expectedTotal") if expected else None,
            expected_amount_due=_money(due, "expectedAmountDue") if due else None,
            details=Details(
                email=self.email or None,
                phone=self.phone or None,
                shipping_address=_address(self.shipping_address, "shippingAddress"),
                billing_address=_address(self.billing_address, "billingAddress"),
                shipping_quote_id=self.shipping_quote_id or None,
                birth_date=self.birth_date or None,
                age_confirmed=None if self.age_confirmed is strawberry.UNSET else self.age_confirmed,
            ),
            payment=self.payment.parsed() if self.payment else None,
            consent=given_consents(self.marketing_consent or None, "input", "marketingConsent"),
            proof=proof,
            customer=customer,
            chosen=chosen_addresses(self),
        )


def checkout_key(text: str, field: list[str]) -> CheckoutKey:
    """Raises DomainError(INVALID_ID)."""
    checkout_id, secret = ids.decode_with_secret(CHECKOUT_PREFIX, text, [*field])
    return CheckoutKey(checkout_id=checkout_id, secret=secret, field=field)


def cart_key(text: str, field: list[str]) -> CheckoutKey:
    """Raises DomainError(INVALID_ID)."""
    cart_id, secret = ids.decode_with_secret(CART_PREFIX, text, [*field])
    return CheckoutKey(cart_id=cart_id, secret=secret, field=field)


def change_of(input: CheckoutCreateInput | CheckoutUpdateInput) -> DetailsChange:
    """What is given, parsed. Raises DomainErrors for addresses."""
    change = DetailsChange()
    if input.email is not strawberry.UNSET:
        change["email"] = input.email or None
    if input.phone is not strawberry.UNSET:
        change["phone"] = input.phone or None
    if input.shipping_address is not strawberry.UNSET:
        change["shipping_address"] = _address(input.shipping_address, "shippingAddress")
    if input.billing_address is not strawberry.UNSET:
        change["billing_address"] = _address(input.billing_address, "billingAddress")
    if isinstance(input, CheckoutUpdateInput) and input.shipping_quote_id is not strawberry.UNSET:
        change["shipping_quote_id"] = input.shipping_quote_id or None
    if input.birth_date is not strawberry.UNSET:
        change["birth_date"] = input.birth_date
    if input.age_confirmed is not strawberry.UNSET:
        change["age_confirmed"] = input.age_confirmed
    return change


def chosen_addresses(input: CheckoutCreateInput | CheckoutUpdateInput | CheckoutCompleteInput) -> ChosenAddresses:
    """Raises DomainErrors: INVALID_ID; INVALID for an address that is typed and chosen at once."""
    chosen: list[uuid.UUID | None] = []
    for name, address, text in (
        ("shippingAddressId", input.shipping_address, input.shipping_address_id),
        ("billingAddressId", input.billing_address, input.billing_address_id),
    ):
        if address and text:
            message = "Give an address, or one of the address book."
            raise DomainError(CommonErrorCode.INVALID, message, ["input", name])
        chosen.append(_id(ADDRESS_PREFIX, text, ["input", name]))
    return ChosenAddresses(shipping_id=chosen[0], billing_id=chosen[1])


def _id(prefix: str, text: str | None, field: list[str]) -> uuid.UUID | None:
    return ids.decode(prefix, text, [*field]) if text else None


def _address(address: AddressInput | None, name: str) -> PostalAddress | None:
    return address.parsed(["input", name]) if address else None


def _money(expected: MoneyInput, name: str) -> Money:
    return expected.parsed(["input", name, "amount"])


def _is_web_url(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    well_formed = len(text) <= MAX_URL_CHARS and text.isprintable() and " " not in text
    return well_formed and url.scheme in ("http", "https") and bool(url.hostname)


def fingerprint_of(input: Any) -> bytes:
    """SHA-256 over everything that was sent but the key; what was left out and what was null are the same.

    Args:
        input: a GraphQL input that has an `idempotency_key`.
    """
    sent = plain(input)
    del sent["idempotency_key"]
    return hashlib.sha256(orjson.dumps(sent, option=orjson.OPT_SORT_KEYS)).digest()


def plain(value: Any) -> Any:
    """What was sent, as JSON has it: what was left out and what was null are the same."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, list):
        return [plain(one) for one in value]
    if hasattr(value, "__strawberry_definition__"):
        return {
            name: plain(field)
            for name, field in vars(value).items()
            if field is not None and field is not strawberry.UNSET
        }
    return value

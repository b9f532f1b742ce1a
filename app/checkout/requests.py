"""What a shopper asks for, checked as far as it can be without knowing the cart."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.accounts.identity import CustomerIdentity
from app.addresses.contact import normalise_email, normalise_phone
from app.addresses.postal import PostalAddress
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven
from app.errors import CommonErrorCode, DomainError
from app.kit.money import Money
from app.payments.models import PaymentMethod

MAX_KEY_CHARS = 255
_KEY = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Who buys, and where to. None means that nothing is known.

    Attributes:
        phone: E.164, or as the shopper typed it until `normalised`.
        shipping_quote_id: the signed quote itself.
        birth_date, age_confirmed: as the buyer says now; never kept.
        confirmed_age: what was confirmed before, in years.
    """

    email: str | None = None
    phone: str | None = None
    shipping_address: PostalAddress | None = None
    billing_address: PostalAddress | None = None
    shipping_quote_id: str | None = None
    birth_date: date | None = None
    age_confirmed: bool | None = None
    confirmed_age: int | None = None

    def over(self, other: "Details") -> "Details":
        """What is known here, completed by what the other knows."""
        return Details(
            email=self.email or other.email,
            phone=self.phone or other.phone,
            shipping_address=self.shipping_address or other.shipping_address,
            billing_address=self.billing_address or other.billing_address,
            shipping_quote_id=self.shipping_quote_id or other.shipping_quote_id,
            birth_date=self.birth_date or other.birth_date,
            age_confirmed=other.age_confirmed if self.age_confirmed is None else self.age_confirmed,
            confirmed_age=self.confirmed_age or other.confirmed_age,
        )

    def normalised(self, country_code: str | None, at: tuple[str, ...]) -> "Details":
        """Email and phone as they are kept; a national number is read as one of the address's country, or of this one.

        Raises:
            DomainError: INVALID_EMAIL, INVALID_PHONE, TOO_LONG, REQUIRED for blank text.
        """
        address = self.shipping_address or self.billing_address
        country = address.country_code if address else country_code
        return replace(
            self,
            email=None if self.email is None else normalise_email(self.email, [*at, "email"]),
            phone=None if self.phone is None else normalise_phone(self.phone, country, [*at, "phone"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenAddresses:
    """Of the address book of who is signed in, in the place of addresses that are typed."""

    shipping_id: uuid.UUID | None = None
    billing_id: uuid.UUID | None = None

    def __bool__(self) -> bool:
        return bool(self.shipping_id or self.billing_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentChoice:
    """How the shopper pays. What is not the method belongs to those that a gateway takes.

    Attributes:
        saved_method_id: what the account saved, in the place of a token.
        save: the account is to keep what is paid with.
        purchase_order_number: the buyer's own, of what is paid on account.
    """

    method: PaymentMethod
    gateway: str | None = None
    token: str | None = None
    return_url: str | None = None
    saved_method_id: uuid.UUID | None = None
    save: bool = False
    purchase_order_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """One `checkoutComplete`.

    Attributes:
        cart_id, checkout_id: one of the two, opened by the same `secret`.
        fingerprint: SHA-256 over the input as it was sent, the key left out.
        consent: to marketing, for the addresses of the order.
        proof: what is kept with it.
        customer: who is signed in.
        chosen: addresses of the account's address book, in the place of those in `details`.
        languages: that it asks for, the best first.
        client: where it comes from, whose declined payments are counted; None where they are not.
    """

    cart_id: uuid.UUID | None
    checkout_id: uuid.UUID | None
    secret: str
    idempotency_key: str
    fingerprint: bytes
    expected_total: Money | None
    details: Details
    payment: PaymentChoice | None
    consent: Sequence[ConsentGiven]
    proof: Proof
    customer: CustomerIdentity | None = None
    chosen: ChosenAddresses = ChosenAddresses()
    client: str | None = None
    languages: tuple[str, ...] = ()
    expected_amount_due: Money | None = None

    @property
    def customer_id(self) -> uuid.UUID | None:
        return self.customer.id if self.customer else None

    @property
    def source(self) -> str:
        """The argument that names what is ordered."""
        return "cartId" if self.cart_id else "checkoutId"


def check_key(key: str) -> None:
    """Raises DomainError: REQUIRED, TOO_LONG, INVALID."""
    field = ["input", "idempotencyKey"]
    if not key:
        raise DomainError(CommonErrorCode.REQUIRED, "Give a key that is new for every attempt to pay.", field)
    if len(key) > MAX_KEY_CHARS:
        raise DomainError(CommonErrorCode.TOO_LONG, f"A key has at most {MAX_KEY_CHARS} characters.", field)
    if not _KEY.fullmatch(key):
        raise DomainError(CommonErrorCode.INVALID, "A key is made of visible ASCII characters.", field)

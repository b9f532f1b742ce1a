"""What staff write into a draft order, checked as far as it can be without the catalogue."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pydantic import TypeAdapter

from app.addresses.contact import normalise_email, normalise_phone
from app.addresses.postal import PostalAddress
from app.cart.attributes import Attribute, check_attributes
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.kit.money import MAX_AMOUNT_MINOR
from app.kit.problems import Problems

MAX_LINES = 100
MAX_QUANTITY = 100_000
MAX_TITLE_CHARS = 255
MAX_NOTE_CHARS = 2_000
MAX_DAYS_TO_PAY = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """Some units of a variant, or of something that the catalogue does not have.

    Attributes:
        variant_id: None for a custom line, which has a title and a price.
        unit_price_minor: what was negotiated, in the market's currency: it costs that, whatever the quantity. None for
            the catalogue's price.
        taxable, tax_class_id, requires_shipping: of a custom line; a variant has its own.
        customizations: what is made to order, `[{"key", "value"}, …]`; with a negotiated price it costs nothing more.
        gift_options: as `GiftOptions.to_json` has them.
    """

    id: uuid.UUID
    quantity: int
    variant_id: uuid.UUID | None = None
    title: str | None = None
    sku: str | None = None
    unit_price_minor: int | None = None
    taxable: bool = True
    tax_class_id: uuid.UUID | None = None
    requires_shipping: bool = False
    attributes: list[dict[str, str]] = field(default_factory=list)
    customizations: list[dict[str, str]] = field(default_factory=list)
    gift_options: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDiscount:
    """Off all lines; a percentage of 100, or an amount."""

    reason: str
    percentage: Decimal | None = None
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingLine:
    """`promise`: of the quote that it is from, as an order keeps it."""

    title: str
    price_minor: int
    promise: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickup:
    """`location`: the store as an order keeps it, once it has been looked up; `ready_hours`: from the order on."""

    location_id: uuid.UUID
    location: dict[str, Any] | None = None
    ready_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContent:
    """All that is written; addresses as `PostalAddress.to_json` gives them.

    Attributes:
        shipping_quote_id: in the place of `shipping`, until it was priced.
        pickup: the store that it is fetched from, in the place of an address and a way to ship.
        gift_options: of all of it, as `GiftOptions.to_json` has them.
        deposit_minor: to be paid when it is placed, and before the goods leave. Of a percentage, what that came to
            when it was priced.
        days_to_pay: what is not paid when it is placed has to be then, in business time; None for no date.
        needs_guarantee: staff confirm a guarantee, such as a bank's, before they do.
    """

    email: str | None = None
    phone: str | None = None
    customer_id: uuid.UUID | None = None
    company_id: uuid.UUID | None = None
    market_id: uuid.UUID | None = None
    tax_id: str | None = None
    lines: tuple[DraftLine, ...] = ()
    discount: StaffDiscount | None = None
    shipping: ShippingLine | None = None
    shipping_quote_id: str | None = None
    pickup: Pickup | None = None
    gift_options: dict[str, Any] | None = None
    shipping_address: dict[str, str] | None = None
    billing_address: dict[str, str] | None = None
    note: str | None = None
    deposit_minor: int | None = None
    deposit_percentage: Decimal | None = None
    needs_guarantee: bool = False
    days_to_pay: int | None = None
    purchase_order_number: str | None = None
    attributes: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> str:
        return _CONTENT.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> "DraftContent":
        return _CONTENT.validate_json(text)

    @property
    def holds(self) -> list[str]:
        """Why an order of it may not be fulfilled at first."""
        return [*(["DEPOSIT"] if self.deposit_minor else []), *(["GUARANTEE"] if self.needs_guarantee else [])]

    @property
    def postal_address(self) -> PostalAddress | None:
        """Where the goods change hands, or else who pays: what is due in taxes goes by this, and the market."""
        store = self.pickup.location if self.pickup else None
        stored = (store and store["address"]) or self.shipping_address or self.billing_address
        return PostalAddress.from_json(stored) if stored else None


_CONTENT = TypeAdapter(DraftContent)


def checked(content: DraftContent) -> DraftContent:
    """As it is kept.

    Raises:
        DomainErrors: INVALID_EMAIL, INVALID_PHONE, TOO_LONG, REQUIRED, OUT_OF_RANGE, TOO_MANY; below `input`.
    """
    problems = Problems()
    if len(content.lines) > MAX_LINES:
        problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_LINES} lines.", "lines")
    lines = [_line(line, place, problems) for place, line in enumerate(content.lines[:MAX_LINES])]
    address = content.postal_address
    email, phone = content.email, content.phone
    try:
        email = normalise_email(email, ["input", "email"]) if email else None
        phone = normalise_phone(phone, address.country_code if address else None, ["input", "phone"]) if phone else None
    except DomainError as wrong:
        problems.note(wrong)
    _check_discount(content.discount, problems)
    shipping = content.shipping
    if shipping is not None and content.shipping_quote_id is not None:
        message = "Give a quote, or your own title and price, one of the two."
        problems.add(CommonErrorCode.INVALID, message, "shippingQuoteId")
    if shipping is not None:
        title = problems.required_line(shipping.title, "A title", "shipping", "title", max_chars=MAX_TITLE_CHARS)
        _amount(shipping.price_minor, problems, "shipping", "price")
        shipping = ShippingLine(title=title, price_minor=shipping.price_minor)
    _check_pickup(content, problems)
    _check_deposit(content, problems)
    if content.days_to_pay is not None and not 0 <= content.days_to_pay <= MAX_DAYS_TO_PAY:
        problems.add(CommonErrorCode.OUT_OF_RANGE, f"From 0 to {MAX_DAYS_TO_PAY} days.", "daysToPay")
    note = problems.text(content.note, MAX_NOTE_CHARS, "note")
    number = problems.line(content.purchase_order_number, "purchaseOrderNumber", max_chars=64)
    problems.raise_if_any()
    return replace(
        content,
        email=email,
        phone=phone,
        lines=tuple(lines),
        shipping=shipping,
        note=note,
        purchase_order_number=number,
    )


def _line(line: DraftLine, place: int, problems: Problems) -> DraftLine:
    at = ("lines", place)
    if not 1 <= line.quantity <= MAX_QUANTITY:
        problems.add(CommonErrorCode.OUT_OF_RANGE, f"A line has from 1 to {MAX_QUANTITY:,} units.", *at, "quantity")
    if line.unit_price_minor is not None:
        _amount(line.unit_price_minor, problems, *at, "unitPrice")
    given = [Attribute(one["key"], one["value"]) for one in line.attributes]
    for wrong in check_attributes(given, ["input", *at, "attributes"]):
        problems.note(wrong)
    if line.variant_id is not None:
        return DraftLine(
            id=line.id,
            quantity=line.quantity,
            variant_id=line.variant_id,
            unit_price_minor=line.unit_price_minor,
            attributes=line.attributes,
            customizations=line.customizations,
            gift_options=line.gift_options,
        )
    title = problems.required_line(line.title or "", "A title", *at, "title", max_chars=MAX_TITLE_CHARS)
    if line.unit_price_minor is None:
        problems.add(CommonErrorCode.REQUIRED, "What is not in the catalogue needs a price.", *at, "unitPrice")
    return DraftLine(
        id=line.id,
        quantity=line.quantity,
        title=title,
        sku=problems.line(line.sku, *at, "sku", max_chars=MAX_TITLE_CHARS),
        unit_price_minor=line.unit_price_minor,
        taxable=line.taxable,
        tax_class_id=line.tax_class_id,
        requires_shipping=line.requires_shipping,
        attributes=line.attributes,
        customizations=line.customizations,
        gift_options=line.gift_options,
    )


def _check_discount(discount: StaffDiscount | None, problems: Problems) -> None:
    if discount is None:
        return
    problems.required_line(discount.reason, "A reason", "discount", "reason", max_chars=MAX_TITLE_CHARS)
    if (discount.percentage is None) == (discount.amount_minor is None):
        problems.add(CommonErrorCode.INVALID, "Give a percentage or an amount, one of the two.", "discount")
    if discount.percentage is not None and not 0 < discount.percentage <= 100:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A percentage is above 0, up to 100.", "discount", "percentage")
    if discount.amount_minor is not None:
        _amount(discount.amount_minor, problems, "discount", "amount")


def _check_pickup(content: DraftContent, problems: Problems) -> None:
    if content.pickup is None:
        return
    for given, name in (
        (content.shipping_address, "shippingAddress"),
        (content.shipping, "shipping"),
        (content.shipping_quote_id, "shippingQuoteId"),
    ):
        if given is not None:
            problems.add(CommonErrorCode.INVALID, "What is fetched from a store is not shipped; leave this out.", name)


def _check_deposit(content: DraftContent, problems: Problems) -> None:
    if content.deposit_percentage is not None and not 0 < content.deposit_percentage <= 100:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A percentage is above 0, up to 100.", "depositPercentage")
    if content.deposit_minor is None:
        return
    if content.deposit_percentage is not None:
        problems.add(CommonErrorCode.INVALID, "Give an amount or a percentage, one of the two.", "deposit")
    if content.deposit_minor < 1:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A deposit is above zero.", "deposit")


def deposit_of(content: DraftContent, due_minor: int, step_minor: int) -> int | None:
    """What is to be paid first, in minor units.

    Args:
        due_minor: for all of it.
        step_minor: to whole multiples of which a percentage is rounded, half up, such as 5 for Swiss coins.

    Raises:
        DomainError: OUT_OF_RANGE for an amount that is more than all of it.
    """
    if content.deposit_percentage is not None:
        part = (due_minor * content.deposit_percentage / 100 / step_minor).quantize(Decimal(1), ROUND_HALF_UP)
        return min(due_minor, max(1, int(part) * step_minor)) or None
    if content.deposit_minor is not None and content.deposit_minor > due_minor:
        message = "A deposit is no more than what all of it costs."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["input", "deposit"])
    return content.deposit_minor


def _amount(amount_minor: int, problems: Problems, *path: str | int) -> None:
    if not 0 <= amount_minor <= MAX_AMOUNT_MINOR:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "The amount is below zero, or too large.", *path)


def missing_for_buyer(content: DraftContent, *, ships: bool, at: Sequence[str]) -> list[DomainError]:
    """What has to be known before somebody can be asked to pay for it."""
    shipped = ships and content.pickup is None
    wanted = [
        (not content.lines, "lines", "There is nothing in it."),
        (shipped and content.shipping_address is None, "shippingAddress", "Say where it goes."),
        (shipped and content.shipping is None, "shipping", "Say how it is shipped, and for how much."),
        (not (content.email or content.phone), "email", "Say whom it is for: an email address or a phone number."),
    ]
    return [DomainError(CommonErrorCode.REQUIRED, message, [*at, name]) for lacks, name, message in wanted if lacks]


def check_for_buyer(content: DraftContent, *, ships: bool, at: Sequence[str]) -> None:
    """Raises DomainErrors(REQUIRED)."""
    if missing := missing_for_buyer(content, ships=ships, at=at):
        raise DomainErrors(missing)

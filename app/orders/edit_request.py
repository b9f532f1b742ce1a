"""What staff want changed of an order, checked as far as it can be without the order."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.addresses.postal import PostalAddress
from app.cart.rules import MAX_LINES, MAX_QUANTITY
from app.errors import CommonErrorCode, DomainError
from app.kit.money import Money
from app.kit.problems import Problems

MAX_REASON_CHARS = 500
MAX_METHOD_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDiscount:
    """Taken off in addition to what is taken off already: a percentage of what is left, or an amount.

    Attributes:
        reason: what it is called on the order and its invoice.
    """

    reason: str
    percentage: Decimal | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """Of a line of the order. `quantity` 0 takes it out, None leaves it."""

    order_line_id: uuid.UUID
    quantity: int | None = None
    discount: StaffDiscount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedLine:
    """`unit_price` None is what the catalogue asks of this buyer, in the order's market."""

    variant_id: uuid.UUID
    quantity: int
    unit_price: Money | None = None
    discount: StaffDiscount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEditRequested:
    """What is None stays as it is.

    Attributes:
        expected_updated_at: of the order that it was decided on; another one is refused.
        reason: for people; the timeline shows it, and the customer's mail.
    """

    order_id: uuid.UUID
    expected_updated_at: datetime | None = None
    lines: Sequence[LineChange] = ()
    added: Sequence[AddedLine] = ()
    shipping_address: PostalAddress | None = None
    shipping_price: Money | None = None
    shipping_method: str | None = None
    discount: StaffDiscount | None = None
    reason: str | None = None
    notify_customer: bool = True

    @property
    def is_of_the_whole(self) -> bool:
        """Whether it changes more than single lines."""
        return bool(self.shipping_address or self.shipping_price or self.shipping_method or self.discount)

    def check(self, currency: str) -> None:
        """Raises DomainErrors: REQUIRED, OUT_OF_RANGE, TOO_MANY, TOO_LONG, INVALID."""
        problems = Problems()
        if not (self.lines or self.added or self.is_of_the_whole):
            problems.add(CommonErrorCode.REQUIRED, "Say what is to be changed.")
        if len(self.lines) + len(self.added) > MAX_LINES:
            problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_LINES} lines.", "lines")
        problems.text(self.reason, MAX_REASON_CHARS, "reason")
        problems.line(self.shipping_method, "shippingMethod", max_chars=MAX_METHOD_CHARS)
        seen: set[uuid.UUID] = set()
        for place, line in enumerate(self.lines):
            if line.order_line_id in seen:
                message = "This line is named twice."
                problems.add(CommonErrorCode.INVALID, message, "lines", place, "orderLineId")
            seen.add(line.order_line_id)
            if line.quantity is not None and not 0 <= line.quantity <= MAX_QUANTITY:
                message = f"From 0 to {MAX_QUANTITY} units."
                problems.add(CommonErrorCode.OUT_OF_RANGE, message, "lines", place, "quantity")
            if line.quantity is None and line.discount is None:
                message = "Say what is to be changed of it."
                problems.add(CommonErrorCode.REQUIRED, message, "lines", place, "quantity")
            _check_discount(problems, line.discount, currency, "lines", place)
        for place, added in enumerate(self.added):
            if not 1 <= added.quantity <= MAX_QUANTITY:
                message = f"From 1 to {MAX_QUANTITY} units."
                problems.add(CommonErrorCode.OUT_OF_RANGE, message, "addLines", place, "quantity")
            _check_price(problems, added.unit_price, currency, "addLines", place, "unitPrice")
            _check_discount(problems, added.discount, currency, "addLines", place)
        _check_price(problems, self.shipping_price, currency, "shippingPrice")
        _check_discount(problems, self.discount, currency)
        problems.raise_if_any()


def _check_discount(problems: Problems, discount: StaffDiscount | None, currency: str, *at: str | int) -> None:
    if discount is None:
        return
    at = (*at, "discount")
    problems.required_line(discount.reason, "The reason", *at, "reason")
    if (discount.percentage is None) == (discount.amount is None):
        problems.add(CommonErrorCode.INVALID, "A percentage or an amount, one of the two.", *at)
    if discount.percentage is not None and not 0 < discount.percentage <= 100:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "More than 0 and at most 100 percent.", *at, "percentage")
    _check_price(problems, discount.amount, currency, *at, "amount")


def _check_price(problems: Problems, price: Money | None, currency: str, *at: str | int) -> None:
    if price is None:
        return
    if price.currency != currency:
        problems.note(DomainError(CommonErrorCode.INVALID, f"The order is in {currency}.", ["input", *at]))
    elif price.amount_minor < 0:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "Not below zero.", *at)

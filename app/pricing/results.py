"""What pricing comes to, itemised. Amounts are in minor units of the one currency."""

from dataclasses import dataclass
from decimal import Decimal

from app.pricing.amounts import DiscountTarget, StoredValueKind


@dataclass(frozen=True, slots=True)
class DiscountAllocation:
    """The part of one discount that fell to one line or to shipping."""

    discount_id: str
    label: str
    code: str | None
    amount_minor: int
    target: DiscountTarget = DiscountTarget.MERCHANDISE


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax on a line, on shipping, on a wrap, or on the order.

    Attributes:
        base_minor: the net amount that bears it: without this tax and any other.
    """

    name: str
    rate: Decimal
    amount_minor: int
    base_minor: int = 0
    code: str | None = None
    compound: bool = False
    reverse_charge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """`total_minor` is subtotal less discount; tax comes on top of it, or lies in it where prices include tax.

    Attributes:
        unit_price_minor: with `customization_minor`.
        gift_wrap_minor: for all of its units, beside `total_minor`.
        taxes: on the line and its wrap.
    """

    id: str
    quantity: int
    unit_price_minor: int
    customization_minor: int
    subtotal_minor: int
    discounts: tuple[DiscountAllocation, ...]
    discount_minor: int
    gift_wrap_minor: int
    taxes: tuple[TaxLine, ...]
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCharge:
    """Shipping, or the wrap of the whole order: `total_minor` is the price less its discounts; tax as in `PricedLine`.

    Nothing is taken off a wrap.
    """

    label: str
    price_minor: int
    discounts: tuple[DiscountAllocation, ...]
    discount_minor: int
    taxes: tuple[TaxLine, ...]
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class StoredValuePayment:
    id: str
    kind: StoredValueKind
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingResult:
    """total = subtotal - discount + gift wrap + shipping + rounding, and + tax unless prices include it.

    Attributes:
        subtotal_minor: the lines before discounts.
        discounts: what each one takes off lines or shipping, in the order of applying; none that takes nothing.
        discount_minor: off the lines; a discount on shipping is inside `shipping_minor` already.
        gift_wrap: of the whole order; `gift_wrap_minor` has the lines' wraps, too.
        shipping_minor: what shipping costs after its discounts.
        tax_minor: of everything, `taxes` by name and rate.
        tax_included: whether the tax lies inside the prices.
        rounding_minor: what rounding to payable coins added; below zero, what it took.
        stored_value: what gift cards and store credit pay of the total.
        amount_due_minor: the total less that.
    """

    currency: str
    lines: tuple[PricedLine, ...]
    gift_wrap: PricedCharge | None
    shipping: PricedCharge | None
    subtotal_minor: int
    discounts: tuple[DiscountAllocation, ...]
    discount_minor: int
    gift_wrap_minor: int
    shipping_minor: int
    taxes: tuple[TaxLine, ...]
    tax_minor: int
    tax_included: bool
    rounding_minor: int
    total_minor: int
    stored_value: tuple[StoredValuePayment, ...]
    gift_card_minor: int
    store_credit_minor: int
    amount_due_minor: int

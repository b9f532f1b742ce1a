"""What goes into pricing and what comes out. Every amount is in minor units of the one currency.

Lines, discounts and gift cards are named by the caller's own ids, which come back in the result.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


@dataclass(frozen=True, slots=True)
class TaxRate:
    """`rate` is a fraction: Decimal("0.19") for 19 %. Several rates on one line add up, they do not compound."""

    name: str
    rate: Decimal


class DiscountTarget(Enum):
    MERCHANDISE = "MERCHANDISE"
    SHIPPING = "SHIPPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """Something taken off: either a percentage (of 100) or an amount.

    `line_ids` limits a discount on merchandise to some lines; None means all of them.
    """

    id: str
    label: str
    code: str | None = None
    target: DiscountTarget = DiscountTarget.MERCHANDISE
    line_ids: frozenset[str] | None = None
    percentage: Decimal | None = None
    amount_minor: int | None = None

    def __post_init__(self) -> None:
        if (self.percentage is None) == (self.amount_minor is None):
            raise ValueError("a discount has a percentage or an amount")
        if self.percentage is not None and not 0 <= self.percentage <= 100:
            raise ValueError("a percentage lies between 0 and 100")
        if self.amount_minor is not None and self.amount_minor < 0:
            raise ValueError("a discount cannot be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineToPrice:
    id: str
    quantity: int
    unit_price_minor: int
    tax_rates: tuple[TaxRate, ...] = ()

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.unit_price_minor < 0:
            raise ValueError("a line has a positive quantity and no negative price")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingToPrice:
    label: str
    price_minor: int
    tax_rates: tuple[TaxRate, ...] = ()

    def __post_init__(self) -> None:
        if self.price_minor < 0:
            raise ValueError("shipping has no negative price")


@dataclass(frozen=True, slots=True)
class GiftCard:
    id: str
    balance_minor: int

    def __post_init__(self) -> None:
        if self.balance_minor < 0:
            raise ValueError("a gift card has no negative balance")


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingInput:
    """Discounts and gift cards apply in their order, each to what those before it left."""

    currency: str
    lines: tuple[LineToPrice, ...]
    discounts: tuple[Discount, ...] = ()
    shipping: ShippingToPrice | None = None
    prices_include_tax: bool = False
    gift_cards: tuple[GiftCard, ...] = ()

    def __post_init__(self) -> None:
        if len({line.id for line in self.lines}) != len(self.lines):
            raise ValueError("two lines have the same id")


@dataclass(frozen=True, slots=True)
class DiscountAllocation:
    """The part of one discount that fell to one line or to shipping."""

    discount_id: str
    label: str
    code: str | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class TaxLine:
    name: str
    rate: Decimal
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """`total_minor` is subtotal less discount; tax comes on top of it, or lies in it where prices include tax."""

    id: str
    quantity: int
    unit_price_minor: int
    subtotal_minor: int
    discounts: tuple[DiscountAllocation, ...]
    discount_minor: int
    taxes: tuple[TaxLine, ...]
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedShipping:
    """`total_minor` is the price less its discounts; tax as in `PricedLine`."""

    label: str
    price_minor: int
    discounts: tuple[DiscountAllocation, ...]
    discount_minor: int
    taxes: tuple[TaxLine, ...]
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class GiftCardPayment:
    gift_card_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingResult:
    """total = subtotal - discount + shipping, and + tax unless prices include it.

    Attributes:
        subtotal_minor: the lines before discounts.
        discount_minor: off the lines; a discount on shipping is inside `shipping_minor` already.
        shipping_minor: what shipping costs after its discounts.
        tax_minor: of lines and shipping, `taxes` by name and rate.
        tax_included: whether the tax lies inside the prices.
        amount_due_minor: the total less what gift cards pay.
    """

    currency: str
    lines: tuple[PricedLine, ...]
    shipping: PricedShipping | None
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    taxes: tuple[TaxLine, ...]
    tax_minor: int
    tax_included: bool
    total_minor: int
    gift_cards: tuple[GiftCardPayment, ...]
    gift_card_minor: int
    amount_due_minor: int


def taken_by_discount(priced: PricingResult) -> list[tuple[str, str | None, int]]:
    """Label, code and amount of each discount on merchandise that takes anything off, in the order of applying."""
    return list(_taken(priced).values())


def amounts_by_discount(priced: PricingResult) -> dict[str, int]:
    """The same by the discounts' ids."""
    return {discount_id: amount for discount_id, (_, _, amount) in _taken(priced).items()}


def _taken(priced: PricingResult) -> dict[str, tuple[str, str | None, int]]:
    taken: dict[str, tuple[str, str | None, int]] = {}
    for part in (part for line in priced.lines for part in line.discounts):
        _, _, before = taken.get(part.discount_id, ("", None, 0))
        taken[part.discount_id] = (part.label, part.code, before + part.amount_minor)
    return taken

"""What goes into pricing; `app.pricing.results` has what comes out. Amounts are in minor units of the one currency.

Lines, discounts and stored value are named by the caller's own ids, which come back in the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class TaxRate:
    """One tax that something bears. Several on one thing add up.

    Attributes:
        rate: a fraction: Decimal("0.19") for 19 %; zero for what is zero-rated, exempt or reverse-charged, whose name
            says so and appears on the invoice.
        compound: levied on the price and the taxes listed before it.
        code: the tax engine's own name of it.
        reverse_charge: the buyer accounts for it (VAT Directive 2006/112/EC, Art. 194-196).
    """

    name: str
    rate: Decimal
    compound: bool = False
    code: str | None = None
    reverse_charge: bool = False

    def __post_init__(self) -> None:
        if self.rate < 0:
            raise ValueError("a tax has no negative rate")


@dataclass(frozen=True, slots=True)
class PriceBreak:
    """What a unit costs from this many of them on."""

    min_quantity: int
    unit_price_minor: int

    def __post_init__(self) -> None:
        if self.min_quantity < 1 or self.unit_price_minor < 0:
            raise ValueError("a price holds from some positive quantity on, and is not negative")


def unit_price(price_breaks: Sequence[PriceBreak], quantity: int) -> int:
    """The price of the last tier that the quantity reaches; they ascend."""
    return [tier for tier in price_breaks if tier.min_quantity <= quantity][-1].unit_price_minor


class DiscountTarget(Enum):
    """What a discount comes off; also the order in which discounts apply."""

    LINES = "LINES"
    MERCHANDISE = "MERCHANDISE"
    """The order: all of its goods, or those of `line_ids`, after the discounts on LINES."""
    SHIPPING = "SHIPPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """Something taken off, in exactly one of four ways.

    Attributes:
        line_ids: the lines that it is for; None for all whose price is not `fixed`. Ids that the order does not have
            are left aside.
        percentage: of 100.
        amount_minor: off all of its lines together, or off shipping.
        unit_amount_minor: off each unit.
        fixed_unit_price_minor: what a unit costs, options of its own aside, where it would cost more.
        units: how many units of each line it touches; None for all units of its lines. Units of one variant are alike:
            the discount lies on all lines of that variant which have the same price, taxes and discounts.
    """

    id: str
    label: str
    code: str | None = None
    target: DiscountTarget = DiscountTarget.MERCHANDISE
    line_ids: frozenset[str] | None = None
    percentage: Decimal | None = None
    amount_minor: int | None = None
    unit_amount_minor: int | None = None
    fixed_unit_price_minor: int | None = None
    units: Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        amounts = (self.amount_minor, self.unit_amount_minor, self.fixed_unit_price_minor)
        given = [amount for amount in amounts if amount is not None]
        if len(given) + (self.percentage is not None) != 1:
            raise ValueError("a discount is a percentage, an amount, an amount for each unit or a fixed price")
        if self.percentage is not None and not 0 <= self.percentage <= 100:
            raise ValueError("a percentage lies between 0 and 100")
        if any(amount < 0 for amount in given):
            raise ValueError("a discount cannot be negative")
        if self.units is not None and any(count < 0 for count in self.units.values()):
            raise ValueError("a discount touches no negative number of units")
        if self.target is DiscountTarget.SHIPPING and (self.amount_minor is None and self.percentage is None):
            raise ValueError("shipping has no units")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineToPrice:
    """Some units of a variant.

    Attributes:
        variant_key: the same for all lines whose units count together for `price_breaks`.
        price_breaks: ascending, the first from one unit on.
        customization_minor: what the chosen options add to each unit.
        gift_wrap_minor: for all of its units; discounts leave it alone.
        gift_wrap_tax_rates: due on that; None for the line's own.
        ships: whether it is shipped: shipping that is taxed as the goods is taxed as those that are.
        fixed: it costs its first price whatever the quantity, and only discounts that name it touch it: a negotiated
            price, or a gift card, which is worth its face value.
    """

    id: str
    variant_key: str
    quantity: int
    price_breaks: tuple[PriceBreak, ...]
    customization_minor: int = 0
    gift_wrap_minor: int = 0
    tax_rates: tuple[TaxRate, ...] = ()
    gift_wrap_tax_rates: tuple[TaxRate, ...] | None = None
    ships: bool = True
    fixed: bool = False

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.customization_minor < 0 or self.gift_wrap_minor < 0:
            raise ValueError("a line has a positive quantity and no negative price")
        from_quantities = [tier.min_quantity for tier in self.price_breaks]
        if from_quantities[:1] != [1] or any(b <= a for a, b in pairwise(from_quantities)):
            raise ValueError("prices ascend by quantity and start from one unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingToPrice:
    """Taxed at rates of its own, or `as_goods`: in parts, at the rates of the goods that ship, in proportion to what
    these cost after discounts."""

    label: str
    price_minor: int
    tax_rates: tuple[TaxRate, ...] = ()
    as_goods: bool = False

    def __post_init__(self) -> None:
        if self.price_minor < 0:
            raise ValueError("shipping has no negative price")


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftWrapToPrice:
    """The wrap of the order as a whole; lines have their own. Taxed as shipping is."""

    label: str
    price_minor: int
    tax_rates: tuple[TaxRate, ...] = ()
    as_goods: bool = False

    def __post_init__(self) -> None:
        if self.price_minor < 0:
            raise ValueError("a gift wrap has no negative price")


class StoredValueKind(Enum):
    """Also the order in which they pay: what may expire before what does not."""

    GIFT_CARD = "GIFT_CARD"
    STORE_CREDIT = "STORE_CREDIT"


@dataclass(frozen=True, slots=True)
class StoredValue:
    id: str
    kind: StoredValueKind
    balance_minor: int

    def __post_init__(self) -> None:
        if self.balance_minor < 0:
            raise ValueError("stored value has no negative balance")


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingInput:
    """Discounts of one target, and stored value of one kind, apply in their order, each to what those before it left.

    Attributes:
        rounding_minor: the total is a multiple of it: 5 for Swiss cash.
    """

    currency: str
    lines: tuple[LineToPrice, ...]
    discounts: tuple[Discount, ...] = ()
    gift_wrap: GiftWrapToPrice | None = None
    shipping: ShippingToPrice | None = None
    prices_include_tax: bool = False
    stored_value: tuple[StoredValue, ...] = ()
    rounding_minor: int = 1

    def __post_init__(self) -> None:
        if len({line.id for line in self.lines}) != len(self.lines):
            raise ValueError("two lines have the same id")
        if self.rounding_minor < 1:
            raise ValueError("a total is rounded to one minor unit or more")

"""Amounts of carts, checkouts and orders: all of them come out of the one pricing function."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

import strawberry

from app.orders import itemised
from app.orders.draft import OrderDraft, OrderLineDraft
from app.orders.queries import OrderRow
from app.pricing import results
from app.pricing.amounts import DiscountTarget
from schema.enums import describe_enum
from schema.money import Money

describe_enum(
    DiscountTarget,
    "What a discount comes off; also the order in which discounts apply.",
    LINES="Some lines.",
    MERCHANDISE="The goods of the order, after the discounts on lines.",
    SHIPPING="Shipping.",
)


@strawberry.type(description="One tax, on an order or on a part of it.")
class TaxLine:
    name: str = strawberry.field(description='Such as "VAT 19 %", or why none is due.')
    rate: Decimal = strawberry.field(description="A fraction: 0.19 for 19 %.")
    amount: Money = strawberry.field(description="The tax.")
    taxable_amount: Money = strawberry.field(description="The net amount that bears it, without any tax.")
    code: str | None = strawberry.field(description="The tax engine's own name of it.")
    compound: bool = strawberry.field(description="Whether it is levied on the taxes before it, too.")
    reverse_charge: bool = strawberry.field(description="Whether the buyer accounts for it.")

    @classmethod
    def of(cls, tax: results.TaxLine, currency: str) -> "TaxLine":
        return cls(
            name=tax.name,
            rate=tax.rate,
            amount=Money.of(tax.amount_minor, currency),
            taxable_amount=Money.of(tax.base_minor, currency),
            code=tax.code,
            compound=tax.compound,
            reverse_charge=tax.reverse_charge,
        )


@strawberry.type(description="What one discount takes off an order, or off a part of it.")
class DiscountAllocation:
    name: str = strawberry.field(description="For shoppers.")
    code: str | None = strawberry.field(description="The code that brought it; null where it applies by itself.")
    target: DiscountTarget = strawberry.field(description="What it comes off.")
    amount: Money = strawberry.field(description="What it takes off here.")

    @classmethod
    def of(cls, part: results.DiscountAllocation, currency: str) -> "DiscountAllocation":
        return cls(name=part.label, code=part.code, target=part.target, amount=Money.of(part.amount_minor, currency))


class _Itemised(Protocol):
    """What an amount is made of; turned into types only where somebody asks for it."""

    currency: str
    taxes: Callable[[], Iterable[results.TaxLine]]
    taken: Callable[[], Iterable[results.DiscountAllocation]]


def _tax_lines(self: _Itemised) -> list[TaxLine]:
    return [TaxLine.of(tax, self.currency) for tax in self.taxes()]


def _discount_allocations(self: _Itemised) -> list[DiscountAllocation]:
    return [DiscountAllocation.of(part, self.currency) for part in self.taken()]


@strawberry.type(
    description="What it costs: total = subtotal - discount + giftWrap + shipping + tax + rounding. Where prices "
    "include tax (`taxIncluded`), the tax lies inside the other amounts and is not added."
)
class CartCost:
    subtotal: Money = strawberry.field(description="The lines, before discounts.")
    discount: Money = strawberry.field(description="What discounts take off the lines.")
    gift_wrap: Money = strawberry.field(description="Gift wraps, of the order and of its lines.")
    shipping: Money = strawberry.field(description="Shipping, after its discounts; zero until a way to ship is chosen.")
    tax: Money = strawberry.field(description="Tax on lines, gift wraps and shipping.")
    tax_included: bool = strawberry.field(description="Whether the tax lies inside the prices.")
    tax_estimated: bool = strawberry.field(
        description="Whether the tax may still change: where it goes is not known for sure, or the tax engine did not "
        "answer."
    )
    rounding: Money = strawberry.field(
        description="What rounding the total to payable coins added; below zero, what it took."
    )
    total: Money = strawberry.field(description="What it costs altogether.")
    gift_cards: Money = strawberry.field(description="What gift cards pay of the total.")
    store_credit: Money = strawberry.field(description="What store credit pays of the total.")
    amount_due: Money = strawberry.field(description="What is left to pay: total - giftCards - storeCredit.")
    tax_lines: list[TaxLine] = strawberry.field(
        resolver=_tax_lines, description="Each tax with its rate; they add up to `tax`."
    )
    discount_allocations: list[DiscountAllocation] = strawberry.field(
        resolver=_discount_allocations,
        description="Each discount that takes something off, in the order of applying. What comes off SHIPPING lies "
        "inside `shipping`; all others add up to `discount`.",
    )
    currency: strawberry.Private[str]
    taxes: strawberry.Private[Callable[[], Iterable[results.TaxLine]]]
    taken: strawberry.Private[Callable[[], Iterable[results.DiscountAllocation]]]

    @classmethod
    def of(cls, priced: results.PricingResult, *, tax_estimated: bool) -> "CartCost":
        return cls._of(
            lambda name: getattr(priced, name),
            currency=priced.currency,
            tax_included=priced.tax_included,
            tax_estimated=tax_estimated,
            taxes=lambda: priced.taxes,
            taken=lambda: priced.discounts,
        )

    @classmethod
    def of_order(cls, order: OrderRow) -> "CartCost":
        """From amounts as an order keeps them."""
        return cls._of(
            lambda name: order[name],
            currency=order["currency_code"],
            tax_included=order["tax_included"],
            tax_estimated=order["tax_estimated"],
            taxes=lambda: itemised.taxes(order["tax_lines"]),
            taken=lambda: itemised.discounts_of_order(order["discounts"]),
        )

    @classmethod
    def of_draft(cls, order: OrderDraft) -> "CartCost":
        """From an order before it is placed."""
        return cls._of(
            lambda name: order.due_minor if name == "amount_due_minor" else getattr(order, name),
            currency=order.currency_code,
            tax_included=order.tax_included,
            tax_estimated=order.tax_estimated,
            taxes=lambda: order.tax_lines,
            taken=lambda: [
                results.DiscountAllocation(str(one.id), one.name, one.code, one.amount_minor) for one in order.discounts
            ],
        )

    @classmethod
    def _of(
        cls,
        minor: Callable[[str], int],
        *,
        currency: str,
        tax_included: bool,
        tax_estimated: bool,
        taxes: Callable[[], Iterable[results.TaxLine]],
        taken: Callable[[], Iterable[results.DiscountAllocation]],
    ) -> "CartCost":
        return cls(
            subtotal=Money.of(minor("subtotal_minor"), currency),
            discount=Money.of(minor("discount_minor"), currency),
            gift_wrap=Money.of(minor("gift_wrap_minor"), currency),
            shipping=Money.of(minor("shipping_minor"), currency),
            tax=Money.of(minor("tax_minor"), currency),
            tax_included=tax_included,
            tax_estimated=tax_estimated,
            rounding=Money.of(minor("rounding_minor"), currency),
            total=Money.of(minor("total_minor"), currency),
            gift_cards=Money.of(minor("gift_card_minor"), currency),
            store_credit=Money.of(minor("store_credit_minor"), currency),
            amount_due=Money.of(minor("amount_due_minor"), currency),
            currency=currency,
            taxes=taxes,
            taken=taken,
        )


def _line_amounts(minor: Callable[[str], int], currency: str) -> dict[str, Money]:
    """What carts' and orders' lines have alike, by the names that pricing and the books have for it."""
    return {
        "unit_price": Money.of(minor("unit_price_minor"), currency),
        "subtotal": Money.of(minor("subtotal_minor"), currency),
        "discount": Money.of(minor("discount_minor"), currency),
        "gift_wrap": Money.of(minor("gift_wrap_minor"), currency),
        "tax": Money.of(minor("tax_minor"), currency),
        "total": Money.of(minor("total_minor"), currency),
    }


@strawberry.type(description="What a line of a cart costs: total = subtotal - discount.")
class CartLineCost:
    unit_price: Money = strawberry.field(description="One unit with its options, by the catalogue at this moment.")
    subtotal: Money = strawberry.field(description="Unit price times quantity.")
    discount: Money = strawberry.field(description="The line's part of the discounts.")
    gift_wrap: Money = strawberry.field(description="The wrap of all its units; beside `total`.")
    tax: Money = strawberry.field(description="Tax on the line and its wrap, as far as it is known where it goes.")
    total: Money = strawberry.field(description="Subtotal less discount.")
    tax_lines: list[TaxLine] = strawberry.field(
        resolver=_tax_lines, description="Each tax with its rate; they add up to `tax`."
    )
    discount_allocations: list[DiscountAllocation] = strawberry.field(
        resolver=_discount_allocations, description="The line's part of each discount; they add up to `discount`."
    )
    currency: strawberry.Private[str]
    taxes: strawberry.Private[Callable[[], Iterable[results.TaxLine]]]
    taken: strawberry.Private[Callable[[], Iterable[results.DiscountAllocation]]]

    @classmethod
    def of(cls, line: results.PricedLine, currency: str) -> "CartLineCost":
        return cls(
            **_line_amounts(partial(getattr, line), currency),
            currency=currency,
            taxes=lambda: line.taxes,
            taken=lambda: line.discounts,
        )


@strawberry.type(description="What a line of an order costs: total = subtotal - discount.")
class OrderLineCost:
    unit_price: Money = strawberry.field(description="One unit with its options, as it was sold.")
    subtotal: Money = strawberry.field(description="Unit price times quantity.")
    discount: Money = strawberry.field(description="The line's part of the discounts.")
    gift_wrap: Money = strawberry.field(description="The wrap of all its units; beside `total`.")
    tax: Money = strawberry.field(description="Tax on the line and its wrap.")
    total: Money = strawberry.field(description="Subtotal less discount.")
    tax_lines: list[TaxLine] = strawberry.field(
        resolver=_tax_lines, description="Each tax with its rate; they add up to `tax`."
    )
    discount_allocations: list[DiscountAllocation] = strawberry.field(
        resolver=_discount_allocations,
        description="The line's part of each discount; they add up to `discount`. Empty for orders from before "
        "these were kept.",
    )
    currency: strawberry.Private[str]
    taxes: strawberry.Private[Callable[[], Iterable[results.TaxLine]]]
    taken: strawberry.Private[Callable[[], Iterable[results.DiscountAllocation]]]

    @classmethod
    def of_draft(cls, line: OrderLineDraft, currency: str) -> "OrderLineCost":
        return cls(
            **_line_amounts(partial(getattr, line), currency),
            currency=currency,
            taxes=lambda: line.tax_lines,
            taken=lambda: line.discounts,
        )

    @classmethod
    def of(cls, line: Mapping[str, Any], currency: str) -> "OrderLineCost":
        """From a line as an order keeps it."""
        return cls(
            **_line_amounts(line.__getitem__, currency),
            currency=currency,
            taxes=lambda: itemised.taxes(line["tax_lines"]),
            taken=lambda: itemised.discounts(line["discounts"]),
        )

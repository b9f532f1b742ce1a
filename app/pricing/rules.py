"""The one function that prices carts and orders. No clock, no I/O, no floating point."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from app.errors import DomainError
from app.pricing.allocation import allocate, round_half_up
from app.pricing.amounts import (
    Discount,
    DiscountAllocation,
    DiscountTarget,
    GiftCard,
    GiftCardPayment,
    LineToPrice,
    PricedLine,
    PricedShipping,
    PricingInput,
    PricingResult,
    ShippingToPrice,
    TaxLine,
    TaxRate,
)
from app.pricing.errors import PricingErrorCode

MAX_TOTAL_MINOR = 2**63 - 1
"""What the database's amounts hold."""


def price(order: PricingInput) -> PricingResult:
    """Price every line, shipping and the whole.

    Discounts are allocated to lines by the largest-remainder method and never take a line or shipping below zero.
    Tax is rounded half up per line and rate, on what is left after discounts, so that a line's tax does not depend
    on its neighbours and the whole is always the sum of its lines.

    Raises:
        DomainError: TOTAL_TOO_LARGE when the amounts exceed 64 bits.
    """
    allocations = _discount_lines(order.lines, order.discounts)
    lines = tuple(_price_line(line, allocations[line.id], included=order.prices_include_tax) for line in order.lines)
    shipping = _price_shipping(order.shipping, order) if order.shipping else None
    subtotal = sum(line.subtotal_minor for line in lines)
    discount = sum(line.discount_minor for line in lines)
    shipping_total = shipping.total_minor if shipping else 0
    tax = sum(line.tax_minor for line in lines) + (shipping.tax_minor if shipping else 0)
    total = subtotal - discount + shipping_total + (0 if order.prices_include_tax else tax)
    if max(total, subtotal) > MAX_TOTAL_MINOR:
        raise DomainError(PricingErrorCode.TOTAL_TOO_LARGE, "This is more than can be ordered at once.")
    payments = _pay_by_gift_cards(total, order.gift_cards)
    paid = sum(payment.amount_minor for payment in payments)
    return PricingResult(
        currency=order.currency,
        lines=lines,
        shipping=shipping,
        subtotal_minor=subtotal,
        discount_minor=discount,
        shipping_minor=shipping_total,
        taxes=_sum_taxes([*lines, shipping] if shipping else lines),
        tax_minor=tax,
        tax_included=order.prices_include_tax,
        total_minor=total,
        gift_cards=payments,
        gift_card_minor=paid,
        amount_due_minor=total - paid,
    )


def _discount_lines(lines: Sequence[LineToPrice], discounts: Iterable[Discount]) -> dict[str, list[DiscountAllocation]]:
    left = {line.id: line.unit_price_minor * line.quantity for line in lines}
    allocations: dict[str, list[DiscountAllocation]] = defaultdict(list)
    for discount in discounts:
        if discount.target is not DiscountTarget.MERCHANDISE:
            continue
        eligible = [line.id for line in lines if discount.line_ids is None or line.id in discount.line_ids]
        weights = [left[line_id] for line_id in eligible]
        parts = allocate(amount_off(discount, sum(weights)), weights)
        for line_id, part in zip(eligible, parts, strict=True):
            if part:
                left[line_id] -= part
                allocations[line_id].append(DiscountAllocation(discount.id, discount.label, discount.code, part))
    return allocations


def amount_off(discount: Discount, from_minor: int) -> int:
    """What it takes off an amount; never more than there is."""
    if discount.percentage is None:
        return min(discount.amount_minor or 0, from_minor)
    return round_half_up(from_minor * Fraction(discount.percentage) / 100)


def _price_line(line: LineToPrice, discounts: Sequence[DiscountAllocation], *, included: bool) -> PricedLine:
    subtotal = line.unit_price_minor * line.quantity
    discount = sum(allocation.amount_minor for allocation in discounts)
    taxes = _taxes(subtotal - discount, line.tax_rates, included=included)
    return PricedLine(
        id=line.id,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        subtotal_minor=subtotal,
        discounts=tuple(discounts),
        discount_minor=discount,
        taxes=taxes,
        tax_minor=sum(tax.amount_minor for tax in taxes),
        total_minor=subtotal - discount,
    )


def _price_shipping(shipping: ShippingToPrice, order: PricingInput) -> PricedShipping:
    left = shipping.price_minor
    allocations = []
    for discount in order.discounts:
        if discount.target is DiscountTarget.SHIPPING and (off := amount_off(discount, left)):
            left -= off
            allocations.append(DiscountAllocation(discount.id, discount.label, discount.code, off))
    taxes = _taxes(left, shipping.tax_rates, included=order.prices_include_tax)
    return PricedShipping(
        label=shipping.label,
        price_minor=shipping.price_minor,
        discounts=tuple(allocations),
        discount_minor=shipping.price_minor - left,
        taxes=taxes,
        tax_minor=sum(tax.amount_minor for tax in taxes),
        total_minor=left,
    )


def _taxes(base_minor: int, rates: Sequence[TaxRate], *, included: bool) -> tuple[TaxLine, ...]:
    if not included:
        return tuple(TaxLine(rate.name, rate.rate, round_half_up(base_minor * Fraction(rate.rate))) for rate in rates)
    combined = sum((Fraction(rate.rate) for rate in rates), Fraction())
    inside = round_half_up(base_minor * combined / (1 + combined))
    scale = 10 ** max((_decimal_places(rate.rate) for rate in rates), default=0)
    parts = allocate(inside, [int(rate.rate * scale) for rate in rates])
    return tuple(TaxLine(rate.name, rate.rate, part) for rate, part in zip(rates, parts, strict=True))


def _decimal_places(rate: Decimal) -> int:
    exponent = rate.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _sum_taxes(taxed: Iterable[PricedLine | PricedShipping]) -> tuple[TaxLine, ...]:
    sums: dict[tuple[str, Decimal], int] = defaultdict(int)
    for part in taxed:
        for tax in part.taxes:
            sums[tax.name, tax.rate] += tax.amount_minor
    return tuple(TaxLine(name, rate, amount) for (name, rate), amount in sums.items())


def _pay_by_gift_cards(total_minor: int, cards: Iterable[GiftCard]) -> tuple[GiftCardPayment, ...]:
    payments = []
    left = total_minor
    for card in cards:
        if paid := min(card.balance_minor, left):
            left -= paid
            payments.append(GiftCardPayment(card.id, paid))
    return tuple(payments)

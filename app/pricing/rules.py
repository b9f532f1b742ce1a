"""The one function that prices carts and orders. No clock, no I/O, no floating point."""

from collections.abc import Iterable, Sequence
from itertools import chain

from app.errors import DomainError
from app.pricing.allocation import half_up
from app.pricing.amounts import GiftWrapToPrice, PricingInput, ShippingToPrice, StoredValue, StoredValueKind
from app.pricing.discounting import Goods, discount_goods, discount_shipping, goods_of
from app.pricing.errors import PricingErrorCode
from app.pricing.results import DiscountAllocation, PricedCharge, PricedLine, PricingResult, StoredValuePayment
from app.pricing.taxing import Taxed, as_goods, summed, tax

MAX_TOTAL_MINOR = 2**63 - 1
"""What the database's amounts hold."""


def price(order: PricingInput) -> PricingResult:
    """Price every line, the gift wrap, shipping and the whole; see docs/decisions/pricing.md.

    1. A unit costs what the quantity of all lines of its variant brings it to, and what its options add.
    2. Discounts on lines, then on the order, each off what is left (`discounting`).
    3. Gift wraps, which no discount touches.
    4. Shipping, and discounts on it.
    5. Tax on all of these, on top or inside (`taxing`).
    6. Rounding of the total to payable coins, halves up.
    7. Gift cards, then store credit; what they leave is due.

    Raises:
        DomainError: TOTAL_TOO_LARGE when the amounts exceed 64 bits.
    """
    included = order.prices_include_tax
    goods = goods_of(order.lines, order.discounts)
    discounts = discount_goods(goods, order.discounts)
    shipping_off = discount_shipping(order.shipping.price_minor, order.discounts) if order.shipping else []

    taxed_goods = [_taxed_goods(group) for group in goods]
    taxed_wrap = _taxed(order.gift_wrap, goods)
    taxed_shipping = _taxed(order.shipping, [group for group in goods if group.lines[0].ships], shipping_off)
    taxes = tax([*chain(*taxed_goods), *taxed_wrap, *taxed_shipping], included=included)

    lines = _lines(order, goods, taxed_goods)
    gift_wrap = _charge(order.gift_wrap, taxed_wrap, [], included=included)
    shipping = _charge(order.shipping, taxed_shipping, shipping_off, included=included)

    subtotal = sum(line.subtotal_minor for line in lines)
    discount = sum(line.discount_minor for line in lines)
    wrapping = sum(line.gift_wrap_minor for line in lines) + (gift_wrap.total_minor if gift_wrap else 0)
    shipping_total = shipping.total_minor if shipping else 0
    taxed = sum(one.amount_minor for one in taxes)
    unrounded = subtotal - discount + wrapping + shipping_total + (0 if included else taxed)
    total = half_up(unrounded, order.rounding_minor) * order.rounding_minor
    if max(total, subtotal + wrapping + shipping_total) > MAX_TOTAL_MINOR:
        raise DomainError(PricingErrorCode.TOTAL_TOO_LARGE, "This is more than can be ordered at once.")
    payments = _pay(total, order.stored_value)
    by_card, by_credit = (_paid(payments, kind) for kind in (StoredValueKind.GIFT_CARD, StoredValueKind.STORE_CREDIT))
    return PricingResult(
        currency=order.currency,
        lines=lines,
        gift_wrap=gift_wrap,
        shipping=shipping,
        subtotal_minor=subtotal,
        discounts=(*discounts, *shipping_off),
        discount_minor=discount,
        gift_wrap_minor=wrapping,
        shipping_minor=shipping_total,
        taxes=taxes,
        tax_minor=taxed,
        tax_included=included,
        rounding_minor=total - unrounded,
        total_minor=total,
        stored_value=payments,
        gift_card_minor=by_card,
        store_credit_minor=by_credit,
        amount_due_minor=total - by_card - by_credit,
    )


def _taxed_goods(group: Goods) -> list[Taxed]:
    """The lines, and their wraps where these bear taxes of their own."""
    rates, wrap_rates = group.lines[0].tax_rates, group.lines[0].gift_wrap_tax_rates
    wraps = [line.gift_wrap_minor for line in group.lines]
    if wrap_rates is None or wrap_rates == rates or not any(wraps):
        return [Taxed(rates, [left + wrap for left, wrap in zip(group.line_left, wraps, strict=True)])]
    return [Taxed(rates, group.line_left), Taxed(wrap_rates, wraps)]


def _lines(order: PricingInput, goods: Sequence[Goods], taxed: Sequence[list[Taxed]]) -> tuple[PricedLine, ...]:
    """In the order in which they were given."""
    priced: dict[str, PricedLine] = {}
    for group, bearing in zip(goods, taxed, strict=True):
        for place, line in enumerate(group.lines):
            subtotal = group.unit_price_minor * line.quantity
            left = group.line_left[place]
            priced[line.id] = PricedLine(
                id=line.id,
                quantity=line.quantity,
                unit_price_minor=group.unit_price_minor,
                customization_minor=line.customization_minor,
                subtotal_minor=subtotal,
                discounts=tuple(group.allocations[place]),
                discount_minor=subtotal - left,
                gift_wrap_minor=line.gift_wrap_minor,
                taxes=summed(bearing, place, included=order.prices_include_tax),
                tax_minor=sum(sum(one.taxes[place]) for one in bearing),
                total_minor=left,
            )
    return tuple(priced[line.id] for line in order.lines)


def _taxed(
    charge: GiftWrapToPrice | ShippingToPrice | None,
    goods: Sequence[Goods],
    discounts: Iterable[DiscountAllocation] = (),
) -> list[Taxed]:
    if charge is None:
        return []
    amount = charge.price_minor - sum(off.amount_minor for off in discounts)
    if not charge.as_goods:
        return [Taxed(charge.tax_rates, [amount])]
    rates = [group.lines[0].tax_rates for group in goods]
    # Goods that cost nothing (any more) weigh what they would cost, or are counted.
    for weights in (
        [group.left for group in goods],
        [group.unit_price_minor * group.quantity for group in goods],
        [group.quantity for group in goods],
    ):
        if any(weights):
            return as_goods(amount, list(zip(rates, weights, strict=True)))
    return [Taxed((), [amount])]


def _charge(
    charge: GiftWrapToPrice | ShippingToPrice | None,
    taxed: Sequence[Taxed],
    discounts: Sequence[DiscountAllocation],
    *,
    included: bool,
) -> PricedCharge | None:
    if charge is None:
        return None
    total = sum(one.bases[0] for one in taxed)
    return PricedCharge(
        label=charge.label,
        price_minor=charge.price_minor,
        discounts=tuple(discounts),
        discount_minor=charge.price_minor - total,
        taxes=summed(taxed, 0, included=included),
        tax_minor=sum(sum(one.taxes[0]) for one in taxed),
        total_minor=total,
    )


def _pay(total_minor: int, stored: Iterable[StoredValue]) -> tuple[StoredValuePayment, ...]:
    payments = []
    left = total_minor
    for value in sorted(stored, key=lambda value: value.kind is StoredValueKind.STORE_CREDIT):
        if paid := min(value.balance_minor, left):
            left -= paid
            payments.append(StoredValuePayment(value.id, value.kind, paid))
    return tuple(payments)


def _paid(payments: Iterable[StoredValuePayment], kind: StoredValueKind) -> int:
    return sum(payment.amount_minor for payment in payments if payment.kind is kind)

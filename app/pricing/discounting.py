"""What discounts take off lines, and off shipping.

Lines that are alike (the same variant, price, taxes, and discounts that name them) are discounted as one and share what
is taken off. So nothing changes when a line is split in two, not even a unit of rounding.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from app.pricing.allocation import allocate, half_up
from app.pricing.amounts import Discount, DiscountTarget, LineToPrice, unit_price
from app.pricing.results import DiscountAllocation


class Goods:
    """Lines that are alike, and what discounts have left of them so far."""

    __slots__ = ("allocations", "left", "line_left", "lines", "quantity", "unit_price_minor")

    def __init__(self, unit_price_minor: int) -> None:
        self.unit_price_minor = unit_price_minor
        """With what the chosen options add."""
        self.lines: list[LineToPrice] = []
        self.quantity = 0
        self.left = 0
        self.line_left: list[int] = []
        self.allocations: list[list[DiscountAllocation]] = []

    def add(self, line: LineToPrice) -> None:
        worth = self.unit_price_minor * line.quantity
        self.lines.append(line)
        self.quantity += line.quantity
        self.left += worth
        self.line_left.append(worth)
        self.allocations.append([])

    def take(self, discount: Discount, amount_minor: int) -> None:
        for place, part in enumerate(allocate(amount_minor, self.line_left)):
            if part:
                self.line_left[place] -= part
                self.allocations[place].append(_allocation(discount, part))
        self.left -= amount_minor


def goods_of(lines: Sequence[LineToPrice], discounts: Iterable[Discount]) -> list[Goods]:
    """The lines by what they have in common, in the order in which they first appear.

    The price of a unit is chosen by the quantity of all lines of its variant.
    """
    quantities: Counter[str] = Counter()
    for line in lines:
        if not line.fixed:
            quantities[line.variant_key] += line.quantity
    naming = [discount.line_ids for discount in discounts if discount.line_ids is not None and discount.units is None]
    groups: dict[object, Goods] = {}
    for line in lines:
        price = _unit_price(line, 1 if line.fixed else quantities[line.variant_key])
        named = tuple(line.id in line_ids for line_ids in naming)
        alike = (
            line.variant_key,
            price,
            line.customization_minor,
            line.tax_rates,
            line.gift_wrap_tax_rates,
            line.ships,
            line.fixed,
            named,
        )
        group = groups.get(alike)
        if group is None:
            group = groups[alike] = Goods(price)
        group.add(line)
    return list(groups.values())


def _unit_price(line: LineToPrice, quantity: int) -> int:
    return unit_price(line.price_breaks, quantity) + line.customization_minor


def discount_goods(goods: Sequence[Goods], discounts: Iterable[Discount]) -> list[DiscountAllocation]:
    """Take the discounts off, those of LINES before those of MERCHANDISE, each off what is left.

    A percentage is rounded half up once, over everything that it touches. Nothing falls below zero.

    Returns:
        what each took altogether; without those that took nothing.
    """
    taken = []
    for target in (DiscountTarget.LINES, DiscountTarget.MERCHANDISE):
        for discount in discounts:
            if discount.target is target and (off := _discount(goods, discount)):
                taken.append(_allocation(discount, off))
    return taken


def _discount(goods: Sequence[Goods], discount: Discount) -> int:
    units = [_units(group, discount) for group in goods]
    bases = [
        group.left if count == group.quantity else half_up(group.left * count, group.quantity)
        for group, count in zip(goods, units, strict=True)
    ]
    if discount.unit_amount_minor is not None:
        parts = [min(discount.unit_amount_minor * count, base) for count, base in zip(units, bases, strict=True)]
    elif discount.fixed_unit_price_minor is not None:
        parts = [
            max(0, base - (discount.fixed_unit_price_minor + group.lines[0].customization_minor) * count)
            for group, count, base in zip(goods, units, bases, strict=True)
        ]
    else:
        parts = allocate(amount_off(discount, sum(bases)), bases)
    for group, part in zip(goods, parts, strict=True):
        if part:
            group.take(discount, part)
    return sum(parts)


def _units(group: Goods, discount: Discount) -> int:
    """How many of the group's units the discount touches."""
    if discount.units is None:
        line = group.lines[0]
        # The lines of a group are named by the same discounts.
        touched = not line.fixed if discount.line_ids is None else line.id in discount.line_ids
        return group.quantity if touched else 0
    return sum(
        min(discount.units.get(line.id, 0), line.quantity)
        for line in group.lines
        if discount.line_ids is None or line.id in discount.line_ids
    )


def discount_shipping(price_minor: int, discounts: Iterable[Discount]) -> list[DiscountAllocation]:
    left = price_minor
    taken = []
    for discount in discounts:
        if discount.target is DiscountTarget.SHIPPING and (off := amount_off(discount, left)):
            left -= off
            taken.append(_allocation(discount, off))
    return taken


def amount_off(discount: Discount, from_minor: int) -> int:
    """What a percentage or an amount takes off another amount; never more than there is."""
    if discount.percentage is None:
        return min(discount.amount_minor or 0, from_minor)
    numerator, denominator = discount.percentage.as_integer_ratio()
    return half_up(from_minor * numerator, denominator * 100)


def _allocation(discount: Discount, amount_minor: int) -> DiscountAllocation:
    return DiscountAllocation(discount.id, discount.label, discount.code, amount_minor, discount.target)

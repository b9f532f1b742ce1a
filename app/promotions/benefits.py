"""What a discount takes off a cart, for pricing; or why there is nothing that it could take anything off."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from app.kit.money import Money
from app.pricing.amounts import Discount, DiscountTarget
from app.promotions.buy_x_get_y import UnitsOnLine, units_off
from app.promotions.definition import BuyXGetY, DiscountClass, FreeShipping, Tier, Worth
from app.promotions.items import Item
from app.promotions.obstacles import too_little
from app.promotions.terms import DiscountCodeReason, DiscountTerms, Obstacle, PromotionContext

_NOTHING_FITS = Obstacle(DiscountCodeReason.NO_ELIGIBLE_ITEMS, "Nothing in the cart is part of this offer.")


def benefit_of(
    terms: DiscountTerms, items: Sequence[Item], currency: str, context: PromotionContext
) -> Discount | Obstacle:
    """Whoever buys and wherever: that has been looked at before."""
    rule = terms.rule
    if rule.free_shipping:
        return _shipping(terms, rule.free_shipping, currency, context)
    if rule.buy_x_get_y:
        return _buy_x_get_y(terms, rule.buy_x_get_y, items)
    eligible = items if rule.items.is_everything else [item for item in items if item.is_in(rule.items)]
    if not eligible and not rule.items.is_everything:
        return _NOTHING_FITS
    if (fewest := rule.requires.minimum_quantity) and (missing := fewest - _units(eligible)) > 0:
        return _too_few(missing)
    if rule.worth:
        return _off(terms, rule.worth, eligible)
    tier = _tier(rule.tiers, eligible, currency)
    return tier if isinstance(tier, Obstacle) else _off(terms, tier.worth, eligible)


def _too_few(missing: int) -> Obstacle:
    more = "one more" if missing == 1 else f"{missing} more"
    message = f"Add {more} of what the offer is for to get it."
    return Obstacle(DiscountCodeReason.MINIMUM_QUANTITY_NOT_REACHED, message)


def _units(items: Iterable[Item]) -> int:
    return sum(item.quantity for item in items)


def _tier(tiers: Sequence[Tier], eligible: Sequence[Item], currency: str) -> Tier | Obstacle:
    """The highest that is reached."""
    units, subtotal = _units(eligible), sum(item.subtotal_minor for item in eligible)
    for tier in reversed(tiers):
        if units >= (tier.minimum_quantity or 0) and subtotal >= (tier.minimum_subtotal_minor or 0):
            return tier
    lowest = tiers[0]
    if lowest.minimum_quantity is not None:
        return _too_few(lowest.minimum_quantity - units)
    return too_little((lowest.minimum_subtotal_minor or 0) - subtotal, currency)


def _off(terms: DiscountTerms, worth: Worth, eligible: Sequence[Item]) -> Discount | Obstacle:
    fixed = worth.fixed_price_minor
    if fixed is not None and eligible and all(item.unit_price_minor <= fixed for item in eligible):
        return Obstacle(DiscountCodeReason.NO_ELIGIBLE_ITEMS, "Nothing in the cart costs more than the offer's price.")
    on_order = terms.rule.discount_class is DiscountClass.ORDER
    return Discount(
        id=str(terms.discount_id),
        label=terms.name,
        code=terms.code,
        target=DiscountTarget.MERCHANDISE if on_order else DiscountTarget.LINES,
        line_ids=None if terms.rule.items.is_everything else frozenset(item.line_id for item in eligible),
        percentage=worth.percentage,
        amount_minor=worth.amount_minor,
        unit_amount_minor=worth.each_minor,
        fixed_unit_price_minor=fixed,
    )


def _buy_x_get_y(terms: DiscountTerms, offer: BuyXGetY, items: Sequence[Item]) -> Discount | Obstacle:
    lines = [
        UnitsOnLine(
            id=item.line_id,
            key=item.variant_id.hex,
            quantity=item.quantity,
            unit_price_minor=item.unit_price_minor,
            buys=item.is_in(offer.buys),
            gets=item.is_in(offer.gets),
        )
        for item in items
    ]
    bought = sum(line.quantity for line in lines if line.buys)
    if not bought:
        return _NOTHING_FITS
    if bought < offer.buy_quantity:
        return _too_few(offer.buy_quantity - bought)
    units = units_off(
        lines,
        buy_quantity=offer.buy_quantity,
        get_quantity=offer.get_quantity,
        uses_per_order=offer.uses_per_order,
    )
    if not units:
        if offer.buys == offer.gets:
            return _too_few(offer.buy_quantity + 1 - bought)
        message = "Put into the cart what the offer takes something off, too."
        return Obstacle(DiscountCodeReason.NO_ELIGIBLE_ITEMS, message)
    return Discount(
        id=str(terms.discount_id),
        label=terms.name,
        code=terms.code,
        target=DiscountTarget.LINES,
        line_ids=frozenset(units),
        percentage=offer.percentage,
        units=units,
    )


def _shipping(
    terms: DiscountTerms, free: FreeShipping, currency: str, context: PromotionContext
) -> Discount | Obstacle:
    if not context.ships:
        return Obstacle(DiscountCodeReason.NO_SHIPPING, "Nothing in the cart is sent, so there is no shipping to pay.")
    most = free.maximum_price_minor
    if most is not None and context.shipping_minor is not None and context.shipping_minor > most:
        message = f"Choose a way to ship for {Money(most, currency).decimal} {currency} at most to get it for nothing."
        return Obstacle(DiscountCodeReason.SHIPPING_TOO_EXPENSIVE, message)
    return Discount(
        id=str(terms.discount_id),
        label=terms.name,
        code=terms.code,
        target=DiscountTarget.SHIPPING,
        percentage=Decimal(100),
    )

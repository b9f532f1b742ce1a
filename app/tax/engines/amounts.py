"""For engines that answer amounts (Stripe Tax, Avalara AvaTax and their like): the rates that come to them.

Such an engine rounds each line by itself, caps a tax, or taxes a part of a price. Where its amount is that of the rate
that it names, but for its rounding, the rate is the answer, and the order is rounded once, as everywhere. Where it is
not, the rate is what the amount is of the price: an adapter that gives each such item a rate of its own gets exactly
the engine's amounts. What is no part of a price, such as a fee for each delivery, can be put on shipping.
"""

from decimal import ROUND_HALF_UP, Context, Decimal

_DIGITS = Context(prec=28, rounding=ROUND_HALF_UP)


def rate_for(tax_minor: int, price_minor: int, stated: Decimal | None = None, *, included: bool = False) -> Decimal:
    """The rate, as a fraction, at which a price bears this tax.

    Args:
        tax_minor: what the engine wants for the item, in minor units.
        price_minor: `TaxedItem.amount_minor`, what was asked about.
        stated: the rate that the engine names; it is kept where the amount differs from it by rounding alone.
        included: whether the price has the tax in it (`TaxQuestion.prices_include_tax`).

    Raises:
        ValueError: for a tax below zero, or one on nothing, which no rate can give.
    """
    if tax_minor < 0:
        raise ValueError("a tax is not below zero")
    net = price_minor - tax_minor if included else price_minor
    if tax_minor == 0:
        return Decimal(0)
    if net <= 0:
        raise ValueError("there is a tax on nothing")
    if stated is not None and abs(stated * net - tax_minor) < 1:
        return stated
    return _DIGITS.divide(Decimal(tax_minor), Decimal(net))

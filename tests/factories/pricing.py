"""Things to price, for tests: short names, and whatever carts a shop could put together."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from app.pricing.amounts import (
    Discount,
    DiscountTarget,
    GiftWrapToPrice,
    LineToPrice,
    PriceBreak,
    PricingInput,
    ShippingToPrice,
    StoredValue,
    StoredValueKind,
    TaxRate,
)


def line(id: str, unit_price_minor: int, quantity: int = 1, *tax_rates: TaxRate, **more: object) -> LineToPrice:
    """A line of a variant of its own with one price, unless `more` says otherwise."""
    given: dict[str, object] = {
        "variant_key": id,
        "price_breaks": (PriceBreak(1, unit_price_minor),),
        "tax_rates": tax_rates,
    }
    return LineToPrice(id=id, quantity=quantity, **{**given, **more})  # type: ignore[arg-type]


def card(id: str, balance_minor: int) -> StoredValue:
    return StoredValue(id, StoredValueKind.GIFT_CARD, balance_minor)


def credit(id: str, balance_minor: int) -> StoredValue:
    return StoredValue(id, StoredValueKind.STORE_CREDIT, balance_minor)


# Strategies that are made inside of others are checked anew for every example, which takes longer than pricing it.
amounts = st.one_of(st.integers(0, 10_000), st.integers(2**31, 10**12))
percentages = st.integers(0, 10_000).map(lambda hundredths: Decimal(hundredths).scaleb(-2))
_names, _flags = ("VAT", "State", "City"), (False, True)
_fractions = tuple(Decimal(text) for text in ("0", "0.05", "0.081", "0.19", "0.0625", "0.09975", "0.5"))
_rate = st.tuples(st.sampled_from(_fractions), st.sampled_from(_flags))
rates = st.lists(_rate, max_size=3).map(
    lambda drawn: tuple(TaxRate(name, *terms) for name, terms in zip(_names, drawn, strict=False))
)
_tiers = st.tuples(amounts, st.dictionaries(st.integers(2, 40), amounts, max_size=2)).map(
    lambda drawn: (PriceBreak(1, drawn[0]), *(PriceBreak(*tier) for tier in sorted(drawn[1].items())))
)
_variants = st.fixed_dictionaries(dict.fromkeys(("shirt", "mug", "book"), _tiers))
_line_ids = st.sampled_from([*(f"line{place}" for place in range(5)), "gone"])
_ways = st.sampled_from(("percentage", "amount_minor", "unit_amount_minor", "fixed_unit_price_minor"))
_discount = st.tuples(
    st.integers(0, 9),
    st.sampled_from(DiscountTarget),
    _ways,
    percentages,
    amounts,
    st.one_of(st.none(), st.frozensets(_line_ids, max_size=4)),
    st.one_of(st.none(), st.dictionaries(_line_ids, st.integers(0, 30), max_size=4)),
).map(lambda drawn: _discount_of(*drawn))
_line = st.tuples(
    st.sampled_from(("shirt", "mug", "book")),
    st.integers(1, 60),
    st.sampled_from((0, 0, 0, 250)),
    st.sampled_from((0, 0, 0, 399)),
    st.integers(0, 2),
    st.sampled_from((None, None, 0, 1, 2)),
    st.booleans(),
    st.sampled_from((False, False, False, True)),
)
_charge = st.one_of(st.none(), st.tuples(amounts, st.integers(0, 2), st.booleans()))
_stored = st.tuples(st.sampled_from(StoredValueKind), amounts)
_order = st.fixed_dictionaries(
    {
        "rates": st.tuples(rates, rates, rates),
        "variants": _variants,
        "lines": st.lists(_line, max_size=5),
        "discounts": st.lists(_discount, max_size=4).map(tuple),
        "wrap": _charge,
        "shipping": _charge,
        "included": st.booleans(),
        "stored": st.lists(_stored, max_size=3),
        "rounding": st.sampled_from((1, 1, 5, 10)),
    }
)


def orders() -> st.SearchStrategy[PricingInput]:
    """Lines of a few variants, which may share one; any discounts, taxes, charges and stored value."""
    return _ORDERS


def _order_of(drawn: dict[str, Any]) -> PricingInput:
    tax_rates = drawn["rates"]
    charges = [
        charge and {"price_minor": charge[0], "tax_rates": tax_rates[charge[1]], "as_goods": charge[2]}
        for charge in (drawn["wrap"], drawn["shipping"])
    ]
    wrap, shipping = charges
    return PricingInput(
        currency="USD",
        lines=tuple(
            LineToPrice(
                id=f"line{place}",
                variant_key=key,
                quantity=quantity,
                price_breaks=drawn["variants"][key],
                customization_minor=customization,
                gift_wrap_minor=gift_wrap,
                tax_rates=tax_rates[taxed],
                gift_wrap_tax_rates=None if wrap_taxed is None else tax_rates[wrap_taxed],
                ships=ships,
                fixed=fixed,
            )
            for place, (key, quantity, customization, gift_wrap, taxed, wrap_taxed, ships, fixed) in enumerate(
                drawn["lines"]
            )
        ),
        discounts=drawn["discounts"],
        gift_wrap=GiftWrapToPrice(label="Wrap", **wrap) if wrap else None,
        shipping=ShippingToPrice(label="Post", **shipping) if shipping else None,
        prices_include_tax=drawn["included"],
        stored_value=tuple(StoredValue(f"v{place}", *value) for place, value in enumerate(drawn["stored"])),
        rounding_minor=drawn["rounding"],
    )


def _discount_of(
    number: int,
    target: DiscountTarget,
    way: str,
    percentage: Decimal,
    amount_minor: int,
    line_ids: frozenset[str] | None,
    units: dict[str, int] | None,
) -> Discount:
    off_shipping = target is DiscountTarget.SHIPPING
    if off_shipping and way not in {"percentage", "amount_minor"}:
        way = "amount_minor"
    worth: dict[str, Any] = {way: percentage if way == "percentage" else amount_minor}
    return Discount(
        id=f"d{number}", label="D", target=target, line_ids=line_ids, units=None if off_shipping else units, **worth
    )


_ORDERS = _order.map(_order_of)


def split(order: PricingInput, place: int, count: int) -> PricingInput:
    """The same order with `count` units of one line on a line of their own, with what belongs to them."""
    whole = order.lines[place]
    wrap = whole.gift_wrap_minor * count // whole.quantity
    rest = replace(whole, quantity=whole.quantity - count, gift_wrap_minor=whole.gift_wrap_minor - wrap)
    other = replace(whole, id=f"{whole.id}-split", quantity=count, gift_wrap_minor=wrap)
    return replace(
        order,
        lines=(*order.lines[:place], rest, other, *order.lines[place + 1 :]),
        discounts=tuple(_split_discount(discount, rest, other) for discount in order.discounts),
    )


def _split_discount(discount: Discount, rest: LineToPrice, other: LineToPrice) -> Discount:
    line_ids, units = discount.line_ids, discount.units
    if line_ids is not None and rest.id in line_ids:
        line_ids = line_ids | {other.id}
    if units is not None and rest.id in units:
        touched = min(units[rest.id], rest.quantity + other.quantity)
        units = {**units, rest.id: min(touched, rest.quantity), other.id: max(0, touched - rest.quantity)}
    return replace(discount, line_ids=line_ids, units=units)

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


amounts = st.one_of(st.integers(0, 10_000), st.integers(2**31, 10**12))
percentages = st.decimals(Decimal(0), Decimal(100), places=2)
rates = st.lists(
    st.builds(
        TaxRate,
        st.sampled_from(["VAT", "State", "City"]),
        st.sampled_from([Decimal(text) for text in ("0", "0.05", "0.081", "0.19", "0.0625", "0.09975", "0.5")]),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda rate: rate.name,
).map(tuple)
price_breaks = st.lists(st.tuples(st.integers(2, 40), amounts), max_size=3, unique_by=lambda tier: tier[0]).flatmap(
    lambda above: amounts.map(
        lambda first: (PriceBreak(1, first), *(PriceBreak(count, minor) for count, minor in sorted(above)))
    )
)


@st.composite
def discounts(draw: st.DrawFn, line_ids: list[str]) -> Discount:
    target = draw(st.sampled_from(DiscountTarget))
    ways: dict[str, st.SearchStrategy[Any]] = {"percentage": percentages, "amount_minor": amounts}
    if target is not DiscountTarget.SHIPPING:
        ways |= {"unit_amount_minor": amounts, "fixed_unit_price_minor": amounts}
    way = draw(st.sampled_from(sorted(ways)))
    ids = st.sampled_from([*line_ids, "gone"])
    some_units = st.dictionaries(ids, st.integers(0, 30), max_size=4)
    return Discount(
        id=f"d{draw(st.integers(0, 9))}",
        label="D",
        target=target,
        line_ids=draw(st.one_of(st.none(), st.frozensets(ids))),
        units=draw(st.one_of(st.none(), some_units)) if target is not DiscountTarget.SHIPPING else None,
        **{way: draw(ways[way])},
    )


@st.composite
def orders(draw: st.DrawFn) -> PricingInput:
    """Lines of a few variants, which may share one; any discounts, taxes, charges and stored value."""
    tax_rates = draw(st.lists(rates, min_size=1, max_size=3))
    variants = {key: draw(price_breaks) for key in ("shirt", "mug", "book")}
    ids = [f"line{place}" for place in range(draw(st.integers(0, 5)))]
    lines = []
    for line_id in ids:
        key = draw(st.sampled_from(sorted(variants)))
        lines.append(
            LineToPrice(
                id=line_id,
                variant_key=key,
                quantity=draw(st.integers(1, 60)),
                price_breaks=variants[key],
                customization_minor=draw(st.sampled_from([0, 0, 0, 250])),
                gift_wrap_minor=draw(st.sampled_from([0, 0, 0, 399])),
                tax_rates=draw(st.sampled_from(tax_rates)),
                gift_wrap_tax_rates=draw(st.sampled_from([None, None, *tax_rates])),
                ships=draw(st.booleans()),
                fixed=draw(st.sampled_from([False, False, False, True])),
            )
        )
    taxed = {"tax_rates": st.sampled_from(tax_rates), "as_goods": st.booleans()}
    wrap = st.builds(GiftWrapToPrice, label=st.just("Wrap"), price_minor=amounts, **taxed)
    shipping = st.builds(ShippingToPrice, label=st.just("Post"), price_minor=amounts, **taxed)
    stored = st.builds(StoredValue, st.uuids().map(str), st.sampled_from(StoredValueKind), amounts)
    return PricingInput(
        currency="USD",
        lines=tuple(lines),
        discounts=tuple(draw(st.lists(discounts(ids), max_size=4))),
        gift_wrap=draw(st.one_of(st.none(), wrap)),
        shipping=draw(st.one_of(st.none(), shipping)),
        prices_include_tax=draw(st.booleans()),
        stored_value=tuple(draw(st.lists(stored, max_size=3))),
        rounding_minor=draw(st.sampled_from([1, 1, 5, 10])),
    )


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

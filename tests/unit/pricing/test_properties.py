"""Truths about prices, over whatever a shop can put together."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.errors import DomainError
from app.kit.money import Money, exponent
from app.pricing.allocation import allocate
from app.pricing.amounts import (
    Discount,
    DiscountTarget,
    LineToPrice,
    PriceBreak,
    PricingInput,
    ShippingToPrice,
    TaxRate,
)
from app.pricing.errors import PricingErrorCode
from app.pricing.results import PricedCharge, PricedLine, PricingResult, TaxLine
from app.pricing.rules import MAX_TOTAL_MINOR, price
from tests.factories.pricing import amounts, orders, percentages, rates, split


def _charges(result: PricingResult) -> list[PricedCharge]:
    return [charge for charge in (result.gift_wrap, result.shipping) if charge]


def _parts(result: PricingResult) -> list[PricedLine | PricedCharge]:
    return [*result.lines, *_charges(result)]


def _key(tax: TaxLine) -> tuple[object, ...]:
    return (tax.name, tax.rate, tax.compound)


@given(orders())
def test_every_total_is_the_sum_of_its_parts(order: PricingInput) -> None:
    result = price(order)
    lines = result.lines
    assert result.subtotal_minor == sum(line.subtotal_minor for line in lines)
    assert result.discount_minor == sum(line.discount_minor for line in lines)
    wrapped = result.gift_wrap.total_minor if result.gift_wrap else 0
    assert result.gift_wrap_minor == sum(line.gift_wrap_minor for line in lines) + wrapped
    assert result.shipping_minor == (result.shipping.total_minor if result.shipping else 0)
    assert result.tax_minor == sum(part.tax_minor for part in _parts(result))
    net = sum(line.total_minor for line in lines) + result.gift_wrap_minor + result.shipping_minor
    assert result.total_minor == net + (0 if result.tax_included else result.tax_minor) + result.rounding_minor
    paid = sum(payment.amount_minor for payment in result.stored_value)
    assert paid == result.gift_card_minor + result.store_credit_minor
    assert result.amount_due_minor == result.total_minor - paid
    for line in lines:
        assert line.subtotal_minor == line.unit_price_minor * line.quantity
        assert line.total_minor == line.subtotal_minor - line.discount_minor
        assert line.discount_minor == sum(part.amount_minor for part in line.discounts)
    for part in _parts(result):
        assert part.tax_minor == sum(tax.amount_minor for tax in part.taxes)


@given(orders())
def test_discounts_and_taxes_are_itemised_to_the_last_unit(order: PricingInput) -> None:
    result = price(order)
    on_parts = [part for line in result.lines for part in line.discounts]
    on_parts += [part for charge in _charges(result) for part in charge.discounts]
    by_discount = {one.discount_id: 0 for one in result.discounts}
    for part in on_parts:
        by_discount[part.discount_id] += part.amount_minor
    told = dict.fromkeys(by_discount, 0)
    for one in result.discounts:
        assert one.amount_minor > 0
        told[one.discount_id] += one.amount_minor
    assert told == by_discount
    for field in ("amount_minor", "base_minor"):
        parts: dict[tuple[object, ...], int] = {}
        for tax in (tax for part in _parts(result) for tax in part.taxes):
            parts[_key(tax)] = parts.get(_key(tax), 0) + getattr(tax, field)
        assert {_key(tax): getattr(tax, field) for tax in result.taxes} == parts


@given(orders())
def test_nothing_is_ever_negative(order: PricingInput) -> None:
    result = price(order)
    assert 0 <= result.amount_due_minor <= result.total_minor <= MAX_TOTAL_MINOR
    for part in _parts(result):
        assert min(part.total_minor, part.discount_minor, part.tax_minor) >= 0
        assert all(tax.amount_minor >= 0 and tax.base_minor >= 0 for tax in part.taxes)
        if result.tax_included:
            wrap = part.gift_wrap_minor if isinstance(part, PricedLine) else 0
            assert part.tax_minor <= part.total_minor + wrap
    balances = {value.id: value.balance_minor for value in order.stored_value}
    assert all(0 < payment.amount_minor <= balances[payment.id] for payment in result.stored_value)


@given(orders())
def test_a_tax_is_its_rate_of_what_bears_it_to_half_a_unit(order: PricingInput) -> None:
    """Rounded once over all that bears the same rates."""
    assume(order.lines)
    tax_rates = order.lines[0].tax_rates
    alike = tuple(replace(line, tax_rates=tax_rates, gift_wrap_tax_rates=None) for line in order.lines)
    wrap = order.gift_wrap and replace(order.gift_wrap, tax_rates=tax_rates, as_goods=False)
    shipping = order.shipping and replace(order.shipping, tax_rates=tax_rates, as_goods=False)
    result = price(replace(order, lines=alike, gift_wrap=wrap, shipping=shipping))
    gross = sum(line.total_minor + line.gift_wrap_minor for line in result.lines)
    gross += sum(charge.total_minor for charge in _charges(result))
    shares: list[Fraction] = []
    for rate in tax_rates:
        shares.append(Fraction(rate.rate) * (1 + sum(shares) if rate.compound else 1))
    assume(sum(shares) <= 1)
    inside = 1 + sum(shares) if order.prices_include_tax else 1
    for tax, share in zip(result.taxes, shares, strict=True):
        assert abs(tax.amount_minor - gross * share / inside) <= Fraction(1, 2)


@given(orders())
def test_shipping_as_the_goods_bears_what_they_bear_in_proportion(order: PricingInput) -> None:
    lines = tuple(replace(line, gift_wrap_minor=0, ships=True) for line in order.lines)
    shipping = ShippingToPrice(label="Post", price_minor=1999, as_goods=True)
    result = price(replace(order, lines=lines, shipping=shipping, gift_wrap=None, prices_include_tax=False))
    goods = sum(line.total_minor for line in result.lines)
    assume(goods)
    assert result.shipping
    bases = {_key(tax): Fraction(0) for line in result.lines for tax in line.taxes}
    sets: dict[tuple[object, ...], set[object]] = {key: set() for key in bases}
    for line, given_line in zip(result.lines, order.lines, strict=True):
        for tax in line.taxes:
            bases[_key(tax)] += Fraction(line.total_minor * result.shipping.total_minor, goods)
            sets[_key(tax)].add(given_line.tax_rates)
    for tax in result.shipping.taxes:
        # Each set of rates has a part of the shipping that is whole in minor units.
        assert abs(tax.base_minor - bases[_key(tax)]) < len(sets[_key(tax)])


@given(orders())
def test_a_total_is_rounded_to_the_nearest_coin(order: PricingInput) -> None:
    result = price(order)
    assert result.total_minor % order.rounding_minor == 0
    assert -order.rounding_minor < 2 * result.rounding_minor <= order.rounding_minor


@given(orders(), st.integers(0, 4), st.integers(1, 59))
def test_splitting_a_line_changes_nothing(order: PricingInput, place: int, count: int) -> None:
    place %= len(order.lines) or 1
    assume(order.lines and order.lines[place].quantity > 1)
    count = 1 + count % (order.lines[place].quantity - 1)
    whole, parts = price(order), price(split(order, place, count))
    for field in PricingResult.__dataclass_fields__:
        if field != "lines":
            assert getattr(parts, field) == getattr(whole, field), field
    line, rest, other = whole.lines[place], parts.lines[place], parts.lines[place + 1]
    for field in ("quantity", "subtotal_minor", "gift_wrap_minor"):
        assert getattr(rest, field) + getattr(other, field) == getattr(line, field)
    assert rest.unit_price_minor == other.unit_price_minor == line.unit_price_minor


@given(orders())
def test_phases_put_discounts_in_their_order(order: PricingInput) -> None:
    """Discounts on shipping may stand anywhere, and those on lines after those on the order."""
    phases = list(DiscountTarget)
    in_phases = tuple(sorted(order.discounts, key=lambda discount: phases.index(discount.target)))
    backwards = tuple(sorted(order.discounts, key=lambda discount: -phases.index(discount.target)))
    assert price(replace(order, discounts=in_phases)) == price(replace(order, discounts=backwards)) == price(order)


@given(orders(), st.lists(percentages, min_size=2, max_size=5), st.randoms())
def test_the_order_of_codes_for_different_lines_does_not_matter(
    order: PricingInput, percents: list[Decimal], shuffling: Random
) -> None:
    codes = [
        Discount(id=line.id, label="", line_ids=frozenset({line.id}), percentage=percent)
        for line, percent in zip(order.lines, percents, strict=False)
    ]
    shuffled = list(codes)
    shuffling.shuffle(shuffled)
    one, other = (replace(order, discounts=tuple(some)) for some in (codes, shuffled))
    assert replace(price(one), discounts=()) == replace(price(other), discounts=())


@given(orders(), amounts)
def test_a_discount_never_makes_anything_dearer(order: PricingInput, amount_minor: int) -> None:
    exact = replace(order, rounding_minor=1, prices_include_tax=True)
    more = Discount(id="more", label="More", amount_minor=amount_minor)
    assert price(replace(exact, discounts=(*exact.discounts, more))).total_minor <= price(exact).total_minor


@given(orders(), st.dictionaries(st.sampled_from([f"line{place}" for place in range(5)]), st.integers(0, 30)))
def test_units_of_a_discount_are_never_more_than_given(order: PricingInput, units: dict[str, int]) -> None:
    """Buy X get Y: free units are worth no more than the dearest units of those lines."""
    free = Discount(id="free", label="", percentage=Decimal(100), units=units)
    result = price(replace(order, discounts=(free,)))
    most = sum(min(units.get(line.id, 0), line.quantity) * line.unit_price_minor for line in result.lines)
    assert result.discount_minor == most


@given(orders(), st.sampled_from(["JPY", "USD", "KWD"]))
def test_every_amount_leaves_as_money_and_comes_back(order: PricingInput, currency: str) -> None:
    result = price(replace(order, currency=currency))
    for minor in (result.total_minor, result.tax_minor, *(line.total_minor for line in result.lines)):
        shown = str(Money(minor, currency).decimal)
        assert Decimal(shown).scaleb(exponent(currency)) == minor


@given(st.integers(1, 10**19), st.integers(1, 10**6))
def test_what_64_bits_cannot_hold_is_refused(unit_price_minor: int, quantity: int) -> None:
    breaks = (PriceBreak(1, unit_price_minor),)
    order = PricingInput(
        currency="USD", lines=(LineToPrice(id="a", variant_key="a", quantity=quantity, price_breaks=breaks),)
    )
    if unit_price_minor * quantity <= MAX_TOTAL_MINOR:
        assert price(order).total_minor == unit_price_minor * quantity
        return
    with pytest.raises(DomainError) as refused:
        price(order)
    assert refused.value.code is PricingErrorCode.TOTAL_TOO_LARGE


@given(amounts, rates)
def test_tax_inside_is_the_tax_on_top_of_the_net_price(net: int, tax_rates: tuple[TaxRate, ...]) -> None:
    """Adding tax to a net price and taking it out again gives the net price, to a unit for each of the taxes."""
    order = PricingInput(
        currency="EUR",
        lines=(
            LineToPrice(
                id="a",
                variant_key="a",
                quantity=1,
                price_breaks=(PriceBreak(1, net),),
                tax_rates=tax_rates,
            ),
        ),
    )
    on_top = price(order)
    gross = replace(order.lines[0], price_breaks=(PriceBreak(1, on_top.total_minor),))
    inside = price(replace(order, lines=(gross,), prices_include_tax=True))
    assert inside.total_minor == on_top.total_minor
    for one, other in zip(on_top.taxes, inside.taxes, strict=True):
        assert abs(one.amount_minor - other.amount_minor) <= 1
    assert abs(inside.total_minor - inside.tax_minor - net) <= len(tax_rates)


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=20))
def test_allocated_parts_add_up_and_stay_within_a_unit_of_their_share(amount: int, weights: list[int]) -> None:
    total = sum(weights)
    if total == 0:
        assert allocate(0, weights) == [0] * len(weights)
        return
    parts = allocate(amount, weights)
    assert list(accumulate(parts))[-1] == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, total)) < 1
        assert amount > total or part <= weight


def test_an_amount_without_anywhere_to_go_is_a_fault() -> None:
    for amount, weights in ((1, [0, 0]), (1, []), (-1, [1]), (1, [1, -1])):
        with pytest.raises(ValueError):
            allocate(amount, weights)

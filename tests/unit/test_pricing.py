"""Prices that add up: worked examples by hand, and properties over whatever a shop can put together."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DomainError
from app.pricing.allocation import allocate
from app.pricing.amounts import (
    Discount,
    DiscountTarget,
    GiftCard,
    LineToPrice,
    PricingInput,
    PricingResult,
    ShippingToPrice,
    TaxRate,
)
from app.pricing.errors import PricingErrorCode
from app.pricing.rules import MAX_TOTAL_MINOR, price

VAT = TaxRate("VAT", Decimal("0.19"))
STATE = TaxRate("State", Decimal("0.0625"))
CITY = TaxRate("City", Decimal("0.0225"))


def _line(id: str, unit_price_minor: int, quantity: int = 1, *tax_rates: TaxRate) -> LineToPrice:
    return LineToPrice(id=id, quantity=quantity, unit_price_minor=unit_price_minor, tax_rates=tax_rates)


def test_a_plain_cart_is_the_sum_of_its_lines_and_shipping() -> None:
    result = price(
        PricingInput(
            currency="USD",
            lines=(_line("shirt", 1990, 3), _line("mug", 850)),
            shipping=ShippingToPrice(label="Standard", price_minor=599),
        )
    )
    assert [line.total_minor for line in result.lines] == [5970, 850]
    assert (result.subtotal_minor, result.discount_minor, result.shipping_minor) == (6820, 0, 599)
    assert (result.tax_minor, result.tax_included, result.total_minor) == (0, False, 7419)
    assert (result.gift_cards, result.amount_due_minor) == ((), 7419)


def test_an_order_discount_reaches_every_line_to_the_last_cent() -> None:
    result = price(
        PricingInput(
            currency="USD",
            lines=(_line("a", 333), _line("b", 333), _line("c", 334)),
            discounts=(Discount(id="d", label="Ten off", code="TEN", amount_minor=1000 // 3),),
        )
    )
    assert [line.discount_minor for line in result.lines] == [111, 111, 111]
    assert result.lines[0].discounts[0].code == "TEN"
    assert result.total_minor == 1000 - 333


def test_discounts_apply_one_after_the_other_and_only_to_their_lines() -> None:
    result = price(
        PricingInput(
            currency="USD",
            lines=(_line("shirt", 10000), _line("mug", 1000)),
            discounts=(
                Discount(id="shirts", label="Shirts", percentage=Decimal(20), line_ids=frozenset({"shirt"})),
                Discount(id="all", label="All", percentage=Decimal(10)),
                Discount(id="ship", label="Shipping", target=DiscountTarget.SHIPPING, percentage=Decimal(50)),
            ),
            shipping=ShippingToPrice(label="Standard", price_minor=599),
        )
    )
    shirt, mug = result.lines
    assert [part.amount_minor for part in shirt.discounts] == [2000, 800]
    assert [part.amount_minor for part in mug.discounts] == [100]
    assert result.discount_minor == 2900
    assert result.shipping is not None
    assert (result.shipping.price_minor, result.shipping.discount_minor) == (599, 300)
    assert result.shipping_minor == 299
    assert result.total_minor == 11000 - 2900 + 299


def test_tax_comes_on_top_or_lies_inside() -> None:
    lines = (_line("a", 10000, 1, STATE, CITY),)
    on_top = price(PricingInput(currency="USD", lines=lines))
    assert [tax.amount_minor for tax in on_top.taxes] == [625, 225]
    assert (on_top.tax_minor, on_top.total_minor) == (850, 10850)
    shipping = ShippingToPrice(label="Paket", price_minor=595, tax_rates=(VAT,))
    inside = price(
        PricingInput(currency="EUR", lines=(_line("a", 11900, 1, VAT),), shipping=shipping, prices_include_tax=True)
    )
    assert (inside.tax_minor, inside.total_minor, inside.tax_included) == (1900 + 95, 11900 + 595, True)
    assert [(tax.name, tax.amount_minor) for tax in inside.taxes] == [("VAT", 1995)]


def test_gift_cards_pay_in_turn_and_never_more_than_is_due() -> None:
    result = price(
        PricingInput(
            currency="USD",
            lines=(_line("a", 5000),),
            gift_cards=(GiftCard("g1", 3000), GiftCard("g2", 0), GiftCard("g3", 9000)),
        )
    )
    assert [(paid.gift_card_id, paid.amount_minor) for paid in result.gift_cards] == [("g1", 3000), ("g3", 2000)]
    assert (result.total_minor, result.gift_card_minor, result.amount_due_minor) == (5000, 5000, 0)


def test_a_discount_larger_than_the_cart_makes_it_free_not_negative() -> None:
    off = Discount(id="d", label="Thanks", amount_minor=10**9)
    result = price(PricingInput(currency="USD", lines=(_line("a", 999, 2),), discounts=(off,)))
    assert (result.discount_minor, result.total_minor) == (1998, 0)


def test_amounts_beyond_32_bits_are_exact_and_beyond_64_refused() -> None:
    third = Discount(id="d", label="D", percentage=Decimal("33.33"))
    result = price(
        PricingInput(currency="JPY", lines=(_line("a", 10**15 - 1, 7000), _line("b", 7)), discounts=(third,))
    )
    assert result.subtotal_minor == 7 * 10**18 - 7000 + 7
    assert result.discount_minor == (result.subtotal_minor * 3333 + 5000) // 10000
    with pytest.raises(DomainError) as refused:
        price(PricingInput(currency="JPY", lines=(_line("a", 10**15, 10_000),)))
    assert refused.value.code is PricingErrorCode.TOTAL_TOO_LARGE


def test_an_empty_cart_costs_nothing() -> None:
    assert price(PricingInput(currency="USD", lines=())).total_minor == 0


@pytest.mark.parametrize(
    "broken",
    [
        lambda: _line("a", -1),
        lambda: _line("a", 1, 0),
        lambda: Discount(id="d", label=""),
        lambda: Discount(id="d", label="", amount_minor=1, percentage=Decimal(1)),
        lambda: Discount(id="d", label="", percentage=Decimal(101)),
        lambda: Discount(id="d", label="", amount_minor=-1),
        lambda: GiftCard("g", -1),
        lambda: ShippingToPrice(label="", price_minor=-1),
        lambda: PricingInput(currency="USD", lines=(_line("a", 1), _line("a", 2))),
    ],
)
def test_impossible_inputs_never_reach_the_arithmetic(broken: object) -> None:
    assert callable(broken)
    with pytest.raises(ValueError):
        broken()


# --- properties -------------------------------------------------------------------------------------------------------

_amounts = st.one_of(st.integers(0, 10_000), st.integers(2**31, 10**12))
_rates = st.lists(
    st.builds(
        TaxRate,
        st.sampled_from(["VAT", "State", "City"]),
        st.decimals(Decimal(0), Decimal("0.5"), places=4),
    ),
    max_size=2,
    unique_by=lambda rate: rate.name,
).map(tuple)
_percentages = st.decimals(Decimal(0), Decimal(100), places=2)


@st.composite
def _orders(draw: st.DrawFn) -> PricingInput:
    ids = [f"line{place}" for place in range(draw(st.integers(0, 6)))]
    lines = tuple(
        LineToPrice(
            id=line_id,
            quantity=draw(st.integers(1, 500)),
            unit_price_minor=draw(_amounts),
            tax_rates=draw(_rates),
        )
        for line_id in ids
    )
    some_lines = st.one_of(st.none(), st.frozensets(st.sampled_from([*ids, "gone"])))
    discounts = st.one_of(
        st.builds(
            Discount,
            id=st.just("d"),
            label=st.just("D"),
            target=st.sampled_from(DiscountTarget),
            line_ids=some_lines,
            percentage=_percentages,
        ),
        st.builds(
            Discount,
            id=st.just("d"),
            label=st.just("D"),
            target=st.sampled_from(DiscountTarget),
            line_ids=some_lines,
            amount_minor=_amounts,
        ),
    )
    shipping = st.builds(ShippingToPrice, label=st.just("Post"), price_minor=_amounts, tax_rates=_rates)
    return PricingInput(
        currency="USD",
        lines=lines,
        discounts=tuple(draw(st.lists(discounts, max_size=3))),
        shipping=draw(st.one_of(st.none(), shipping)),
        prices_include_tax=draw(st.booleans()),
        gift_cards=tuple(draw(st.lists(st.builds(GiftCard, st.just("g"), _amounts), max_size=2))),
    )


def _parts(result: PricingResult) -> list[tuple[int, int, int, int, int]]:
    parts = [(line.subtotal_minor, line.discount_minor, line.total_minor, line.tax_minor, 1) for line in result.lines]
    if shipping := result.shipping:
        parts.append((shipping.price_minor, shipping.discount_minor, shipping.total_minor, shipping.tax_minor, 0))
    return parts


@given(_orders())
def test_every_total_is_the_sum_of_its_parts(order: PricingInput) -> None:
    result = price(order)
    parts = _parts(result)
    assert result.subtotal_minor == sum(part[0] for part in parts if part[4])
    assert result.discount_minor == sum(part[1] for part in parts if part[4])
    assert result.tax_minor == sum(part[3] for part in parts) == sum(tax.amount_minor for tax in result.taxes)
    assert result.total_minor == sum(part[2] for part in parts) + (0 if result.tax_included else result.tax_minor)
    assert result.amount_due_minor == result.total_minor - sum(payment.amount_minor for payment in result.gift_cards)
    for gross, discount, total, _, _ in parts:
        assert gross - discount == total
    for line in result.lines:
        assert line.subtotal_minor == line.unit_price_minor * line.quantity
        assert line.discount_minor == sum(part.amount_minor for part in line.discounts)
        assert line.tax_minor == sum(tax.amount_minor for tax in line.taxes)


@given(_orders())
def test_nothing_is_ever_negative_or_taxed_beyond_its_rate(order: PricingInput) -> None:
    result = price(order)
    assert 0 <= result.amount_due_minor <= result.total_minor <= MAX_TOTAL_MINOR
    for _, discount, total, tax, _ in _parts(result):
        assert min(discount, total, tax) >= 0
    for line, given_line in zip(result.lines, order.lines, strict=True):
        rate = sum((Fraction(tax.rate) for tax in given_line.tax_rates), Fraction())
        exact = line.total_minor * (rate / (1 + rate) if result.tax_included else rate)
        assert abs(line.tax_minor - exact) <= Fraction(len(given_line.tax_rates), 2)


@given(_orders())
def test_the_same_order_always_costs_the_same(order: PricingInput) -> None:
    assert price(order) == price(order)


@given(_orders(), st.integers(1, 10**9))
def test_a_discount_never_makes_anything_dearer(order: PricingInput, amount_minor: int) -> None:
    less = PricingInput(
        currency=order.currency,
        lines=order.lines,
        discounts=(*order.discounts, Discount(id="more", label="More", amount_minor=amount_minor)),
        shipping=order.shipping,
        prices_include_tax=order.prices_include_tax,
    )
    assert price(less).total_minor <= price(order).total_minor


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=20))
def test_allocated_parts_add_up_and_stay_within_a_unit_of_their_share(amount: int, weights: list[int]) -> None:
    total = sum(weights)
    if total == 0:
        assert allocate(0, weights) == [0] * len(weights)
        return
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, total)) < 1
        assert amount > total or part <= weight


def test_an_amount_without_anywhere_to_go_is_a_fault() -> None:
    for amount, weights in ((1, [0, 0]), (1, []), (-1, [1]), (1, [1, -1])):
        with pytest.raises(ValueError):
            allocate(amount, weights)

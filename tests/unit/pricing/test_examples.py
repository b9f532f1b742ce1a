"""Prices worked out by hand, phase by phase."""

from decimal import Decimal

import pytest

from app.errors import DomainError
from app.pricing.amounts import (
    Discount,
    DiscountTarget,
    GiftWrapToPrice,
    PriceBreak,
    PricingInput,
    ShippingToPrice,
    StoredValueKind,
    TaxRate,
)
from app.pricing.errors import PricingErrorCode
from app.pricing.rules import price
from tests.factories.pricing import card, credit, line

VAT = TaxRate("VAT", Decimal("0.19"))
STATE = TaxRate("State", Decimal("0.0625"))
CITY = TaxRate("City", Decimal("0.0225"))
TIERS = (PriceBreak(1, 1000), PriceBreak(10, 900), PriceBreak(50, 700))


def test_a_plain_cart_is_the_sum_of_its_lines_and_shipping() -> None:
    result = price(
        PricingInput(
            currency="USD",
            lines=(line("shirt", 1990, 3), line("mug", 850)),
            shipping=ShippingToPrice(label="Standard", price_minor=599),
        )
    )
    assert [one.total_minor for one in result.lines] == [5970, 850]
    assert (result.subtotal_minor, result.discount_minor, result.shipping_minor) == (6820, 0, 599)
    assert (result.tax_minor, result.tax_included, result.total_minor) == (0, False, 7419)
    assert (result.stored_value, result.amount_due_minor) == ((), 7419)


@pytest.mark.parametrize(("first", "second", "unit"), [(4, 5, 1000), (4, 6, 900), (1, 49, 700)])
def test_a_price_by_quantity_counts_all_lines_of_the_variant(first: int, second: int, unit: int) -> None:
    lines = (
        line("plain", 0, first, variant_key="mug", price_breaks=TIERS),
        line("engraved", 0, second, variant_key="mug", price_breaks=TIERS, customization_minor=250),
        line("book", 1500),
    )
    result = price(PricingInput(currency="USD", lines=lines))
    assert [one.unit_price_minor for one in result.lines] == [unit, unit + 250, 1500]
    assert result.subtotal_minor == unit * first + (unit + 250) * second + 1500


def test_a_negotiated_price_holds_whatever_the_quantity_and_bears_only_discounts_that_name_it() -> None:
    lines = (
        line("agreed", 0, 60, variant_key="mug", price_breaks=(PriceBreak(1, 650),), fixed=True),
        line("more", 0, 9, variant_key="mug", price_breaks=TIERS),
    )
    everything = Discount(id="all", label="All", percentage=Decimal(10))
    named = Discount(id="named", label="Named", line_ids=frozenset({"agreed"}), amount_minor=1000)
    result = price(PricingInput(currency="USD", lines=lines, discounts=(everything, named)))
    agreed, more = result.lines
    assert (agreed.unit_price_minor, agreed.discount_minor) == (650, 1000)
    assert (more.unit_price_minor, more.discount_minor) == (1000, 900)


def test_an_order_discount_reaches_every_line_to_the_last_cent() -> None:
    result = price(
        PricingInput(
            currency="USD",
            lines=(line("a", 333), line("b", 333), line("c", 334)),
            discounts=(Discount(id="d", label="Ten off", code="TEN", amount_minor=1000 // 3),),
        )
    )
    assert [one.discount_minor for one in result.lines] == [111, 111, 111]
    assert result.lines[0].discounts[0].code == "TEN"
    assert result.total_minor == 1000 - 333


def test_discounts_on_lines_come_before_those_on_the_order_and_shipping_last() -> None:
    result = price(
        PricingInput(
            currency="USD",
            lines=(line("shirt", 10000), line("mug", 1000)),
            discounts=(
                Discount(id="ship", label="Shipping", target=DiscountTarget.SHIPPING, percentage=Decimal(50)),
                Discount(id="all", label="All", percentage=Decimal(10)),
                Discount(
                    id="shirts",
                    label="Shirts",
                    target=DiscountTarget.LINES,
                    percentage=Decimal(20),
                    line_ids=frozenset({"shirt"}),
                ),
            ),
            shipping=ShippingToPrice(label="Standard", price_minor=599),
        )
    )
    shirt, mug = result.lines
    assert [part.amount_minor for part in shirt.discounts] == [2000, 800]
    assert [part.amount_minor for part in mug.discounts] == [100]
    assert [(taken.discount_id, taken.amount_minor) for taken in result.discounts] == [
        ("shirts", 2000),
        ("all", 900),
        ("ship", 300),
    ]
    # Half of 5.99 is 2.995, which is 3.00.
    assert (result.discount_minor, result.shipping_minor) == (2900, 299)
    assert result.total_minor == 11000 - 2900 + 299


@pytest.mark.parametrize(
    ("discount", "off"),
    [
        (Discount(id="d", label="", unit_amount_minor=150, line_ids=frozenset({"mug"})), 3 * 150),
        (Discount(id="d", label="", unit_amount_minor=2000, line_ids=frozenset({"mug"})), 3 * 1250),
        # The engraving is paid for beside the fixed price.
        (Discount(id="d", label="", fixed_unit_price_minor=799, line_ids=frozenset({"mug"})), 3 * (1000 - 799)),
        (Discount(id="d", label="", fixed_unit_price_minor=1500, line_ids=frozenset({"mug"})), 0),
        # Two of the three mugs, and more books than there are.
        (Discount(id="d", label="", percentage=Decimal(50), units={"mug": 2}), 1250),
        (Discount(id="d", label="", percentage=Decimal(100), units={"book": 9}), 1500),
        (Discount(id="d", label="", unit_amount_minor=100, units={"mug": 1, "book": 1, "gone": 4}), 200),
    ],
)
def test_what_is_taken_off_units(discount: Discount, off: int) -> None:
    lines = (line("mug", 1000, 3, customization_minor=250), line("book", 1500))
    result = price(PricingInput(currency="USD", lines=lines, discounts=(discount,)))
    assert (result.subtotal_minor, result.discount_minor) == (5250, off)


def test_a_free_unit_after_another_discount_is_worth_what_that_left() -> None:
    """3 mugs of 10.00, 1.00 off all of them, then one is free: 29.00 / 3 = 9.67."""
    discounts = (
        Discount(id="one", label="", target=DiscountTarget.LINES, amount_minor=100),
        Discount(id="free", label="", target=DiscountTarget.LINES, percentage=Decimal(100), units={"mug": 1}),
    )
    result = price(PricingInput(currency="USD", lines=(line("mug", 1000, 3),), discounts=discounts))
    assert (result.discount_minor, result.total_minor) == (100 + 967, 1933)


def test_tax_comes_on_top_or_lies_inside() -> None:
    on_top = price(PricingInput(currency="USD", lines=(line("a", 10000, 1, STATE, CITY),)))
    assert [tax.amount_minor for tax in on_top.taxes] == [625, 225]
    assert (on_top.tax_minor, on_top.total_minor) == (850, 10850)
    shipping = ShippingToPrice(label="Paket", price_minor=595, tax_rates=(VAT,))
    inside = price(
        PricingInput(currency="EUR", lines=(line("a", 11900, 1, VAT),), shipping=shipping, prices_include_tax=True)
    )
    assert (inside.tax_minor, inside.total_minor, inside.tax_included) == (1900 + 95, 11900 + 595, True)
    assert [(tax.name, tax.amount_minor, tax.base_minor) for tax in inside.taxes] == [("VAT", 1995, 10500)]


def test_a_tax_is_rounded_once_for_all_that_bears_it() -> None:
    """Three times 0.99 at 7.25 %: 0.2153 is 0.22, where three roundings of 0.0718 would make 0.21."""
    rate = TaxRate("Sales tax", Decimal("0.0725"))
    result = price(PricingInput(currency="USD", lines=tuple(line(name, 99, 1, rate) for name in "abc")))
    assert result.tax_minor == 22
    assert [one.tax_minor for one in result.lines] == [8, 7, 7]


def test_a_compound_tax_is_levied_on_the_taxes_before_it() -> None:
    """100.00 with 5 % and then 10 % on 105.00; included, the same taxes lie in 115.50."""
    rates = (TaxRate("First", Decimal("0.05")), TaxRate("Second", Decimal("0.10"), compound=True))
    on_top = price(PricingInput(currency="USD", lines=(line("a", 10000, 1, *rates),)))
    assert [(tax.amount_minor, tax.base_minor) for tax in on_top.taxes] == [(500, 10000), (1050, 10000)]
    inside = price(PricingInput(currency="USD", lines=(line("a", 11550, 1, *rates),), prices_include_tax=True))
    assert [(tax.amount_minor, tax.base_minor) for tax in inside.taxes] == [(500, 10000), (1050, 10000)]


def test_no_price_is_all_tax_and_more() -> None:
    """Included taxes round up one by one: 0.01 of 0.02, twice or three times, are on no line more than its price."""
    halves = tuple(TaxRate(name, Decimal("0.5")) for name in ("First", "Second"))
    two = price(
        PricingInput(
            currency="EUR", lines=(line("a", 1, 1, *halves), line("b", 1, 1, *halves)), prices_include_tax=True
        )
    )
    assert [tax.amount_minor for tax in two.taxes] == [1, 1]
    assert [one.tax_minor for one in two.lines] == [1, 1]
    doubles = tuple(TaxRate(name, Decimal(1)) for name in ("First", "Second", "Third"))
    three = price(PricingInput(currency="EUR", lines=(line("a", 2, 1, *doubles),), prices_include_tax=True))
    assert (three.tax_minor, three.total_minor) == (2, 2)


def test_what_bears_no_tax_is_named_with_its_reason() -> None:
    reverse = TaxRate("VAT reverse charge", Decimal(0), reverse_charge=True)
    exempt = TaxRate("Zero-rated books", Decimal(0), code="Z")
    result = price(PricingInput(currency="EUR", lines=(line("saw", 5000, 1, reverse), line("book", 1200, 1, exempt))))
    assert [(tax.name, tax.amount_minor, tax.base_minor, tax.reverse_charge, tax.code) for tax in result.taxes] == [
        ("VAT reverse charge", 0, 5000, True, None),
        ("Zero-rated books", 0, 1200, False, "Z"),
    ]
    assert result.total_minor == 6200


def test_gift_wrap_is_not_discounted_and_bears_tax() -> None:
    """Half off a shirt of 40.00, wrapped for 3.00; a wrap of 5.00 around it all: 19 % of 20 + 3 + 5."""
    result = price(
        PricingInput(
            currency="EUR",
            lines=(line("shirt", 4000, 1, VAT, gift_wrap_minor=300),),
            discounts=(Discount(id="half", label="", percentage=Decimal(50)),),
            gift_wrap=GiftWrapToPrice(label="Box", price_minor=500, tax_rates=(VAT,)),
        )
    )
    (shirt,) = result.lines
    assert (shirt.total_minor, shirt.gift_wrap_minor, shirt.tax_minor) == (2000, 300, 437)
    assert (result.gift_wrap_minor, result.tax_minor, result.total_minor) == (800, 532, 3332)


@pytest.mark.parametrize(
    ("unit", "rounding", "total"), [(1002, -2, 1000), (1003, 2, 1005), (1005, 0, 1005), (1, -1, 0)]
)
def test_swiss_totals_are_rounded_to_five_centimes_and_say_so(unit: int, rounding: int, total: int) -> None:
    result = price(PricingInput(currency="CHF", lines=(line("a", unit),), rounding_minor=5))
    assert (result.rounding_minor, result.total_minor) == (rounding, total)


def test_gift_cards_pay_before_store_credit_and_neither_more_than_is_due() -> None:
    lines = (line("a", 5000),)
    stored = (credit("s1", 9000), card("g1", 3000), card("g2", 0), card("g3", 500))
    result = price(PricingInput(currency="USD", lines=lines, stored_value=stored))
    assert [(paid.id, paid.kind, paid.amount_minor) for paid in result.stored_value] == [
        ("g1", StoredValueKind.GIFT_CARD, 3000),
        ("g3", StoredValueKind.GIFT_CARD, 500),
        ("s1", StoredValueKind.STORE_CREDIT, 1500),
    ]
    assert (result.gift_card_minor, result.store_credit_minor) == (3500, 1500)
    assert (result.total_minor, result.amount_due_minor) == (5000, 0)


def test_a_discount_larger_than_the_cart_makes_it_free_not_negative() -> None:
    off = Discount(id="d", label="Thanks", amount_minor=10**9)
    result = price(PricingInput(currency="USD", lines=(line("a", 999, 2),), discounts=(off,)))
    assert (result.discount_minor, result.total_minor) == (1998, 0)


def test_amounts_beyond_32_bits_are_exact_and_beyond_64_refused() -> None:
    third = Discount(id="d", label="D", percentage=Decimal("33.33"))
    lines = (line("a", 10**15 - 1, 7000), line("b", 7))
    result = price(PricingInput(currency="JPY", lines=lines, discounts=(third,)))
    assert result.subtotal_minor == 7 * 10**18 - 7000 + 7
    assert result.discount_minor == (result.subtotal_minor * 3333 + 5000) // 10000
    with pytest.raises(DomainError) as refused:
        price(PricingInput(currency="JPY", lines=(line("a", 10**15, 10_000),)))
    assert refused.value.code is PricingErrorCode.TOTAL_TOO_LARGE


def test_an_empty_cart_costs_nothing() -> None:
    assert price(PricingInput(currency="USD", lines=())).total_minor == 0


@pytest.mark.parametrize(
    "broken",
    [
        lambda: line("a", -1),
        lambda: line("a", 1, 0),
        lambda: line("a", 1, customization_minor=-1),
        lambda: line("a", 1, gift_wrap_minor=-1),
        lambda: line("a", 1, price_breaks=()),
        lambda: line("a", 1, price_breaks=(PriceBreak(2, 1),)),
        lambda: line("a", 1, price_breaks=(PriceBreak(1, 1), PriceBreak(1, 2))),
        lambda: Discount(id="d", label=""),
        lambda: Discount(id="d", label="", amount_minor=1, percentage=Decimal(1)),
        lambda: Discount(id="d", label="", percentage=Decimal(101)),
        lambda: Discount(id="d", label="", amount_minor=-1),
        lambda: Discount(id="d", label="", percentage=Decimal(1), units={"a": -1}),
        lambda: Discount(id="d", label="", target=DiscountTarget.SHIPPING, unit_amount_minor=1),
        lambda: TaxRate("VAT", Decimal(-1)),
        lambda: card("g", -1),
        lambda: ShippingToPrice(label="", price_minor=-1),
        lambda: GiftWrapToPrice(label="", price_minor=-1),
        lambda: PricingInput(currency="USD", lines=(line("a", 1), line("a", 2))),
        lambda: PricingInput(currency="USD", lines=(), rounding_minor=0),
    ],
)
def test_impossible_inputs_never_reach_the_arithmetic(broken: object) -> None:
    assert callable(broken)
    with pytest.raises(ValueError):
        broken()

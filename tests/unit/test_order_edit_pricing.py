"""The arithmetic of edits, pure: what stays costs what it did to the minor unit, whatever it is made of."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.cart.rules import MAX_LINES, MAX_QUANTITY
from app.errors import DomainErrors
from app.kit.money import Money
from app.orders import edit_pricing
from app.orders.edit_pricing import EditedLine
from app.orders.edit_request import AddedLine, LineChange, OrderEditRequested, StaffDiscount
from app.pricing.amounts import DiscountTarget, PriceBreak, PricingInput
from app.pricing.results import DiscountAllocation, PricingResult, TaxLine
from app.pricing.rules import price
from app.tax.rules import Taxation
from app.tax.terms import ShippingTax, TaxSettings
from tests.factories import pricing

_TAXES, _PARTS = TypeAdapter(tuple[TaxLine, ...]), TypeAdapter(tuple[DiscountAllocation, ...])


def taxed(lines: tuple[TaxLine, ...]) -> list[dict[str, Any]]:
    """As an order keeps them."""
    kept: list[dict[str, Any]] = _TAXES.dump_python(lines, mode="json")
    return kept


def kept(order: PricingInput, priced: PricingResult) -> dict[str, Any]:
    """An order as its rows say it."""
    off: dict[tuple[str, str], dict[str, Any]] = {}
    for one in priced.discounts:
        name = {"id": one.discount_id, "name": one.label, "code": one.code, "target": one.target.value}
        entry = off.setdefault((one.discount_id, one.target.value), {**name, "amount_minor": 0})
        entry["amount_minor"] += one.amount_minor
    return {
        "currency_code": order.currency,
        "tax_included": order.prices_include_tax,
        "discounts": list(off.values()),
        "gift_wrap_minor": priced.gift_wrap_minor,
        "gift_wrap_tax_lines": taxed(priced.gift_wrap.taxes if priced.gift_wrap else ()),
        "shipping_quote": {"service": "Post"} if order.shipping else None,
        "shipping_minor": priced.shipping_minor,
        "shipping_tax_lines": taxed(priced.shipping.taxes if priced.shipping else ()),
        "stored_value": [
            {"id": one.id, "kind": one.kind.value, "amount_minor": one.amount_minor} for one in priced.stored_value
        ],
        "lines": [
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, line.id)),
                "quantity": line.quantity,
                "unit_price_minor": line.unit_price_minor,
                "discount_minor": line.discount_minor,
                "discounts": _PARTS.dump_python(line.discounts, mode="json"),
                "gift_wrap_minor": line.gift_wrap_minor,
                "tax_lines": taxed(line.taxes),
                "requires_shipping": given.ships,
                "product_kind": "PHYSICAL",
                "tax_class_id": None,
            }
            for given, line in zip(order.lines, priced.lines, strict=True)
        ],
    }


def edited(
    row: Mapping[str, Any],
    quantities: Mapping[int, int],
    *,
    rounding_minor: int = 1,
    discount: StaffDiscount | None = None,
    shipping_minor: int | None = None,
    taxation: Taxation | None = None,
) -> PricingResult:
    lines = [
        EditedLine(
            id=uuid.UUID(stored["id"]),
            quantity=quantities.get(place, stored["quantity"]),
            price_breaks=(PriceBreak(1, stored["unit_price_minor"]),),
            stored=stored,
            variant=None,
        )
        for place, stored in enumerate(row["lines"])
        if quantities.get(place, stored["quantity"])
    ]
    return price(
        edit_pricing.to_price(
            row,
            lines,
            taxation or Taxation(settings=TaxSettings(), destination=None, prices_include_tax=row["tax_included"]),
            edit_id=uuid.uuid4(),
            shipping_minor=shipping_minor,
            discount=discount,
            is_elsewhere=False,
            rounding_minor=rounding_minor,
        )
    )


@st.composite
def sold(draw: st.DrawFn) -> PricingInput:
    """Wraps are taxed as what they are around, as they are where the shop has no class for them."""
    order = draw(pricing.orders())
    lines = tuple(replace(line, gift_wrap_tax_rates=None) for line in order.lines)
    wrap = order.gift_wrap and replace(order.gift_wrap, tax_rates=(), as_goods=True)
    return replace(order, lines=lines, gift_wrap=wrap)


@given(sold(), st.sampled_from(ShippingTax))
@settings(max_examples=100)
def test_an_edit_that_changes_nothing_changes_no_amount(order: PricingInput, shipping: ShippingTax) -> None:
    """Whatever the shop has decided on taxing shipping since."""
    before = price(order)
    taxation = Taxation(
        settings=TaxSettings(shipping=shipping), destination=None, prices_include_tax=order.prices_include_tax
    )
    after = edited(kept(order, before), {}, rounding_minor=order.rounding_minor, taxation=taxation)
    for name in ("subtotal_minor", "discount_minor", "gift_wrap_minor", "shipping_minor", "tax_minor", "total_minor"):
        assert getattr(after, name) == getattr(before, name), name
    for was, line in zip(before.lines, after.lines, strict=True):
        assert (line.total_minor, line.discount_minor) == (was.total_minor, was.discount_minor)
        # Each tax is rounded once over all that bear it; which of them has the odd unit depends on their grouping.
        assert abs(line.tax_minor - was.tax_minor) <= max(1, 2 * len(line.taxes))
    assert after.amount_due_minor == before.amount_due_minor


@given(sold(), st.data())
@settings(max_examples=100)
def test_any_quantities_add_up_and_untouched_lines_stay(order: PricingInput, data: st.DataObject) -> None:
    before = price(order)
    row = kept(order, before)
    quantities = data.draw(st.dictionaries(st.integers(0, 4), st.integers(0, 80), max_size=4))
    after = edited(row, quantities)
    left = [place for place in range(len(row["lines"])) if quantities.get(place, 1)]
    for place, line in zip(left, after.lines, strict=True):
        was = before.lines[place]
        assert line.unit_price_minor == was.unit_price_minor
        if line.quantity == was.quantity:
            assert (line.total_minor, line.discount_minor) == (was.total_minor, was.discount_minor)
        assert 0 <= line.discount_minor <= line.subtotal_minor
    assert after.total_minor == (
        sum(line.total_minor for line in after.lines)
        + after.gift_wrap_minor
        + after.shipping_minor
        + after.rounding_minor
        + (0 if after.tax_included else after.tax_minor)
    )
    assert after.total_minor == after.amount_due_minor + sum(one.amount_minor for one in after.stored_value)
    assert sum(one.amount_minor for one in after.stored_value) <= sum(one.amount_minor for one in before.stored_value)


@pytest.mark.parametrize(
    ("quantity", "off"),
    # 1.00 off 3 units: a third is 33.33, half up; twice as many have twice as much.
    [(1, 33), (2, 67), (3, 100), (6, 200), (0, 0)],
)
def test_a_discount_goes_along_in_proportion(quantity: int, off: int) -> None:
    order = PricingInput(
        currency="USD",
        lines=(pricing.line("a", 1000, 3), pricing.line("b", 500)),
        discounts=(
            pricing.Discount(
                id="d", label="D", target=DiscountTarget.LINES, line_ids=frozenset({"a"}), amount_minor=100
            ),
        ),
    )
    row = kept(order, price(order))
    assert edited(row, {0: quantity}).discount_minor == off


def test_what_staff_take_off_comes_last_and_off_what_is_left() -> None:
    """20.00 less 10 % are 18.00; staff take 10 % of that: 1.80."""
    order = PricingInput(
        currency="USD",
        lines=(pricing.line("a", 1000, 2),),
        discounts=(pricing.Discount(id="d", label="D", target=DiscountTarget.MERCHANDISE, percentage=Decimal(10)),),
    )
    row = kept(order, price(order))
    after = edited(row, {}, discount=StaffDiscount(reason="Late", percentage=Decimal(10)))
    assert [one.amount_minor for one in after.lines[0].discounts] == [200, 180]
    assert after.total_minor == 1620


LINE = uuid.uuid4()
USD, EURO = Money(100, "USD"), Money(100, "EUR")


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, ["REQUIRED"]),
        ({"lines": [LineChange(order_line_id=LINE, quantity=quantity) for quantity in (1, 2)]}, ["INVALID"]),
        ({"lines": [LineChange(order_line_id=LINE)]}, ["REQUIRED"]),
        ({"lines": [LineChange(order_line_id=LINE, quantity=MAX_QUANTITY + 1)]}, ["OUT_OF_RANGE"]),
        ({"added": [AddedLine(variant_id=LINE, quantity=0)]}, ["OUT_OF_RANGE"]),
        ({"added": [AddedLine(variant_id=LINE, quantity=1)] * (MAX_LINES + 1)}, ["TOO_MANY"]),
        ({"added": [AddedLine(variant_id=LINE, quantity=1, unit_price=EURO)]}, ["INVALID"]),
        ({"added": [AddedLine(variant_id=LINE, quantity=1, unit_price=Money(-1, "USD"))]}, ["OUT_OF_RANGE"]),
        ({"shipping_price": Money(-1, "USD")}, ["OUT_OF_RANGE"]),
        ({"discount": StaffDiscount(reason="", amount=USD)}, ["REQUIRED"]),
        ({"discount": StaffDiscount(reason="Late")}, ["INVALID"]),
        ({"discount": StaffDiscount(reason="Late", amount=USD, percentage=Decimal(5))}, ["INVALID"]),
        ({"discount": StaffDiscount(reason="Late", amount=EURO)}, ["INVALID"]),
        ({"discount": StaffDiscount(reason="Late", percentage=Decimal(0))}, ["OUT_OF_RANGE"]),
        ({"shipping_method": "Van", "reason": "x" * 501}, ["TOO_LONG"]),
        ({"shipping_method": "x" * 121}, ["TOO_LONG"]),
        ({"shipping_method": "Van", "reason": "One was broken"}, []),
    ],
)
def test_a_request_says_what_is_wrong_with_it(given: dict[str, Any], codes: list[str]) -> None:
    request = OrderEditRequested(order_id=uuid.uuid4(), **given)
    try:
        request.check("USD")
        found = []
    except DomainErrors as wrong:
        found = [one.code.name for one in wrong.errors]
    assert found == codes

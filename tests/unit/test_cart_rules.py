"""What a cart's lines become: any order of changes, against a model that only counts."""

import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.cart.attributes import Attribute, attributes_key, check_attributes
from app.cart.rules import Change, LineToAdd, LineToUpdate, add_lines, remove_lines, update_lines
from app.cart.snapshots import CartLineSnapshot, VariantSnapshot
from app.cart.warnings import WarningCode, line_warnings
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.errors import DomainErrors
from app.inventory.errors import InsufficientStock
from app.kit.ids import new_id

ENGRAVED = (Attribute("engraving", "Ada"),)


def variant(stock: int | None = 10, policy: str = "DENY", status: str = "ACTIVE") -> VariantSnapshot:
    return VariantSnapshot(
        variant_id=new_id(),
        product_id=new_id(),
        is_removed=False,
        product_status=ProductStatus(status),
        product_kind=ProductKind.PHYSICAL,
        unit_price_minor=500,
        requires_shipping=True,
        weight_grams=0,
        taxable=True,
        track_inventory=stock is not None,
        inventory_policy=InventoryPolicy(policy),
        available_quantity=stock or 0,
        product_name="",
        variant_name="",
        sku=None,
        image_url=None,
        selected_options=[],
    )


def add(lines: list[CartLineSnapshot], *asked: tuple[Any, ...]) -> Change:
    """`asked`: variant, quantity, and attributes where there are any."""
    items = [LineToAdd(new_id(), which.variant_id, *rest) for which, *rest in asked]
    return add_lines(lines, items, {which.variant_id: which for which, *_ in asked})


def with_stock(line: CartLineSnapshot, stock: int) -> CartLineSnapshot:
    return replace(line, available_quantity=stock)


def test_the_order_of_attributes_does_not_make_another_line() -> None:
    one, two = Attribute("colour", "red"), Attribute("engraving", "Ada")
    assert attributes_key([one, two]) == attributes_key([two, one])
    assert attributes_key([one]) != attributes_key([two])
    # The parts cannot be shifted into each other.
    assert attributes_key([Attribute("ab", "c")]) != attributes_key([Attribute("a", "bc")])
    assert attributes_key([]) == ""


@pytest.mark.parametrize(
    ("attributes", "codes"),
    [
        ([Attribute(str(n), "") for n in range(25)], []),
        ([Attribute(str(n), "") for n in range(26)], ["TOO_MANY"]),
        ([Attribute(" ", "x")], ["REQUIRED"]),
        ([Attribute("a", "1"), Attribute("a", "2")], ["INVALID"]),
        ([Attribute("k" * 101, "v" * 1001)], ["TOO_LONG", "TOO_LONG"]),
        ([Attribute("a", "nul\x00")], ["INVALID"]),
        ([Attribute("a", "half \ud83d")], ["INVALID"]),
        ([Attribute("a", "two\nlines 👩‍🚀")], []),
    ],
)
def test_attributes_have_bounds(attributes: list[Attribute], codes: list[str]) -> None:
    assert [error.code.name for error in check_attributes(attributes, ["attributes"])] == codes


def test_the_attributes_of_all_lines_have_a_bound_together() -> None:
    pen = variant(stock=None)
    long = [(pen, 1, tuple(Attribute(f"{line}-{n}", "x" * 900) for n in range(10))) for line in range(12)]
    lines = add([], *long[:11]).lines
    with pytest.raises(DomainErrors) as refused:
        add(lines, long[11])
    assert [error.code.name for error in refused.value.errors] == ["TOO_LONG"]
    assert len(remove_lines(lines, [lines[0].id]).lines) == 10


def test_lines_of_one_variant_draw_on_one_stock() -> None:
    pen = variant(stock=5)
    lines = add([], (pen, 3), (pen, 1, ENGRAVED)).lines
    assert [line.quantity for line in lines] == [3, 1]
    change = add(lines, (pen, 4, ENGRAVED))
    assert [line.quantity for line in change.lines] == [3, 2]
    (warning,) = change.warnings
    assert (warning.code, warning.available_quantity, warning.field) == (
        WarningCode.QUANTITY_CLAMPED,
        5,
        ["lines", "0", "quantity"],
    )
    with pytest.raises(DomainErrors) as refused:
        add(change.lines, (pen, 1))
    (error,) = refused.value.errors
    assert isinstance(error, InsufficientStock)
    assert error.available_quantity == 5


def test_an_update_lowers_one_line_before_it_raises_another() -> None:
    pen = variant(stock=5)
    plain, engraved = add([], (pen, 3), (pen, 2, ENGRAVED)).lines
    change = update_lines([plain, engraved], [LineToUpdate(engraved.id, 4), LineToUpdate(plain.id, 1)])
    assert ([line.quantity for line in change.lines], change.warnings) == ([1, 4], [])


def test_an_update_gives_more_only_from_what_is_left() -> None:
    pen = variant(stock=5)
    plain, engraved = add([], (pen, 3), (pen, 1, ENGRAVED)).lines
    change = update_lines([plain, engraved], [LineToUpdate(plain.id, 9), LineToUpdate(engraved.id, 1)])
    assert [line.quantity for line in change.lines] == [4, 1]
    assert [warning.code for warning in change.warnings] == [WarningCode.QUANTITY_CLAMPED]


def test_after_a_shortage_a_smaller_quantity_is_still_what_there_is() -> None:
    pen = variant(stock=5)
    (line,) = add([], (pen, 5)).lines
    short = with_stock(line, 2)
    change = update_lines([short], [LineToUpdate(line.id, 4)])
    assert [line.quantity for line in change.lines] == [2]
    with pytest.raises(DomainErrors):
        update_lines([with_stock(line, 0)], [LineToUpdate(line.id, 1)])
    assert update_lines([with_stock(line, 0)], [LineToUpdate(line.id, 0)]).lines == []
    assert [w.code for w in line_warnings(short, 5)] == [WarningCode.QUANTITY_UNAVAILABLE]
    assert [w.code for w in line_warnings(with_stock(line, 0), 5)] == [WarningCode.OUT_OF_STOCK]
    assert line_warnings(line, 5) == []
    assert [w.code for w in line_warnings(replace(line, is_removed=True), 5)] == [WarningCode.NOT_FOR_SALE]


def test_two_lines_can_trade_their_attributes() -> None:
    pen = variant()
    plain, engraved = add([], (pen, 1), (pen, 2, ENGRAVED)).lines
    change = update_lines([plain, engraved], [LineToUpdate(plain.id, 1, ENGRAVED), LineToUpdate(engraved.id, 2, ())])
    assert [(line.id, line.attributes_key == "") for line in change.lines] == [(plain.id, False), (engraved.id, True)]


def test_lines_that_become_alike_turn_into_the_first() -> None:
    pen = variant()
    plain, engraved = add([], (pen, 1), (pen, 2, ENGRAVED)).lines
    change = update_lines([plain, engraved], [LineToUpdate(engraved.id, 4, ())])
    assert [(line.id, line.quantity) for line in change.lines] == [(plain.id, 5)]


class Cart(RuleBasedStateMachine):
    """Adds, sets and removes at will; the model knows only units per variant and attributes."""

    @initialize()
    def empty(self) -> None:
        self.variants = [variant(0), variant(3), variant(12), variant(None), variant(1, "CONTINUE")]
        self.lines: list[CartLineSnapshot] = []
        self.model: Counter[tuple[uuid.UUID, str]] = Counter()

    def limit(self, of: VariantSnapshot) -> float:
        return float("inf") if of.stock_limit is None else of.stock_limit

    def units(self, of: VariantSnapshot) -> int:
        return sum(count for (variant_id, _), count in self.model.items() if variant_id == of.variant_id)

    @rule(which=st.integers(0, 4), quantity=st.integers(1, 9), attributes=st.sampled_from([(), ENGRAVED]))
    def put(self, which: int, quantity: int, attributes: tuple[Attribute, ...]) -> None:
        chosen = self.variants[which]
        room = self.limit(chosen) - self.units(chosen)
        if room <= 0:
            with pytest.raises(DomainErrors):
                add(self.lines, (chosen, quantity, attributes))
            return
        change = add(self.lines, (chosen, quantity, attributes))
        assert bool(change.warnings) == (quantity > room)
        self.model[chosen.variant_id, attributes_key(attributes)] += int(min(quantity, room))
        self.lines = change.lines

    @rule(data=st.data(), quantity=st.integers(0, 9))
    def set_to(self, data: st.DataObject, quantity: int) -> None:
        if not self.lines:
            return
        line = data.draw(st.sampled_from(self.lines))
        others = self.units(line) - line.quantity
        change = update_lines(self.lines, [LineToUpdate(line.id, quantity)])
        self.model[line.variant_id, line.attributes_key] = int(min(quantity, self.limit(line) - others))
        self.lines = change.lines

    @rule(data=st.data())
    def take_out(self, data: st.DataObject) -> None:
        if self.lines:
            line = data.draw(st.sampled_from(self.lines))
            self.lines = remove_lines(self.lines, [line.id]).lines
            del self.model[line.variant_id, line.attributes_key]

    @invariant()
    def agrees_with_the_model(self) -> None:
        there = {(line.variant_id, line.attributes_key): line.quantity for line in self.lines}
        assert len(there) == len(self.lines) == len({line.id for line in self.lines})
        assert there == +self.model
        assert all(self.units(one) <= self.limit(one) for one in self.variants)


Cart.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestCart = Cart.TestCase

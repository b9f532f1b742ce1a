"""Which discounts a cart gets of those that it could have."""

from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.promotions.combining import Candidate
from app.promotions.definition import BuyXGetY, Combination, FreeShipping, Items, Rule, Worth
from app.promotions.terms import Applied, DiscountTerms, PromotionLine
from tests.unit.promotions.offers import (
    TOGETHER,
    amount,
    decide,
    id_of,
    line,
    percent,
    priced,
    reasons,
    taken,
    terms,
)

CART = [line(1, 1000, 2), line(2, 3000)]
SHIPPING = Rule(free_shipping=FreeShipping())


def names(applied: Applied) -> list[str]:
    return [one.name for one in applied.terms]


def test_by_custom_the_best_by_itself_goes_with_the_best_code() -> None:
    offered = [
        terms(1, percent(5)),
        terms(2, percent(10)),
        terms(3, amount(200), code="TWO"),
        terms(4, amount(500), code="FIVE"),
        terms(5, SHIPPING),
    ]
    applied = decide(offered, CART, "TWO", "FIVE", shipping_minor=400)
    assert (names(applied), reasons(applied)) == (["D2", "D4"], ["NOT_COMBINABLE", None])
    dear = decide(offered, CART, "TWO", "FIVE", shipping_minor=501)
    assert names(dear) == ["D5", "D4"]


def test_two_have_to_agree() -> None:
    order_only, product_too = Combination(order=True), Combination(product=True, order=True)
    mugs = Items(product_ids=frozenset({id_of(1)}))
    for mine, theirs, expected in (
        (order_only, Combination(), ["D2"]),
        (order_only, product_too, ["D1", "D2"]),
        (Combination(shipping=True), product_too, ["D2"]),
    ):
        offered = [terms(1, percent(20, items=mugs, combines_with=mine)), terms(2, percent(10, combines_with=theirs))]
        assert names(decide(offered, CART)) == expected


def test_products_come_first_then_the_order_then_shipping_and_in_each_the_higher_priority() -> None:
    offered = [
        terms(1, Rule(free_shipping=FreeShipping(), combines_with=TOGETHER)),
        terms(2, percent(10, combines_with=TOGETHER)),
        terms(3, amount(300, combines_with=TOGETHER, priority=1)),
        terms(4, Rule(worth=Worth(fixed_price_minor=2000), combines_with=TOGETHER), code="FIX"),
    ]
    applied = decide(offered, CART, "FIX", shipping_minor=500)
    assert taken(applied, CART, 500) == {"D4": 1000, "D3": 300, "D2": 370, "D1": 500}
    assert list(taken(applied, CART, 500)) == ["D4", "D3", "D2", "D1"]


def test_a_higher_priority_keeps_out_what_would_save_more() -> None:
    offered = [terms(1, percent(5, priority=1)), terms(2, percent(50)), terms(3, amount(100), code="ONE")]
    assert names(decide(offered, CART, "ONE")) == ["D1", "D3"]


def test_what_saves_nothing_yet_keeps_nothing_out() -> None:
    offered = [terms(1, Rule(free_shipping=FreeShipping(), priority=9)), terms(2, percent(10))]
    assert names(decide(offered, CART)) == ["D2"]
    assert names(decide(offered, CART, shipping_minor=1)) == ["D1"]


def test_two_codes_of_one_discount_are_one_discount() -> None:
    both = [terms(1, percent(10, combines_with=TOGETHER), code=code) for code in ("B", "A")]
    applied = decide(both, CART, "B", "A")
    assert reasons(applied) == ["NOT_COMBINABLE", None]
    assert taken(applied, CART) == {"D1": 500}


def test_a_set_that_saves_more_together_beats_the_best_alone() -> None:
    pair = Combination(order=True)
    offered = [
        terms(1, amount(900)),
        terms(2, amount(500, combines_with=pair)),
        terms(3, amount(500, combines_with=pair)),
    ]
    assert names(decide(offered, CART)) == ["D2", "D3"]


RULES = st.builds(
    lambda kind, number, items, goes, priority: Rule(
        **kind(number), items=items, combines_with=goes, priority=priority
    ),
    st.sampled_from(
        [
            lambda number: {"worth": Worth(percentage=Decimal(number))},
            lambda number: {"worth": Worth(amount_minor=number * 10)},
            lambda number: {"worth": Worth(each_minor=number)},
            lambda number: {"worth": Worth(fixed_price_minor=number * 10)},
            lambda number: {"buy_x_get_y": BuyXGetY(buy_quantity=1 + number % 2, percentage=Decimal(number))},
            lambda number: {"free_shipping": FreeShipping()},
        ]
    ),
    st.integers(1, 100),
    st.sampled_from([Items(), Items(product_ids=frozenset({id_of(1)}))]),
    st.sampled_from([None, Combination(), Combination(product=True), Combination(order=True, shipping=True), TOGETHER]),
    st.sampled_from([0, 0, 0, 1]),
)
LINES = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 4)), min_size=1, max_size=3).map(
    lambda drawn: [line(place + 1, price, quantity) for place, (price, quantity) in enumerate(drawn)]
)
SHOPS = st.lists(st.tuples(RULES, st.booleans()), min_size=1, max_size=6).map(
    lambda drawn: [
        terms(number, rule, code=f"C{number}" if by_code else None)
        for number, (rule, by_code) in enumerate(drawn, start=1)
    ]
)


@settings(max_examples=100, deadline=None)
@given(offered=SHOPS, lines=LINES, shipping=st.sampled_from([None, 0, 700]), mixed=st.randoms(use_true_random=False))
def test_the_order_of_codes_makes_no_difference_and_nothing_falls_below_zero(
    offered: list[DiscountTerms], lines: list[PromotionLine], shipping: int | None, mixed: object
) -> None:
    codes = [one.code for one in offered if one.code]
    shuffled, elsewhere = list(codes), list(offered)
    mixed.shuffle(shuffled)  # type: ignore[attr-defined]
    mixed.shuffle(elsewhere)  # type: ignore[attr-defined]
    applied = decide(offered, lines, *codes, shipping_minor=shipping)
    again = decide(elsewhere, lines, *shuffled, shipping_minor=shipping)
    assert again.terms == applied.terms
    assert {one.code: one.reason for one in again.codes} == {one.code: one.reason for one in applied.codes}
    result = priced(applied, lines, shipping)
    assert all(0 <= one.discount_minor <= one.subtotal_minor for one in result.lines)
    assert result.total_minor >= 0
    chosen = [Candidate(one, off) for one, off in zip(applied.terms, applied.discounts, strict=True)]
    assert all(a.goes_with(b) for a, b in combinations(chosen, 2))


@settings(max_examples=60, deadline=None)
@given(offered=SHOPS, lines=LINES, shipping=st.sampled_from([None, 700]))
def test_of_equal_priority_nothing_that_goes_together_saves_more(
    offered: list[DiscountTerms], lines: list[PromotionLine], shipping: int | None
) -> None:
    offered = [one for one in offered if one.rule.priority == 0]
    codes = [one.code for one in offered if one.code]
    alone = [
        Candidate(one, off)
        for one in offered
        for off in decide([one], lines, *codes, shipping_minor=shipping).discounts
    ]
    got = sum(taken(decide(offered, lines, *codes, shipping_minor=shipping), lines, shipping).values())
    for size in range(1, len(alone) + 1):
        for some in combinations(alone, size):
            if all(a.goes_with(b) for a, b in combinations(some, 2)):
                names = [one.terms for one in some]
                by_hand = decide(names, lines, *codes, shipping_minor=shipping)
                assert sum(taken(by_hand, lines, shipping).values()) <= got


@pytest.mark.parametrize("count", [60])
def test_dozens_that_exclude_each_other_are_decided_on(count: int) -> None:
    offered = [terms(number, amount(number)) for number in range(1, count)]
    offered += [terms(100 + number, amount(number), code=f"C{number}") for number in range(1, 10)]
    applied = decide(offered, CART, *(f"C{number}" for number in range(1, 10)))
    assert names(applied) == [f"D{count - 1}", "D109"]

"""What each kind of discount takes off, and on what."""

from decimal import Decimal
from typing import Any

import pytest

from app.promotions.definition import BuyXGetY, FreeShipping, Items, Requirements, Rule, Tier, Worth, rule_of
from app.promotions.terms import ProductFacts
from tests.unit.promotions.offers import amount, decide, id_of, line, percent, reasons, taken, terms

MUG, LAMP, RUG = line(1, 1000, 3), line(2, 3000), line(3, 333)
CART = [MUG, LAMP, RUG]


def of(*products: int) -> Items:
    return Items(product_ids=frozenset(id_of(one) for one in products))


@pytest.mark.parametrize(
    ("rule", "minor"),
    [
        (percent(10), 633),  # of 63.33, half up
        (amount(500), 500),
        (amount(9999), 6333),
        (percent(10, items=of(1)), 300),
        (amount(500, items=of(1)), 500),
        (Rule(worth=Worth(each_minor=200), items=of(1, 2)), 800),
        (Rule(worth=Worth(each_minor=2000), items=of(1, 2)), 5000),  # 3 x 10.00 and 20.00: nothing below zero
        (Rule(worth=Worth(fixed_price_minor=900)), 300 + 2100),  # the rug costs less already
        (percent(10, items=Items(excluded_product_ids=frozenset({id_of(2)}))), 333),
        (percent(10, items=Items(variant_ids=frozenset({id_of(2)}))), 300),
        (percent(10, items=Items(tags=frozenset({"Soft"}))), 33),
        (percent(10, items=Items(collection_ids=frozenset({id_of(77)}), excluded_tags=frozenset({"SOFT"}))), 300),
    ],
)
def test_what_comes_off(rule: Rule, minor: int) -> None:
    products = {
        2: ProductFacts(collection_ids=frozenset({id_of(77)})),
        3: ProductFacts(collection_ids=frozenset({id_of(77)}), tags=frozenset({"soft"})),
    }
    assert taken(decide([terms(1, rule)], CART, products=products), CART) == {"D1": minor}


@pytest.mark.parametrize(("quantity", "minor"), [(1, 0), (2, 200), (4, 400), (5, 1000), (9, 1800)], ids=str)
def test_the_highest_tier_that_is_reached_counts(quantity: int, minor: int) -> None:
    tiers = (
        Tier(minimum_quantity=2, worth=Worth(percentage=Decimal(10))),
        Tier(minimum_quantity=5, worth=Worth(percentage=Decimal(20))),
    )
    cart = [line(1, 1000, quantity)]
    assert sum(taken(decide([terms(1, Rule(tiers=tiers))], cart), cart).values()) == minor


def test_tiers_by_value_look_at_their_items_alone() -> None:
    tiers = (Tier(minimum_subtotal_minor=3001, worth=Worth(amount_minor=700)),)
    discount = terms(1, Rule(tiers=tiers, items=of(1)), code="T", currency_code="USD")
    assert reasons(decide([discount], CART, "T")) == ["MINIMUM_NOT_REACHED"]
    assert decide([discount], CART, "T").codes[0].message == "Add items for 0.01 USD more to get it."
    more = [line(1, 1000, 4), LAMP]
    assert taken(decide([discount], more, "T"), more) == {"D1": 700}


def test_what_has_a_fixed_price_is_touched_by_nothing_and_counts_for_nothing() -> None:
    card = line(9, 5000, fixed=True)
    everything = [terms(1, percent(50), minimum_subtotal_minor=1001)]
    assert taken(decide(everything, [card, line(1, 1000)]), [card, line(1, 1000)]) == {}
    named = [terms(1, percent(50, items=of(9)), code="CARD")]
    assert reasons(decide(named, [card], "CARD")) == ["NO_ELIGIBLE_ITEMS"]
    both = [card, line(1, 2000)]
    assert taken(decide(everything, both), both) == {"D1": 1000}


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (percent(10, items=of(7)), "NO_ELIGIBLE_ITEMS"),
        (Rule(worth=Worth(fixed_price_minor=333), items=of(3)), "NO_ELIGIBLE_ITEMS"),
        (percent(10, requires=Requirements(minimum_quantity=6)), "MINIMUM_QUANTITY_NOT_REACHED"),
        (percent(10, items=of(1), requires=Requirements(minimum_quantity=4)), "MINIMUM_QUANTITY_NOT_REACHED"),
        (Rule(buy_x_get_y=BuyXGetY(buy_quantity=1, buys=of(7))), "NO_ELIGIBLE_ITEMS"),
        (Rule(buy_x_get_y=BuyXGetY(buy_quantity=4, buys=of(1))), "MINIMUM_QUANTITY_NOT_REACHED"),
        (Rule(buy_x_get_y=BuyXGetY(buy_quantity=3, buys=of(1), gets=of(1))), "MINIMUM_QUANTITY_NOT_REACHED"),
        (Rule(buy_x_get_y=BuyXGetY(buy_quantity=3, buys=of(1), gets=of(7))), "NO_ELIGIBLE_ITEMS"),
    ],
)
def test_what_is_missing_in_the_cart(offer: Rule, reason: str) -> None:
    applied = decide([terms(1, offer, code="X")], CART, "X")
    assert (reasons(applied), applied.discounts) == ([reason], ())


def test_free_shipping_is_for_what_ships_up_to_its_price() -> None:
    free = [terms(1, Rule(free_shipping=FreeShipping(maximum_price_minor=900)), code="S", currency_code="USD")]
    assert reasons(decide(free, CART, "S", ships=False)) == ["NO_SHIPPING"]
    assert reasons(decide(free, CART, "S", shipping_minor=901)) == ["SHIPPING_TOO_EXPENSIVE"]
    assert reasons(decide(free, CART, "S")) == [None], "before a way to ship is chosen"
    assert taken(decide(free, CART, "S", shipping_minor=900), CART, 900) == {"D1": 900}


def test_amounts_of_the_shop_are_exchanged_for_a_market_with_another_currency() -> None:
    rule = Rule(
        tiers=(Tier(minimum_subtotal_minor=3000, worth=Worth(amount_minor=500)),),
    )
    offered = [terms(1, rule, currency_code="USD", minimum_subtotal_minor=100)]
    yen: dict[str, Any] = {
        "currency": "JPY",
        "shop_currency_code": "USD",
        "exchange": lambda minor: (minor * 3 + 1) // 2,
    }
    below, reached = [line(1, 4499)], [line(1, 4500)]
    assert decide(offered, below, **yen).discounts == ()
    assert taken(decide(offered, reached, **yen), reached) == {"D1": 750}
    elsewhere = [terms(1, amount(100), currency_code="EUR", code="E")]
    assert reasons(decide(elsewhere, reached, "E", **yen)) == ["OTHER_CURRENCY"]


def test_a_document_says_what_it_said() -> None:
    rule = Rule(
        tiers=(Tier(minimum_quantity=2, worth=Worth(percentage=Decimal("12.5"))),),
        items=Items(collection_ids=frozenset({id_of(2), id_of(1)}), tags=frozenset({"b", "a"})),
        requires=Requirements(first_order=True, country_codes=frozenset({"DE"})),
        priority=3,
    )
    assert rule_of(rule.to_json(), None, 0) == rule
    assert rule.to_json() == rule_of(rule.to_json(), None, 0).to_json()
    assert rule.reads_products
    assert not rule.is_plain
    assert rule_of(None, "12.5", None).is_plain
    assert rule_of(None, None, 500) == amount(500)

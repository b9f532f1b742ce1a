"""Who may have a discount, and where."""

from typing import Any

import pytest

from app.promotions.definition import Requirements, Rule
from app.promotions.rules import refusals
from app.promotions.terms import Applied, Buyer, BuyerFacts, DiscountCodeReason, EnteredCode
from tests.unit.promotions.offers import ANYBODY, decide, id_of, line, percent, reasons, terms

ADA = Buyer(email="ada@example.com", phone=None)
CART = [line(1, 1000)]


def asking(**requires: Any) -> Rule:
    return percent(10, requires=Requirements(**requires))


def why(rule: Rule, buyer: Buyer = ADA, facts: BuyerFacts | None = None, **context: Any) -> str | None:
    discount = terms(1, rule, code="X", limit_per_customer=2)
    (reason,) = reasons(decide([discount], CART, "X", buyer=buyer, facts=facts or BuyerFacts(), **context))
    return reason


VIPS, TRADE, HOME = frozenset({id_of(5)}), frozenset({id_of(6)}), frozenset({id_of(7)})


@pytest.mark.parametrize(
    ("rule", "meets", "misses", "reason"),
    [
        (
            asking(segment_ids=VIPS),
            {"facts": BuyerFacts(segment_ids=VIPS)},
            {"facts": BuyerFacts(segment_ids=HOME)},
            "NOT_IN_SEGMENT",
        ),
        (asking(segment_ids=VIPS), {"facts": BuyerFacts(segment_ids=VIPS)}, {"buyer": ANYBODY}, "BUYER_UNKNOWN"),
        (
            asking(customer_group_ids=TRADE),
            {"facts": BuyerFacts(customer_group_ids=TRADE)},
            {},
            "NOT_IN_CUSTOMER_GROUP",
        ),
        (asking(first_order=True), {}, {"facts": BuyerFacts(has_ordered=True)}, "NOT_FIRST_ORDER"),
        (asking(market_ids=HOME), {"market_id": id_of(7)}, {"market_id": id_of(8)}, "OTHER_MARKET"),
        (
            asking(country_codes=frozenset({"DE", "AT"})),
            {"country_code": "AT"},
            {"country_code": "US"},
            "OTHER_COUNTRY",
        ),
        (asking(country_codes=frozenset({"DE"})), {"country_code": "DE"}, {}, "OTHER_COUNTRY"),
        (
            asking(),
            {"facts": BuyerFacts(uses={id_of(1): 1})},
            {"facts": BuyerFacts(uses={id_of(1): 2})},
            "ALREADY_USED",
        ),
    ],
)
def test_who_and_where(rule: Rule, meets: dict[str, Any], misses: dict[str, Any], reason: str) -> None:
    assert why(rule, **meets) is None
    assert why(rule, **misses) == reason


def test_every_reason_has_words_for_the_shopper() -> None:
    codes = ["NOPE", "OFF"]
    applied = decide([terms(1, code="OFF", blocked=DiscountCodeReason.DISABLED)], CART, *codes)
    assert [(one.reason, one.message) for one in applied.codes] == [
        (DiscountCodeReason.NOT_FOUND, "There is no such code."),
        (DiscountCodeReason.DISABLED, "This offer is over."),
    ]


def test_what_counted_for_somebody_or_a_moment_ago_refuses_the_order() -> None:
    refusing = [one for one in DiscountCodeReason if refusals(Applied((), (EnteredCode("X", one),)))]
    assert {reason.value for reason in refusing} == {
        "NOT_YOURS", "NOT_IN_SEGMENT", "NOT_IN_CUSTOMER_GROUP", "OTHER_COUNTRY", "USED_UP", "ALREADY_USED",
        "SELF_REFERRAL", "EXISTING_CUSTOMER", "NOT_FIRST_ORDER", "EXPIRED", "DISABLED",
    }  # fmt: skip

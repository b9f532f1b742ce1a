"""What each kind of rate costs, and rates that cannot be."""

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.shipping.errors import as_domain_errors
from app.shipping.rates import RATE, Consignment
from app.shipping.rules import Method, ShippableLine, Zone, consignment_of, offers

NOW = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)

FLAT = {"kind": "FLAT", "price_minor": 599, "free_from_minor": 7500}
PER_ITEM = {"kind": "PER_ITEM", "price_minor": 300, "per_item_minor": 150}
BY_WEIGHT = {
    "kind": "BY_WEIGHT",
    "brackets": [{"up_to_grams": 2000, "price_minor": 500}, {"up_to_grams": 10000, "price_minor": 1200}],
}
ANY_WEIGHT = {
    "kind": "BY_WEIGHT",
    "brackets": [{"up_to_grams": 2000, "price_minor": 500}, {"up_to_grams": None, "price_minor": 9900}],
}
BY_SUBTOTAL = {
    "kind": "BY_SUBTOTAL",
    "brackets": [{"from_minor": 1000, "price_minor": 900}, {"from_minor": 5000, "price_minor": 400}],
}
LIMITED = {"kind": "FLAT", "price_minor": 5000, "min_weight_grams": 1000, "max_weight_grams": 30000}


@pytest.mark.parametrize(
    ("rate", "items", "grams", "subtotal_minor", "price_minor"),
    [
        (FLAT, 9, 99999, 7499, 599),
        (FLAT, 1, 0, 7500, 0),
        (PER_ITEM, 1, 0, 0, 450),
        (PER_ITEM, 4, 0, 0, 900),
        (BY_WEIGHT, 1, 0, 0, 500),
        (BY_WEIGHT, 1, 2000, 0, 500),
        (BY_WEIGHT, 1, 2001, 0, 1200),
        (BY_WEIGHT, 1, 10001, 0, None),
        (ANY_WEIGHT, 1, 10**9, 0, 9900),
        (BY_SUBTOTAL, 1, 0, 999, None),
        (BY_SUBTOTAL, 1, 0, 1000, 900),
        (BY_SUBTOTAL, 1, 0, 4999, 900),
        (BY_SUBTOTAL, 1, 0, 5000, 400),
        (LIMITED, 1, 999, 0, None),
        (LIMITED, 1, 1000, 0, 5000),
        (LIMITED, 1, 30000, 0, 5000),
        (LIMITED, 1, 30001, 0, None),
    ],
)
def test_a_rate_prices_what_it_takes(
    rate: dict[str, object], items: int, grams: int, subtotal_minor: int, price_minor: int | None
) -> None:
    parsed = RATE.validate_python(rate)
    assert parsed.price_minor_of(Consignment(items, grams, subtotal_minor)) == price_minor
    assert RATE.validate_json(RATE.dump_json(parsed)) == parsed


@given(st.integers(1, 1000), st.integers(0, 10**9), st.integers(0, 10**15))
def test_no_price_is_negative_and_free_from_an_amount_never_costs_more(
    items: int, grams: int, subtotal_minor: int
) -> None:
    consignment = Consignment(items, grams, subtotal_minor)
    for rate in (FLAT, PER_ITEM, BY_WEIGHT, ANY_WEIGHT, BY_SUBTOTAL, LIMITED):
        price_minor = RATE.validate_python(rate).price_minor_of(consignment)
        free = RATE.validate_python({**rate, "free_from_minor": subtotal_minor}).price_minor_of(consignment)
        assert price_minor is None or price_minor >= 0
        assert free == (None if price_minor is None else 0)


@pytest.mark.parametrize(
    ("rate", "path"),
    [
        ({}, []),
        ({"kind": "AUCTION"}, []),
        ({"kind": "FLAT"}, ["price"]),
        ({"kind": "FLAT", "price_minor": -1}, ["price"]),
        ({"kind": "FLAT", "price_minor": 10**15 + 1}, ["price"]),
        ({"kind": "FLAT", "price_minor": 5.99}, ["price"]),
        ({"kind": "FLAT", "price_minor": "599"}, ["price"]),
        ({"kind": "FLAT", "price_minor": 1, "currency": "USD"}, ["currency"]),
        ({"kind": "FLAT", "price_minor": 1, "min_weight_grams": 2, "max_weight_grams": 1}, []),
        ({"kind": "BY_WEIGHT", "brackets": []}, ["brackets"]),
        ({"kind": "BY_WEIGHT", "brackets": [{"price_minor": 1}]}, ["brackets", "0", "upToGrams"]),
        (
            {
                "kind": "BY_WEIGHT",
                "brackets": [{"up_to_grams": 2, "price_minor": 1}, {"up_to_grams": 2, "price_minor": 1}],
            },
            [],
        ),
        (
            {
                "kind": "BY_WEIGHT",
                "brackets": [{"up_to_grams": None, "price_minor": 1}, {"up_to_grams": 2, "price_minor": 1}],
            },
            [],
        ),
        (
            {
                "kind": "BY_SUBTOTAL",
                "brackets": [{"from_minor": 5, "price_minor": 1}, {"from_minor": 4, "price_minor": 1}],
            },
            [],
        ),
    ],
)
def test_a_rate_that_cannot_be_is_refused_where_it_is_wrong(rate: dict[str, object], path: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        RATE.validate_python(rate)
    (error,) = as_domain_errors(refused.value, ["methods", 0, "rate"])
    assert error.field == ["methods", "0", "rate", *path]
    assert error.message


def _line(quantity: int, grams: int, unit_price_minor: int, *, ships: bool = True) -> ShippableLine:
    return ShippableLine(uuid.uuid4(), quantity, grams, ships, unit_price_minor)


def test_only_what_needs_shipping_counts() -> None:
    lines = [_line(2, 300, 1990), _line(1, 0, 99900, ships=False), _line(3, 1000, 500)]
    assert consignment_of(lines) == Consignment(item_count=5, weight_grams=3600, subtotal_minor=5480)
    assert consignment_of([_line(1, 500, 1000, ships=False)]) is None
    assert consignment_of([]) is None


def test_offers_are_what_the_zone_can_carry_the_cheapest_first() -> None:
    methods = tuple(
        Method(uuid.uuid4(), carrier, "Consignment", RATE.validate_python(rate), None)
        for carrier, rate in (("Express", LIMITED), ("Weight", BY_WEIGHT), ("Flat", FLAT), ("Same", FLAT))
    )
    found = offers(Zone(uuid.uuid4(), (), methods), Consignment(1, 10500, 2000), NOW, "UTC")
    assert [(offer.method.carrier, offer.price_minor) for offer in found] == [
        ("Flat", 599),
        ("Same", 599),
        ("Express", 5000),
    ]
    assert [offer.delivery for offer in found] == [None, None, None]

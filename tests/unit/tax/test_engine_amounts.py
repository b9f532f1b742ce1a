"""An engine's amounts as rates: pricing comes to what the engine wants, to the last unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pricing.amounts import TaxRate
from app.pricing.taxing import Taxed, tax
from app.tax.engines.amounts import rate_for


def priced(rates: list[Decimal], prices: list[int], *, included: bool) -> list[int]:
    taxed = [Taxed((TaxRate("Tax", rate),), [price]) for rate, price in zip(rates, prices, strict=True)]
    tax(taxed, included=included)
    return [sum(amount for part in one.taxes for amount in part) for one in taxed]


@given(
    items=st.lists(
        st.integers(1, 10**12).flatmap(lambda net: st.tuples(st.just(net), st.integers(0, net))), min_size=1, max_size=5
    ),
    included=st.booleans(),
)
def test_items_with_rates_of_their_own_bear_exactly_the_engines_amounts(
    items: list[tuple[int, int]], included: bool
) -> None:
    prices = [net + amount if included else net for net, amount in items]
    rates = [rate_for(amount, price, included=included) for (_, amount), price in zip(items, prices, strict=True)]
    got = [priced([rate], [price], included=included)[0] for rate, price in zip(rates, prices, strict=True)]
    assert got == [amount for _, amount in items]


@pytest.mark.parametrize(
    ("amount", "price", "stated", "rate"),
    [
        (200, 4998, "0.04", "0.04"),  # 1.9992: the engine has rounded
        (199, 4998, "0.04", "0.04"),  # or cut off
        (100, 4998, "0.04", None),  # taxed in part: clothing above a threshold
        (0, 4998, "0.04", "0"),  # not collected there
    ],
)
def test_the_stated_rate_is_kept_where_only_rounding_differs(
    amount: int, price: int, stated: str, rate: str | None
) -> None:
    found = rate_for(amount, price, Decimal(stated))
    assert found == (Decimal(rate) if rate else Decimal(amount) / Decimal(price))


def test_a_tax_that_no_rate_gives_is_refused() -> None:
    for amount, price in ((-1, 100), (5, 0)):
        with pytest.raises(ValueError, match=r"below zero|nothing"):
            rate_for(amount, price)

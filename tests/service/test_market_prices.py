"""Prices in lists: the database's arithmetic is that of `app.markets.prices`, and there is always a price."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import db
from app.kit.money import MAX_AMOUNT_MINOR
from app.markets.prices import converted, list_price, price_factor

pytestmark = pytest.mark.usefixtures("clean_database")

AMOUNTS = st.one_of(st.integers(0, 100_000), st.integers(0, MAX_AMOUNT_MINOR))
RATES = st.decimals(Decimal("0.000000000001"), Decimal(1_000_000), places=12)
PERCENTAGES = st.decimals(Decimal("-99.9999"), Decimal(1000), places=4)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CLF", "CHF"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=AMOUNTS,
    rate=RATES,
    percentage=PERCENTAGES,
    currencies=st.tuples(CURRENCIES, CURRENCIES),
    step=st.tuples(st.sampled_from([1, 5, 10, 100, 1000, 10**12]), st.integers(0, 999)),
)
async def test_the_database_rounds_as_python_does_and_something_never_becomes_nothing(
    base: int, rate: Decimal, percentage: Decimal, currencies: tuple[str, str], step: tuple[int, int]
) -> None:
    factor = price_factor(rate, percentage, *currencies)
    round_to, ending = step[0], step[1] % step[0]
    price = await db.fetchval("SELECT list_price($1, $2::numeric(44, 22), $3, $4)", base, factor, round_to, ending)
    assert price == list_price(base, factor, round_to, ending)
    assert (price > 0) == (base > 0)
    assert 0 <= price <= MAX_AMOUNT_MINOR


@pytest.mark.parametrize(
    ("base", "factor", "round_to", "ending", "price"),
    [
        (1000, "0.92", 1, 0, 920),
        (1050, "0.9", 10, 0, 950),  # 945 is in the middle, and goes up
        (1020, "1", 100, 99, 999),  # 9.99 is nearer than 10.99
        (1050, "1", 100, 99, 1099),
        (1020, "1", 100, 95, 995),
        (2, "1", 100, 95, 95),
        (2, "1", 100, 0, 100),  # never nothing
        (1990, "1.5", 1, 0, 2985),  # 19.90 USD at 150 JPY
        (1990, "3.07", 1, 0, 6109),  # 19.90 USD at 0.307 KWD: 6.109
        (0, "150", 100, 99, 0),
    ],
)
async def test_prices_worked_out_by_hand(base: int, factor: str, round_to: int, ending: int, price: int) -> None:
    assert list_price(base, Decimal(factor), round_to, ending) == price
    assert await db.fetchval("SELECT list_price($1, $2, $3, $4)", base, Decimal(factor), round_to, ending) == price


def test_the_factor_knows_the_digits_of_both_currencies() -> None:
    assert price_factor(Decimal(150), Decimal(0), "USD", "JPY") == Decimal("1.5")
    assert price_factor(Decimal("0.307"), Decimal(-10), "USD", "KWD") == Decimal("2.763")
    assert converted(599, Decimal(150), "USD", "JPY") == 899  # 5.99 USD are 898.50 JPY
    assert converted(500, Decimal("0.0066"), "JPY", "USD") == 330

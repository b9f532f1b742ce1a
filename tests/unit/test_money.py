"""Money: minor units, the digits of each currency, and no mixing."""

from decimal import Decimal

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DomainError
from app.kit.money import MAX_AMOUNT_MINOR, Money, currencies, exponent


@pytest.mark.parametrize(
    ("minor", "currency", "decimal"),
    [(1990, "USD", "19.90"), (1990, "JPY", "1990"), (1990, "KWD", "1.990"), (1990, "IQD", "1.990"), (5, "RSD", "0.05")],
)
def test_decimals_have_all_digits_of_the_currency(minor: int, currency: str, decimal: str) -> None:
    assert str(Money(minor, currency).decimal) == decimal


@given(st.integers(0, MAX_AMOUNT_MINOR), st.sampled_from(sorted(currencies())))
def test_there_and_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.from_decimal(money.decimal, currency) == money


def test_where_cldr_keeps_three_digits_or_none_by_law_so_do_we() -> None:
    """CLDR knows more currencies of other digits than ISO 4217, but never fewer of the three-digit ones."""
    three = {code for code, (digits, *_) in get_global("currency_fractions").items() if digits == 3}
    assert {code for code in three if exponent(code) != 3} == set()


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("19.999", "USD", "INVALID"),
        ("0.5", "JPY", "INVALID"),
        ("NaN", "USD", "INVALID"),
        ("Infinity", "USD", "INVALID"),
        ("-1", "USD", "OUT_OF_RANGE"),
        ("1e20", "USD", "OUT_OF_RANGE"),
    ],
)
def test_refusals(amount: str, currency: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        Money.from_decimal(Decimal(amount), currency, ["price"])
    assert (refused.value.code.name, refused.value.field) == (code, ["price"])


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "USD") + Money(1, "EUR")

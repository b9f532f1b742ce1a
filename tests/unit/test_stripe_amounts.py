"""Amounts as Stripe counts them; the examples are those of https://docs.stripe.com/currencies."""

import pytest

from app.payments.adapters.stripe_amounts import NotPayableError, from_stripe, to_stripe


@pytest.mark.parametrize(
    ("minor", "currency", "number"),
    [
        (1_000, "USD", 1_000),  # 10.00 dollars
        (500, "JPY", 500),
        (5_120, "KWD", 5_120),
        (5, "ISK", 500),  # no decimals any more, and written with two
        (5, "UGX", 500),
        (1_045, "HUF", 1_045),  # whole for payouts alone
        (1_200, "MGA", 12),  # two digits by ISO 4217, none by Stripe
        (99_999_999_99, "EUR", 99_999_999_99),
    ],
)
def test_amounts_there_and_back(minor: int, currency: str, number: int) -> None:
    assert to_stripe(minor, currency) == number
    assert from_stripe(number, currency) == minor


@pytest.mark.parametrize(("minor", "currency"), [(5_124, "KWD"), (1, "BHD"), (1_250, "MGA")])
def test_nothing_is_rounded_to_fit(minor: int, currency: str) -> None:
    with pytest.raises(NotPayableError):
        to_stripe(minor, currency)

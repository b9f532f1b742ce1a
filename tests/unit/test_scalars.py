"""What scalars take from a client, and what they refuse instead of guessing."""

from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, parse_value
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DomainError
from app.kit.money import exponent
from schema.money import MoneyInput
from schema.scalars import SCALARS, CurrencyCode

parse: Any = SCALARS[Decimal].parse_value
read: Any = SCALARS[Decimal].parse_literal


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("19.90", "19.90"),
        ("007.50", "7.5"),
        (19.9, "19.9"),
        (5.0, "5"),
        (7, "7"),
        ("-0", "0"),
    ],
)
def test_a_decimal_is_what_was_written(sent: object, expected: str) -> None:
    assert parse(sent) == Decimal(expected)


@pytest.mark.parametrize(
    "sent",
    [
        "1e999999999", "0e999999999", "1e-999999999", "1e99", 1e308, 10**40, "1_000", "\uff11\uff12", "1,000", "NaN",
        "Infinity", "", ".", "e1", "1" * 41, True, None, [], {"amount": 1}, "1e5", "1E5", "1e-2", "+5", " 5", "5 ",
        "5\n", ".5", "5.", "--5", "- 5", "\u0661", "\u00b2", "\u22125", 1e16, 1e-7,
    ],
)  # fmt: skip
def test_what_no_amount_looks_like_is_refused(sent: object) -> None:
    """Also what Python reads and cannot reckon with."""
    with pytest.raises(GraphQLError):
        parse(sent)


@given(st.text(st.sampled_from("0123456789.-+eE_ ,\n\u0661\uff15NaIf"), max_size=8) | st.text(max_size=6))
def test_no_other_text_than_digits_and_a_point_is_an_amount(text: str) -> None:
    """The grammar is spelled out here once more, in other words than the expression of the code."""
    whole, point, part = text.removeprefix("-").partition(".")
    accepted = _ascii_digits(whole) and (_ascii_digits(part) if point else True)
    try:
        parsed = parse(text)
    except GraphQLError:
        assert not accepted
    else:
        assert accepted
        assert format(parsed, "f").lstrip("-0") == text.lstrip("-0")


def _ascii_digits(text: str) -> bool:
    return bool(text) and set(text) <= set("0123456789")


@given(
    whole=st.integers(0, 10**9), part=st.text("0123456789", max_size=6), currency=st.sampled_from(["USD", "JPY", "KWD"])
)
def test_an_amount_has_no_more_digits_than_its_currency(whole: int, part: str, currency: str) -> None:
    """Zeros as well: 1.500 is fifteen hundred to half of Europe."""
    text = f"{whole}.{part}" if part else str(whole)
    amount = MoneyInput(amount=parse(text), currency_code=CurrencyCode(currency))
    if len(part) > exponent(currency):
        with pytest.raises(DomainError) as refused:
            amount.parsed(["price"])
        assert (refused.value.code.name, refused.value.field) == ("INVALID", ["price"])
    else:
        assert amount.parsed().amount_minor == int(str(whole) + part.ljust(exponent(currency), "0"))


@pytest.mark.parametrize("literal", ["1e5", "1E5", "1.0e1", '"1e5"', '" 5"', "true", "FIVE", "[5]"])
def test_a_number_that_stands_in_the_document_is_read_as_it_is_written(literal: str) -> None:
    """There a float would have made 100000.0 of it."""
    with pytest.raises(GraphQLError):
        read(parse_value(literal), None)
    assert read(parse_value("5.50"), None) == read(parse_value('"5.50"'), None) == Decimal("5.5")

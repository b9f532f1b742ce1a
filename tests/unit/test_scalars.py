"""What scalars take from a client, and what they refuse instead of guessing."""

from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from schema.scalars import SCALARS

parse: Any = SCALARS[Decimal].parse_value


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("19.90", "19.90"),
        (" 5 ", "5"),
        ("+5", "5"),
        (".5", "0.5"),
        ("1e3", "1000"),
        (19.9, "19.9"),
        (1e-7, "0.0000001"),
        (7, "7"),
        ("-0", "0"),
    ],
)
def test_a_decimal_is_what_was_written(given: object, expected: str) -> None:
    assert parse(given) == Decimal(expected)


@pytest.mark.parametrize(
    "given",
    [
        "1e999999999", "0e999999999", "1e-999999999", "1e99", 1e308, 10**40, "1_000", "\uff11\uff12", "1,000", "NaN",
        "Infinity", "", ".", "e1", "1" * 41, True, None, [], {"amount": 1},
    ],
)  # fmt: skip
def test_what_no_amount_looks_like_is_refused(given: object) -> None:
    """Also what Python reads and cannot reckon with."""
    with pytest.raises(GraphQLError):
        parse(given)

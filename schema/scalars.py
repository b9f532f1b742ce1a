"""Scalars: strict on the way in, so that a wrong value is refused and never guessed at."""

import datetime as dt
import decimal
import re
from typing import Any, NewType

import strawberry
from graphql import FloatValueNode, GraphQLError, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from app.kit import money

CountryCode = NewType("CountryCode", str)
CurrencyCode = NewType("CurrencyCode", str)
JSON = NewType("JSON", object)

MAX_DECIMAL_CHARS = 40
MAX_DECIMAL_EXPONENT = 30
"""Of ten. Far beyond any amount, and short of what arithmetic on decimals overflows at."""
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
"""Python's own reader takes more: 1_000, digits of every script, NaN, and 1e5, which people write who mean 1.5."""
_NO_DECIMAL = 'A decimal is a string such as "19.90", without exponent, plus sign or spaces, or an integer.'


def _parse_decimal(value: object) -> decimal.Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise GraphQLError(_NO_DECIMAL)
    # A float's shortest text is what the client wrote: 19.9 stays 19.9, where Decimal(19.9) would be 19.899999….
    text = value if isinstance(value, str) else repr(value).removesuffix(".0")
    if len(text) > MAX_DECIMAL_CHARS or not _DECIMAL.fullmatch(text):
        raise GraphQLError(_NO_DECIMAL)
    parsed = decimal.Decimal(text)
    if abs(parsed.adjusted()) > MAX_DECIMAL_EXPONENT:
        raise GraphQLError(f"A decimal lies between 1e-{MAX_DECIMAL_EXPONENT} and 1e{MAX_DECIMAL_EXPONENT}.")
    return parsed


def _read_decimal(node: ValueNode, variables: object = None) -> decimal.Decimal:
    """As it stands in a document, where a number has not been through a float: 1e5 is still seen."""
    if not isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        raise GraphQLError(_NO_DECIMAL)
    return _parse_decimal(node.value)


def _parse_datetime(value: object) -> dt.datetime:
    try:
        parsed = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise GraphQLError('A date and time is ISO 8601, such as "2026-05-01T12:00:00Z".')
    if parsed.tzinfo is None:
        raise GraphQLError('A date and time needs its offset, such as "2026-05-01T12:00:00Z" or "…+02:00".')
    try:
        return parsed.astimezone(dt.UTC)
    except OverflowError:
        raise GraphQLError("A date and time lies in the years 1 to 9999.") from None


def _parse_date(value: object) -> dt.date:
    try:
        return dt.date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError as error:
        raise GraphQLError('A date is ISO 8601, such as "2026-05-01".') from error


def parse_country(value: object) -> str:
    """Raises GraphQLError."""
    if not isinstance(value, str) or len(value) != 2 or not value.isascii() or not value.isalpha():
        raise GraphQLError('A country is an ISO 3166-1 alpha-2 code, such as "US".')
    return value.upper()


def parse_currency(value: object) -> str:
    """Raises GraphQLError."""
    if not isinstance(value, str) or value.upper() not in money.currencies():
        raise GraphQLError('A currency is an ISO 4217 code, such as "USD".')
    return value.upper()


def _isoformat(value: dt.datetime) -> str:
    return value.isoformat()


SCALARS: dict[object, ScalarDefinition] = {
    decimal.Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal as a JSON string, such as "19.90". Input accepts a string or an integer: '
        "digits, and a point with digits where needed; no exponent, plus sign or spaces.",
        serialize=str,
        parse_value=_parse_decimal,
        parse_literal=_read_decimal,
    ),
    dt.datetime: strawberry.scalar(
        name="DateTime",
        description='ISO 8601 with an offset, such as "2026-05-01T12:00:00Z". A time without offset is refused.',
        serialize=_isoformat,
        parse_value=_parse_datetime,
    ),
    dt.date: strawberry.scalar(
        name="Date", description='ISO 8601, such as "2026-05-01".', serialize=_isoformat, parse_value=_parse_date
    ),
    CountryCode: strawberry.scalar(
        name="CountryCode", description='ISO 3166-1 alpha-2, such as "US".', serialize=str, parse_value=parse_country
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode", description='ISO 4217, such as "USD".', serialize=str, parse_value=parse_currency
    ),
    JSON: strawberry.scalar(
        name="JSON", description="Any JSON value.", serialize=lambda value: value, parse_value=lambda value: value
    ),
}

SCALAR_MAP: dict[Any, Any] = SCALARS

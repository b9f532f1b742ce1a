"""The orders in which products are listed, each with the key that a cursor carries. Ties go by id, always."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.errors import CommonErrorCode, DomainError
from app.kit.pagination import PageRequest

Bind = Callable[[object, str], str]
"""Takes a value and its SQL type; gives the SQL of a parameter."""

_MAX_BIGINT = 2**63 - 1
_MAX_INT = 2**31 - 1


class ProductSortKey(StrEnum):
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    NAME = "NAME"
    PRICE = "PRICE"


def _moment(value: object) -> dt.datetime:
    moment = dt.datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("no offset")
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("outside of the years that UTC has") from None


def _amount(value: object) -> int:
    return _integer(value, _MAX_BIGINT)


def _place(value: object) -> int:
    return _integer(value, _MAX_INT)


def _integer(value: object, largest: int) -> int:
    if not isinstance(value, int) or abs(value) > largest:
        raise ValueError("not an integer that the column could hold")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("not a text")
    return value


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows as SQL.

    Attributes:
        rows: a subquery with an alias, cut to the page and one row more.
        order: of these rows.
        cursor: of a row, as JSON.
    """

    rows: str
    order: str
    cursor: str


class Order(Protocol):
    """In which a list comes: what a connection asks of it."""

    @property
    def cursor_name(self) -> str: ...

    def page(self, bind: Bind, row: str, source: str, request: PageRequest) -> Page:
        """
        Args:
            source: FROM and WHERE, in which the row has the alias `row`.

        Raises:
            DomainError: INVALID for a cursor that this order never made.
        """
        ...


def foreign_cursor(field: str) -> DomainError:
    return DomainError(CommonErrorCode.INVALID, "The cursor does not belong to this list and order.", [field])


@dataclass(frozen=True, slots=True)
class Ordering:
    """A list's order.

    Attributes:
        name: in cursors, so that one made under another order is refused.
        key: SQL over the row called `{row}`; not null, backed by an index together with `id`.
        sql_type: of the key, and what `parse` makes of a cursor's value; it raises ValueError or TypeError.
        id: SQL of the key's tie-breaker.
        reverse: last to first.
    """

    name: str
    key: str
    sql_type: str
    parse: Callable[[object], object]
    id: str = "{row}.id"
    reverse: bool = False

    @property
    def cursor_name(self) -> str:
        return f"{self.name}-" if self.reverse else self.name

    def position(self, cursor: tuple[str | int | None, ...], field: str) -> tuple[object, uuid.UUID]:
        """Key and id out of a cursor. Raises DomainError(INVALID) for values that this order never made."""
        try:
            key, row_id = cursor
            return self.parse(key), uuid.UUID(hex=str(row_id))
        except (ValueError, TypeError) as error:
            raise foreign_cursor(field) from error

    def page(self, bind: Bind, row: str, source: str, request: PageRequest) -> Page:
        """See `Order`."""
        key, tie = self.key.format(row=row), self.id.format(row=row)
        descending = self.reverse != request.backward
        if request.cursor is not None:
            value, row_id = self.position(request.cursor, "before" if request.backward else "after")
            bound = f"{bind(value, self.sql_type)}, {bind(row_id, 'uuid')}"
            source = f"{source} AND ({key}, {tie}) {'<' if descending else '>'} ({bound})"
        way = "DESC" if descending else "ASC"
        rows = f"""(
            SELECT {row}.*, {key} AS "_key", {tie} AS "_tie" FROM {source}
            ORDER BY {key} {way}, {tie} {way} LIMIT {request.fetch_limit}
        ) {row}"""
        return Page(
            rows=rows,
            order=f"{row}._key {way}, {row}._tie {way}",
            cursor=f"json_build_array({row}._key, replace({row}._tie::text, '-', ''))",
        )


_PRODUCT_ORDERINGS = {
    ProductSortKey.CREATED_AT: ("created_at", "timestamptz", _moment),
    ProductSortKey.UPDATED_AT: ("updated_at", "timestamptz", _moment),
    ProductSortKey.PRICE: ("min_price_minor", "bigint", _amount),
}


def product_ordering(sort_key: ProductSortKey, *, reverse: bool) -> Ordering:
    """Oldest, cheapest or first of the alphabet first; `reverse` turns it round."""
    name = sort_key.lower()
    if sort_key is ProductSortKey.NAME:
        return Ordering(name, "lower({row}.name)", "text", _text, reverse=reverse)
    column, sql_type, parse = _PRODUCT_ORDERINGS[sort_key]
    return Ordering(name, f"{{row}}.{column}", sql_type, parse, reverse=reverse)


VARIANTS = Ordering("variants", "{row}.position", "int", _place)
COLLECTIONS = Ordering("collections", "{row}.position", "int", _place)


def as_arranged(*, reverse: bool) -> Ordering:
    """A collection's products as staff put them."""
    return Ordering("arranged", "entry.position", "int", _place, id="entry.product_id", reverse=reverse)

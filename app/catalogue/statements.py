"""Statements that answer with JSON documents: one statement for a whole tree of lists.

A document's keys are the fields' names in Python; a field with arguments has a key made from them (`prefetched`).
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

from app.catalogue.orderings import Order
from app.kit.pagination import page_request
from app.kit.text import check_text
from app.kit.wanted import Wanted, WantedField
from app.markets.prices import sql_of_hidden
from app.markets.terms import BuyingContext

MAX_ARGUMENT_CHARS = 1000

PAGE_ARGUMENTS = ("first", "after", "last", "before")
Fields = Callable[[str, Wanted], tuple[list[str], str]]
"""Columns of a row under an alias, and the joins that they need."""


@lru_cache(maxsize=1024)
def prefetched(name: str, *arguments: object) -> str:
    """The key under which a field with these arguments is found in its object; short, as SQL's names are."""
    return f"{name}_{hashlib.sha256(repr(arguments).encode()).hexdigest()[:24]}"


class Statement:
    """A statement in the making: its parameters, and who will see the result.

    Args:
        sees_hidden: staff: drafts, archived products, costs and exact stock.
        buying: where the prices are for; None for the shop's own ones.
    """

    def __init__(self, *, sees_hidden: bool, buying: BuyingContext | None = None) -> None:
        self.sees_hidden = sees_hidden
        self.buying = buying
        self.parameters: list[object] = []
        self._aliases = 0
        self._lists: str | None = None
        self._market: str | None = None
        self._only_list: str | None = None

    def bind(self, value: object, sql_type: str) -> str:
        """Raises DomainError(TOO_LONG | INVALID) for text that the database would not take."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and (error := check_text(text, MAX_ARGUMENT_CHARS)):
                raise error
        self.parameters.append(value)
        return f"${len(self.parameters)}::{sql_type}"

    def alias(self, letter: str) -> str:
        self._aliases += 1
        return f"{letter}{self._aliases}"

    def product_is_visible(self, row: str) -> str:
        return "true" if self.sees_hidden else f"{row}.status = 'ACTIVE'{self.not_hidden(row)}"

    def not_hidden(self, row: str) -> str:
        """A condition that begins with AND, or nothing: the market shows the product."""
        if self.sees_hidden or self.buying is None or not self.buying.market.hides_products:
            return ""
        if self._market is None:
            self._market = self.bind(self.buying.market.id, "uuid")
        return f" AND NOT {sql_of_hidden(f'{row}.id', self._market)}"

    @property
    def has_own_prices(self) -> bool:
        """Whether prices are others than the columns of the variants."""
        return self.buying is not None and self.buying.own_prices

    def price_lists(self) -> str:
        """The lists that apply, as an array of SQL's. The buyer's own are looked up once for the whole statement."""
        if self._lists is None:
            if self.buying is None:
                raise RuntimeError("the shop's own prices are in no list")
            market = self.buying.market
            if self.buying.buyer_id is None:
                self._lists = self.bind([market.price_list_id], "uuid[]")
            else:
                ids = f"{self.bind(market.id, 'uuid')}, {self.bind(self.buying.buyer_id, 'uuid')}"
                self._lists = f"(SELECT price_lists_for({ids}, null))"
        return self._lists

    def only_price_list(self) -> str | None:
        """The market's list as SQL, where no other one can apply: to whoever is not signed in, and without groups that
        have lists to everybody."""
        if self.buying is None or self.buying.buyer_id is not None or self.buying.market.price_list_id is None:
            return None
        if self._only_list is None:
            self._only_list = self.bind(self.buying.market.price_list_id, "uuid")
        return self._only_list

    def collection_is_visible(self, row: str) -> str:
        return "true" if self.sees_hidden else f"{row}.is_published"


def document(source: str, columns: Sequence[str]) -> str:
    """One document, null when the source has no row."""
    return f"(SELECT row_to_json(x) FROM (SELECT {', '.join(columns)} FROM {source}) x)"


def documents(source: str, columns: Sequence[str]) -> str:
    return f"(SELECT coalesce(json_agg(row_to_json(x)), '[]') FROM (SELECT {', '.join(columns)} FROM {source}) x)"


def connection(
    s: Statement, row: str, source: str, *, ordering: Order, field: WantedField, wanted: Wanted, fields: Fields
) -> str:
    """A page of rows as one document: `rows`, and what is needed to tell where the page stands.

    Args:
        source: FROM and WHERE, in which the row has the alias `row`.

    Raises:
        DomainError: INVALID or OUT_OF_RANGE for arguments of the page.
    """
    request = page_request(*(field.arguments.get(name) for name in PAGE_ARGUMENTS), order=ordering.cursor_name)
    total = f"(SELECT count(*) FROM {source})" if "totalCount" in wanted else "null"
    # The page is cut before anything is looked up for its rows.
    page = ordering.page(s.bind, row, source, request)
    columns, joins = fields(row, wanted.nodes())
    columns.append(f'{page.cursor} AS "_cursor"')
    rows = documents(f"{page.rows} {joins} ORDER BY {page.order}", columns)
    flags = f"'limit', {request.limit}, 'backward', {request.backward}, 'resumed', {request.cursor is not None}"
    return f"json_build_object('rows', {rows}, 'total', {total}, 'order', '{ordering.cursor_name}', {flags})"


def by_arguments(*names: str) -> Callable[[WantedField], tuple[object, ...]]:
    return lambda field: tuple(field.arguments.get(name) for name in names)

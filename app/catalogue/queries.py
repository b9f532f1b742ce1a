"""Every read of the catalogue. Each is one statement, whatever is wanted and however much of it.

Who reads is told by `sees_hidden`: staff who may read products see drafts, archived products, unpublished collections,
costs and exact stock; for everybody else none of that is there. `buying` says where the prices are for, and what is
hidden there, in lists by price too; without it they are the shop's own.
"""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app import db
from app.catalogue import documents
from app.catalogue.orderings import ProductSortKey
from app.catalogue.statements import Statement, document
from app.catalogue.statements import documents as many
from app.configuration import version
from app.kit.wanted import Wanted
from app.markets import current
from app.markets.terms import BuyingContext

MAX_SEARCH_WORDS = 10
MAX_TRIES = 3

_LIKE_SPECIALS = re.compile(r"([\\%_])")


@dataclass(frozen=True, slots=True)
class Found:
    """JSON documents.

    Attributes:
        currency: that prices are minor units of.
        shop_currency: that costs are minor units of.
        exchange: what is kept in the shop's currency alone, such as prices of options, in `currency`.
        markets: version of the markets at that moment; None where the shop's own prices were read.
    """

    document: Any
    currency: str
    shop_currency: str
    exchange: Callable[[int], int] = int
    markets: int | None = None


@dataclass(frozen=True, slots=True)
class PageArguments:
    """A page of a list: `first` and `after`, or `last` and `before`."""

    arguments: Mapping[str, Any] = field(default_factory=dict)


async def _read(s: Statement, expression: str) -> Found:
    market = s.buying.market if s.buying else None
    told = version("markets") if market else "(SELECT currency_code FROM shop)"
    row = await db.fetchrow(f"SELECT {told} AS told, {expression} AS document", *s.parameters)
    found = None if row is None or row["document"] is None else orjson.loads(row["document"])
    if row is None or row["told"] is None:
        raise RuntimeError("the shop has no row; migrations make one")
    if market is None:
        return Found(found, row["told"], row["told"])
    return Found(found, market.currency_code, market.shop_currency_code, market.from_shop_currency, row["told"])


Build = Callable[[Statement], str]
"""Makes the expression of a document. Called once more where the markets are not what this process took them for."""


async def _found(build: Build, *, sees_hidden: bool, buying: BuyingContext | None) -> Found:
    """One statement: it tells of which version the markets are, and is sent again with the right ones if need be."""
    for _ in range(MAX_TRIES):
        s = Statement(sees_hidden=sees_hidden, buying=buying)
        found = await _read(s, build(s))
        if buying is None or found.markets == buying.version:
            return found
        buying = await current.again(buying, found.markets)
    return found


def _any_of(s: Statement, ids: Sequence[uuid.UUID]) -> str:
    """The array through a subquery: estimated by its own length, PostgreSQL would plan the statement anew each time."""
    return f"ANY(ARRAY(SELECT unnest({s.bind(list(ids), 'uuid[]')})))"


def _each(s: Statement, ids: Sequence[uuid.UUID]) -> str:
    # A bare parameter would be planned for its length, anew each time; that takes longer than the read.
    return f"ARRAY(SELECT unnest({s.bind(list(ids), 'uuid[]')}))"


# --- products ---------------------------------------------------------------------------------------------------------


async def product_page(
    wanted: Wanted,
    page: PageArguments,
    *,
    sees_hidden: bool,
    buying: BuyingContext | None = None,
    search: str | None = None,
    sort_key: ProductSortKey = ProductSortKey.CREATED_AT,
    reverse: bool = False,
) -> Found:
    """A page of the products, as `statements.connection` describes it.

    Args:
        search: words that all have to be in the name, in any case and order, or a variant's exact SKU.

    Raises:
        DomainError: INVALID or OUT_OF_RANGE for the page's arguments, TOO_LONG.
    """

    def build(s: Statement) -> str:
        source = f"products p WHERE {s.product_is_visible('p')}{matching(s, search)}"
        ordering = documents.product_order(s, sort_key, reverse=reverse)
        return documents.product_connection(s, "p", source, ordering=ordering, field=page, wanted=wanted)

    return await _found(build, sees_hidden=sees_hidden, buying=buying)


def matching(s: Statement, search: str | None) -> str:
    """SQL over the product `p`, beginning with AND; empty without words to look for."""
    words = (search or "").split()[:MAX_SEARCH_WORDS]
    if not words:
        return ""
    # One condition a word: ILIKE ALL over an array would read every name, as no index knows it.
    patterns = [s.bind("%" + _LIKE_SPECIALS.sub(r"\\\1", word) + "%", "text") for word in words]
    named = " AND ".join(f"named.name ILIKE {pattern}" for pattern in patterns)
    sku = s.bind(" ".join(words), "text")
    # Two searches with an index each; OR would use neither.
    return f""" AND p.id IN (
        SELECT named.id FROM products named WHERE {named}
        UNION SELECT v.product_id FROM product_variants v WHERE v.sku = {sku} AND v.removed_at IS NULL
    )"""


async def product(
    wanted: Wanted,
    *,
    sees_hidden: bool,
    buying: BuyingContext | None = None,
    product_id: uuid.UUID | None = None,
    slug: str | None = None,
) -> Found:
    """The product with this id or slug; its document is None where there is none to see."""

    def build(s: Statement) -> str:
        columns, joins = documents.product_fields(s, "p", wanted)
        condition = f"p.id = {s.bind(product_id, 'uuid')}" if product_id else f"p.slug = {s.bind(slug, 'text')}"
        return document(f"products p {joins} WHERE {condition} AND {s.product_is_visible('p')}", columns)

    return await _found(build, sees_hidden=sees_hidden, buying=buying)


async def products_by_id(
    ids: Sequence[uuid.UUID], wanted: Wanted, *, sees_hidden: bool, buying: BuyingContext | None = None
) -> Found:
    """Documents of those that there are, in no order."""

    def build(s: Statement) -> str:
        columns, joins = documents.product_fields(s, "p", wanted)
        found = f"p.id = {_any_of(s, ids)} AND {s.product_is_visible('p')}"
        return many(f"products p {joins} WHERE {found}", columns)

    return await _found(build, sees_hidden=sees_hidden, buying=buying)


# --- variants ---------------------------------------------------------------------------------------------------------


async def variants_by_id(
    ids: Sequence[uuid.UUID],
    wanted: Wanted,
    *,
    sees_hidden: bool,
    buying: BuyingContext | None = None,
    off_sale_too: bool = False,
) -> Found:
    """Documents of those that there are, in no order.

    Args:
        off_sale_too: also removed variants and those of products that are not on sale, as a cart or an order that
            holds them still shows them.
    """

    def build(s: Statement) -> str:
        columns, joins = documents.variant_fields(s, "v", "p", wanted)
        condition = f"v.id = {_any_of(s, ids)}"
        if not off_sale_too:
            condition += f" AND v.removed_at IS NULL AND {s.product_is_visible('p')}"
        source = f"product_variants v JOIN products p ON p.id = v.product_id {joins} WHERE {condition}"
        return many(source, columns)

    return await _found(build, sees_hidden=sees_hidden, buying=buying)


# --- collections ------------------------------------------------------------------------------------------------------


async def collection_page(
    wanted: Wanted, page: PageArguments, *, sees_hidden: bool, buying: BuyingContext | None = None
) -> Found:
    """A page of the collections in the order that staff gave them."""

    def build(s: Statement) -> str:
        source = f"collections c WHERE {s.collection_is_visible('c')}"
        return documents.collection_connection(s, "c", source, field=page, wanted=wanted)

    return await _found(build, sees_hidden=sees_hidden, buying=buying)


async def collection(
    wanted: Wanted,
    *,
    sees_hidden: bool,
    buying: BuyingContext | None = None,
    collection_id: uuid.UUID | None = None,
    slug: str | None = None,
) -> Found:
    """The collection with this id or slug; its document is None where there is none to see."""

    def build(s: Statement) -> str:
        columns, joins = documents.collection_fields(s, "c", wanted)
        condition = f"c.id = {s.bind(collection_id, 'uuid')}" if collection_id else f"c.slug = {s.bind(slug, 'text')}"
        source = f"collections c {joins} WHERE {condition} AND {s.collection_is_visible('c')}"
        return document(source, columns)

    return await _found(build, sees_hidden=sees_hidden, buying=buying)


async def collections_by_id(
    ids: Sequence[uuid.UUID], wanted: Wanted, *, sees_hidden: bool, buying: BuyingContext | None = None
) -> Found:
    """Documents of those that there are, in no order."""

    def build(s: Statement) -> str:
        columns, joins = documents.collection_fields(s, "c", wanted)
        found = f"c.id = {_any_of(s, ids)} AND {s.collection_is_visible('c')}"
        return many(f"collections c {joins} WHERE {found}", columns)

    return await _found(build, sees_hidden=sees_hidden, buying=buying)


# --- before anything is changed ---------------------------------------------------------------------------------------


def check_wanted_of_product(wanted: Wanted) -> None:
    """Raises DomainError for arguments, at any depth, that the reads above would refuse."""
    documents.product_fields(Statement(sees_hidden=False), "p", wanted)


def check_wanted_of_variant(wanted: Wanted) -> None:
    """As `check_wanted_of_product`."""
    documents.variant_fields(Statement(sees_hidden=False), "v", "p", wanted)


def check_wanted_of_collection(wanted: Wanted) -> None:
    """As `check_wanted_of_product`."""
    documents.collection_fields(Statement(sees_hidden=False), "c", wanted)

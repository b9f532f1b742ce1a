"""Price lists and groups of customers as staff see them. Markets are in memory, see `app.markets.current`."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app import db
from app.kit.pagination import PageRequest

_LIST_COLUMNS = """
    l.id, l.name, l.currency_code, l.adjustment_percentage, l.exchange_rate, l.round_to_minor, l.ending_minor,
    l.created_at, l.updated_at
"""


@dataclass(frozen=True, slots=True)
class StoredPriceList:
    id: uuid.UUID
    name: str
    currency_code: str
    adjustment_percentage: Decimal
    exchange_rate: Decimal
    round_to_minor: int
    ending_minor: int
    created_at: dt.datetime
    updated_at: dt.datetime


async def price_lists(list_ids: Sequence[uuid.UUID] | None = None) -> list[StoredPriceList]:
    """Some or all, by name."""
    rows = await db.fetch(
        f"""
        SELECT {_LIST_COLUMNS} FROM price_lists l WHERE $1::uuid[] IS NULL OR l.id = ANY($1::uuid[])
        ORDER BY lower(l.name), l.id
        """,
        None if list_ids is None else list(list_ids),
    )
    return [StoredPriceList(**row) for row in rows]


async def price_lists_of_groups(group_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[StoredPriceList]]:
    rows = await db.fetch(
        f"""
        SELECT gl.group_id, {_LIST_COLUMNS}
        FROM customer_group_price_lists gl JOIN price_lists l ON l.id = gl.price_list_id
        WHERE gl.group_id = ANY($1::uuid[]) ORDER BY lower(l.name), l.id
        """,
        list(group_ids),
    )
    found: dict[uuid.UUID, list[StoredPriceList]] = {group_id: [] for group_id in group_ids}
    for row in rows:
        columns = dict(row)
        found[columns.pop("group_id")].append(StoredPriceList(**columns))
    return found


@dataclass(frozen=True, slots=True)
class StoredPrice:
    id: uuid.UUID
    variant_id: uuid.UUID
    min_quantity: int
    price_minor: int
    compare_at_price_minor: int | None


async def prices(
    list_id: uuid.UUID, request: PageRequest, variant_ids: Sequence[uuid.UUID] | None = None
) -> list[StoredPrice]:
    """A page of a list's own prices, by their ids; or of some variants alone. One row more than the page has."""
    way, edge = ("DESC", "<") if request.backward else ("ASC", ">")
    rows = await db.fetch(
        f"""
        SELECT id, variant_id, min_quantity, price_minor, compare_at_price_minor FROM price_list_prices
        WHERE price_list_id = $1 AND ($2::uuid IS NULL OR id {edge} $2)
          AND ($3::uuid[] IS NULL OR variant_id = ANY($3::uuid[]))
        ORDER BY id {way} LIMIT $4
        """,
        list_id,
        request.cursor_id(),
        None if variant_ids is None else list(variant_ids),
        request.fetch_limit,
    )
    return [StoredPrice(**row) for row in rows]


async def count_prices(list_id: uuid.UUID, variant_ids: Sequence[uuid.UUID] | None = None) -> int:
    found: int = await db.fetchval(
        """
        SELECT count(*) FROM price_list_prices
        WHERE price_list_id = $1 AND ($2::uuid[] IS NULL OR variant_id = ANY($2::uuid[]))
        """,
        list_id,
        None if variant_ids is None else list(variant_ids),
    )
    return found


@dataclass(frozen=True, slots=True)
class StoredGroup:
    id: uuid.UUID
    name: str
    member_count: int
    created_at: dt.datetime
    updated_at: dt.datetime


async def groups(group_ids: Sequence[uuid.UUID] | None = None) -> list[StoredGroup]:
    """Some or all, by name."""
    rows = await db.fetch(
        """
        SELECT g.id, g.name, g.created_at, g.updated_at,
               (SELECT count(*) FROM customer_group_members m WHERE m.group_id = g.id) AS member_count
        FROM customer_groups g WHERE $1::uuid[] IS NULL OR g.id = ANY($1::uuid[])
        ORDER BY lower(g.name), g.id
        """,
        None if group_ids is None else list(group_ids),
    )
    return [StoredGroup(**row) for row in rows]


async def members(group_id: uuid.UUID, request: PageRequest) -> list[uuid.UUID]:
    """Ids of accounts, in the order of these; one more than the page has."""
    way, edge = ("DESC", "<") if request.backward else ("ASC", ">")
    rows = await db.fetch(
        f"""
        SELECT customer_id FROM customer_group_members
        WHERE group_id = $1 AND ($2::uuid IS NULL OR customer_id {edge} $2) ORDER BY customer_id {way} LIMIT $3
        """,
        group_id,
        request.cursor_id(),
        request.fetch_limit,
    )
    return [row["customer_id"] for row in rows]


async def hidden_products(market_id: uuid.UUID, request: PageRequest) -> list[dict[str, Any]]:
    """Ids of products that a market hides, in the order of these; one more than the page has."""
    way, edge = ("DESC", "<") if request.backward else ("ASC", ">")
    rows = await db.fetch(
        f"""
        SELECT product_id FROM market_hidden_products
        WHERE market_id = $1 AND ($2::uuid IS NULL OR product_id {edge} $2) ORDER BY product_id {way} LIMIT $3
        """,
        market_id,
        request.cursor_id(),
        request.fetch_limit,
    )
    return [row["product_id"] for row in rows]

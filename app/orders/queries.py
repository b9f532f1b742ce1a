"""Reading orders: one statement for any number of them, with their lines and payments where those are wanted."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from app import db
from app.errors import CommonErrorCode, DomainError
from app.kit.crypto import token_matches
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.orders.models import OrderStatus
from app.payments import dispute_queries

OrderRow = Mapping[str, Any]
"""The columns of `orders`, and decoded `lines` and `payments` where they were asked for (empty lists otherwise)."""

CURSOR_ORDER = "orders"
MAX_QUERY_CHARS = 200
_JSON_COLUMNS = (
    "shipping_address", "billing_address", "shipping_quote", "attributes", "discounts", "tax_lines",
    "shipping_tax_lines", "gift_wrap_tax_lines", "stored_value", "gift_options", "lines", "payments",
)  # fmt: skip

# Each part has an index for beginnings. $2: what staff typed.
_FOUND = """
    o.number::text LIKE $2 OR lower(o.email) LIKE $2
    OR lower(coalesce(o.shipping_address, o.billing_address) ->> 'last_name') LIKE $2
    OR lower((coalesce(o.shipping_address, o.billing_address) ->> 'first_name')
             || ' ' || (coalesce(o.shipping_address, o.billing_address) ->> 'last_name')) LIKE $2
"""
_OVERDUE = "o.payment_due_at < business_now() AND o.payment_status IN ('PENDING', 'PARTIALLY_PAID')"
_IS_OVERDUE = f"({_OVERDUE}) IS TRUE AS is_payment_overdue"
_LINES = "(SELECT json_agg(l ORDER BY l.position, l.id) FROM order_lines l WHERE l.order_id = o.id) AS lines"
_PAYMENTS = f"""
    (
        SELECT json_agg(json_build_object(
            'id', p.id, 'gateway', p.gateway, 'method', p.method, 'state', p.state, 'amount_minor', p.amount_minor,
            'captured_minor', p.captured_minor, 'refunded_minor', p.refunded_minor, 'reference', p.reference,
            'created_at', p.created_at, 'disputes', (
                SELECT json_agg(to_jsonb(d) || jsonb_build_object(
                    'order_id', p.order_id, 'withheld_minor', {dispute_queries.WITHHELD},
                    'spent_minor', {dispute_queries.SPENT}
                ) ORDER BY d.opened_at, d.id)
                FROM payment_disputes d WHERE d.payment_id = p.id
            )
        ) ORDER BY p.created_at, p.id)
        FROM payments p WHERE p.order_id = o.id
    ) AS payments
"""


def _columns(lines: bool, payments: bool) -> str:
    return ", ".join(["o.*", _IS_OVERDUE, *([_LINES] if lines else []), *([_PAYMENTS] if payments else [])])


def decoded(row: Mapping[str, Any]) -> OrderRow:
    """A row of the database with its json columns read."""
    order = dict(row)
    for column in _JSON_COLUMNS:
        if isinstance(order.get(column), str):
            order[column] = orjson.loads(order[column])
    order["lines"] = order.get("lines") or []
    order["payments"] = order.get("payments") or []
    if order.get("amount_due_minor") is None:
        # Of the release that knew no other payment.
        order["amount_due_minor"] = order["total_minor"]
    return order


async def by_ids(
    order_ids: Sequence[uuid.UUID], *, lines: bool = True, payments: bool = False
) -> dict[uuid.UUID, OrderRow]:
    """The orders that exist, by id. Who may see them is the caller's to know."""
    rows = await db.fetch(f"SELECT {_columns(lines, payments)} FROM orders o WHERE o.id = ANY($1)", list(order_ids))
    return {row["id"]: decoded(row) for row in rows}


async def with_token(order_id: uuid.UUID, token: str, *, lines: bool = True) -> OrderRow | None:
    """The order, for whoever holds the token from its receipt; None for a wrong token as for no order."""
    order = (await by_ids([order_id], lines=lines)).get(order_id)
    return order if order is not None and token_matches(token, order["token_hash"]) else None


async def order_ids_of_lines(line_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The order of each line that exists."""
    rows = await db.fetch("SELECT id, order_id FROM order_lines WHERE id = ANY($1)", list(line_ids))
    return {row["id"]: row["order_id"] for row in rows}


async def search(
    request: PageRequest,
    *,
    query: str | None,
    status: OrderStatus | None,
    overdue: bool = False,
    lines: bool,
    payments: bool,
    count: bool,
) -> PageResult[OrderRow]:
    """Orders, newest first; one statement, and one more where they are counted.

    Args:
        query: beginning of a number, an email address, a last name, or a first and last name.
        overdue: only orders on account that should have been paid by now.

    Raises:
        DomainError: TOO_LONG for the query, INVALID for the cursor.
    """
    where = "($1::text IS NULL OR o.status = $1)"
    if overdue:
        where += f" AND {_OVERDUE} AND o.status <> 'CANCELLED'"
    arguments: list[object] = [status and status.value]
    if needle := _needle(query):
        where += f" AND ({_FOUND})"
        arguments.append(needle)
    total = await db.fetchval(f"SELECT count(*) FROM orders o WHERE {where}", *arguments) if count else None
    if request.cursor is not None:
        place = len(arguments) + 1
        where += f" AND (o.placed_at, o.id) < (${place}::timestamptz, ${place + 1}::uuid)"
        arguments += _cursor(request.cursor)
    rows = await db.fetch(
        f"""
        SELECT {_columns(lines, payments)} FROM orders o WHERE {where}
        ORDER BY o.placed_at DESC, o.id DESC LIMIT {request.fetch_limit}
        """,
        *arguments,
    )
    cursors = [encode_cursor([row["placed_at"].isoformat(), row["id"].hex], CURSOR_ORDER) for row in rows]
    return page_of([decoded(row) for row in rows], cursors, request, total)


async def of_profiles(
    profile_ids: Sequence[uuid.UUID], request: PageRequest, *, lines: bool, payments: bool, count: bool
) -> dict[uuid.UUID, PageResult[OrderRow]]:
    """A page of each person's orders, newest first; one statement for all, and one more where they are counted.

    Raises:
        DomainError: INVALID for the cursor.
    """
    return await _of("profile_id", profile_ids, request, lines=lines, payments=payments, count=count)


async def of_customers(
    customer_ids: Sequence[uuid.UUID], request: PageRequest, *, lines: bool, payments: bool, count: bool
) -> dict[uuid.UUID, PageResult[OrderRow]]:
    """The same for accounts: what was ordered while signed in, or as a guest with the address that they verified."""
    return await _of("customer_id", customer_ids, request, lines=lines, payments=payments, count=count)


async def _of(
    owner: str, owner_ids: Sequence[uuid.UUID], request: PageRequest, *, lines: bool, payments: bool, count: bool
) -> dict[uuid.UUID, PageResult[OrderRow]]:
    """`owner` is a column of `orders`."""
    placed_at, order_id = _cursor(request.cursor) if request.cursor is not None else (None, None)
    rows = await db.fetch(
        f"""
        SELECT o.* FROM unnest($1::uuid[]) AS p (id)
        CROSS JOIN LATERAL (
            SELECT {_columns(lines, payments)} FROM orders o
            WHERE o.{owner} = p.id AND ($2::timestamptz IS NULL OR (o.placed_at, o.id) < ($2, $3::uuid))
            ORDER BY o.placed_at DESC, o.id DESC LIMIT {request.fetch_limit}
        ) o
        ORDER BY o.placed_at DESC, o.id DESC
        """,
        list(owner_ids),
        placed_at,
        order_id,
    )
    totals: dict[uuid.UUID, int] = {}
    if count:
        counted = await db.fetch(
            f"SELECT {owner} AS id, count(*) AS orders FROM orders WHERE {owner} = ANY($1::uuid[]) GROUP BY {owner}",
            list(owner_ids),
        )
        totals = {row["id"]: row["orders"] for row in counted}
    pages = {}
    for owner_id in owner_ids:
        mine = [decoded(row) for row in rows if row[owner] == owner_id]
        cursors = [encode_cursor([row["placed_at"].isoformat(), row["id"].hex], CURSOR_ORDER) for row in mine]
        pages[owner_id] = page_of(mine, cursors, request, totals.get(owner_id, 0) if count else None)
    return pages


def _needle(query: str | None) -> str | None:
    """What staff typed, as the beginning of something: lower case, without the # of a number, no wildcards."""
    text = " ".join((query or "").split()).removeprefix("#").lower()
    if len(text) > MAX_QUERY_CHARS:
        raise DomainError(CommonErrorCode.TOO_LONG, f"At most {MAX_QUERY_CHARS} characters.", ["query"])
    if "\x00" in text:
        raise DomainError(CommonErrorCode.INVALID, "The text holds a character that no order has.", ["query"])
    for character in ("\\", "%", "_"):
        text = text.replace(character, f"\\{character}")
    return f"{text}%" if text else None


def _cursor(values: tuple[str | int | None, ...]) -> tuple[datetime, uuid.UUID]:
    try:
        placed_at, order_id = values
        # A forged cursor may lie outside of the years that UTC has.
        return datetime.fromisoformat(str(placed_at)).astimezone(UTC), uuid.UUID(hex=str(order_id))
    except (ValueError, OverflowError) as error:
        raise DomainError(CommonErrorCode.INVALID, "The cursor does not belong to this list.", ["after"]) from error

"""Reading invoices and credit notes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db
from app.invoices import rendering
from app.invoices.document import Document
from app.invoices.models import InvoiceKind
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.messaging import formats
from app.orders.placing import token_of
from app.settings import get_settings

CURSOR = "invoices"
_COLUMNS = "i.id, i.number, i.kind, i.order_id, i.corrects_id, i.currency_code, i.total_minor, i.tax_minor, i.issued_at"


@dataclass(frozen=True, slots=True)
class Printed:
    number: str
    pdf: bytes


async def of_orders(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[db.Record]]:
    """Each order's invoices and credit notes, oldest first, by one statement."""
    found: dict[uuid.UUID, list[db.Record]] = {order_id: [] for order_id in order_ids}
    statement = f"SELECT {_COLUMNS} FROM invoices i WHERE i.order_id = ANY($1) ORDER BY i.issued_at, i.id"
    for row in await db.fetch(statement, list(order_ids)):
        found[row["order_id"]].append(row)
    return found


async def by_ids(invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    """With the account of each one's order, as `customer_id`. Who may see them is the caller's to know."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS}, o.customer_id FROM invoices i JOIN orders o ON o.id = i.order_id WHERE i.id = ANY($1)",
        list(invoice_ids),
    )
    return {row["id"]: row for row in rows}


async def listed(request: PageRequest, *, kind: InvoiceKind | None, count: bool) -> PageResult[db.Record]:
    """Newest first."""
    chosen = kind.value if kind else None
    after = request.cursor or (None, None)
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM invoices i
        WHERE ($1::text IS NULL OR i.kind = $1)
          AND ($2::text IS NULL OR (i.issued_at, i.id) < ($2::text::timestamptz, $3::text::uuid))
        ORDER BY i.issued_at DESC, i.id DESC LIMIT $4
        """,
        chosen,
        after[0],
        after[1],
        request.fetch_limit,
    )
    counted = "SELECT count(*) FROM invoices i WHERE ($1::text IS NULL OR i.kind = $1)"
    total = await db.fetchval(counted, chosen) if count else None
    cursors = [encode_cursor([row["issued_at"].isoformat(), row["id"].hex], CURSOR) for row in rows]
    return page_of(rows, cursors, request, total)


async def latest_of(order_id: uuid.UUID) -> uuid.UUID | None:
    """The order's invoice, if it has one: the newest, as an edit credits what was before it."""
    found: uuid.UUID | None = await db.fetchval(
        "SELECT id FROM invoices WHERE order_id = $1 AND kind = 'INVOICE' ORDER BY id DESC LIMIT 1",
        order_id,
    )
    return found


async def since_edit(edit_id: uuid.UUID) -> uuid.UUID | None:
    """The order's invoice, if it was issued since an edit of the order; None where the one before says the same."""
    found: uuid.UUID | None = await db.fetchval(
        """
        SELECT i.id FROM order_edits e JOIN invoices i ON i.order_id = e.order_id AND i.kind = 'INVOICE'
        WHERE e.id = $1 AND i.issued_at >= e.created_at ORDER BY i.id DESC LIMIT 1
        """,
        edit_id,
    )
    return found


async def print_out(invoice_id: uuid.UUID) -> Printed | None:
    """The PDF; None where there is no such invoice, or its buyer was forgotten."""
    row = await db.fetchrow(
        """
        SELECT i.number, i.document, o.id AS order_id, o.token_hash
        FROM invoices i JOIN orders o ON o.id = i.order_id WHERE i.id = $1 AND length(o.token_hash) > 0
        """,
        invoice_id,
    )
    if row is None:
        return None
    track = formats.order_url(get_settings().storefront_url, token_of(row["order_id"], row["token_hash"]))
    return Printed(row["number"], await rendering.pdf(Document.from_json(row["document"]), row["number"], track))

"""Reading endpoints and deliveries."""

import uuid
from collections.abc import Sequence

from app import db
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.webhooks.models import DeliveryState

CURSOR_ENDPOINTS, CURSOR_DELIVERIES = "webhook_endpoints", "webhook_deliveries"


async def endpoints_by_ids(endpoint_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch("SELECT * FROM webhook_endpoints WHERE id = ANY($1)", list(endpoint_ids))
    return {row["id"]: row for row in rows}


async def deliveries_by_ids(delivery_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch("SELECT * FROM webhook_deliveries WHERE id = ANY($1)", list(delivery_ids))
    return {row["id"]: row for row in rows}


async def endpoints_page(request: PageRequest, *, count: bool) -> PageResult[db.Record]:
    """Newest first."""
    rows = await db.fetch(
        "SELECT * FROM webhook_endpoints WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval("SELECT count(*) FROM webhook_endpoints") if count else None
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR_ENDPOINTS) for row in rows], request, total)


async def deliveries_page(
    request: PageRequest, endpoint_id: uuid.UUID | None, state: DeliveryState | None, *, count: bool
) -> PageResult[db.Record]:
    """Newest first."""
    only = "($1::uuid IS NULL OR endpoint_id = $1) AND ($2::text IS NULL OR state = $2)"
    filters = (endpoint_id, state.value if state else None)
    rows = await db.fetch(
        f"SELECT * FROM webhook_deliveries WHERE {only} AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
        *filters,
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval(f"SELECT count(*) FROM webhook_deliveries WHERE {only}", *filters) if count else None
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR_DELIVERIES) for row in rows], request, total)

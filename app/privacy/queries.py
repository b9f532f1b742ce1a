"""Reading requests about personal data."""

import uuid
from collections.abc import Sequence

from app import db
from app.kit.pagination import PageRequest
from app.privacy.models import PrivacyRequestKind

_COLUMNS = """
    r.id, r.kind, r.status, r.profile_id, r.customer_id, r.requested_by_staff_id, r.created_at, r.finished_at,
    r.expires_at,
    CASE WHEN r.kind = 'ERASURE' THEN r.result END AS progress
"""


async def by_ids(request_ids: Sequence[uuid.UUID], *, documents: bool) -> list[db.Record]:
    """In any order; `document` only where it is asked for, as it is large."""
    document = "CASE WHEN r.kind = 'EXPORT' AND r.expires_at > clock_timestamp() THEN r.result END"
    return await db.fetch(
        f"""
        SELECT {_COLUMNS}, {document if documents else "NULL::jsonb"} AS document
        FROM privacy_requests r WHERE r.id = ANY($1)
        """,
        list(request_ids),
    )


_LISTED = "($1::text IS NULL OR r.kind = $1)"


async def newest(page: PageRequest, kind: PrivacyRequestKind | None) -> list[db.Record]:
    """Newest first, without documents."""
    return await db.fetch(
        f"""
        SELECT {_COLUMNS}, NULL::jsonb AS document FROM privacy_requests r
        WHERE {_LISTED} AND ($2::uuid IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $3
        """,
        kind,
        page.cursor_id(),
        page.fetch_limit,
    )


async def count(kind: PrivacyRequestKind | None) -> int:
    total: int = await db.fetchval(f"SELECT count(*) FROM privacy_requests r WHERE {_LISTED}", kind)
    return total

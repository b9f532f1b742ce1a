"""Reading accounts: by their owner, and by staff."""

import uuid
from collections.abc import Mapping, Sequence

from app import db
from app.errors import CommonErrorCode, DomainError
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

CURSOR = "customers"
MAX_QUERY_CHARS = 200
MAX_SESSIONS = 100

_COLUMNS = """
    c.id, c.email, c.email_verified_at, c.profile_id, c.first_name, c.last_name, c.phone, c.language, c.is_active,
    c.password_hash IS NOT NULL AS has_password, c.created_at, c.updated_at, c.last_login_at
"""

# Each part has an index for beginnings or whole addresses.
_FOUND = (
    "c.id IN (SELECT id FROM customers WHERE lower(email) = {0} AND email_verified_at IS NOT NULL UNION ALL "
    "SELECT id FROM customers WHERE lower(email) = {0} AND email_verified_at IS NULL)"
)


async def by_ids(customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM customers c WHERE c.id = ANY($1::uuid[])", list(customer_ids))
    return {row["id"]: row for row in rows}


async def search(request: PageRequest, *, email: str | None, count: bool) -> PageResult[db.Record]:
    """Accounts, the newest first; one statement, and one more where they are counted.

    Args:
        email: the whole address, ignoring case; also of accounts that only claim it.

    Raises:
        DomainError: TOO_LONG or INVALID for the address, INVALID for the cursor.
    """
    where, arguments = "true", list[object]()
    if email is not None:
        where, arguments = _FOUND.format("$1"), [_needle(email)]
    total = await db.fetchval(f"SELECT count(*) FROM customers c WHERE {where}", *arguments) if count else None
    if request.cursor is not None:
        arguments += [request.cursor_id()]
        where += f" AND c.id < ${len(arguments)}::uuid"
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM customers c WHERE {where} ORDER BY c.id DESC LIMIT {request.fetch_limit}", *arguments
    )
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR) for row in rows], request, total)


async def sessions(customer_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[db.Record]]:
    """The sessions that live, the newest first, up to 100 of each account."""
    rows = await db.fetch(
        """
        SELECT s.* FROM unnest($1::uuid[]) AS c (id)
        CROSS JOIN LATERAL (
            SELECT id, subject_id, created_at, expires_at, user_agent FROM sessions
            WHERE subject_kind = 'customer' AND subject_id = c.id AND revoked_at IS NULL
              AND expires_at > clock_timestamp()
            ORDER BY created_at DESC, id DESC LIMIT $2
        ) s
        ORDER BY s.created_at DESC, s.id DESC
        """,
        list(customer_ids),
        MAX_SESSIONS,
    )
    found: dict[uuid.UUID, list[db.Record]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        found[row["subject_id"]].append(row)
    return found


def _needle(text: str) -> str:
    if len(text) > MAX_QUERY_CHARS:
        raise DomainError(CommonErrorCode.TOO_LONG, f"At most {MAX_QUERY_CHARS} characters.", ["email"])
    if "\x00" in text:
        raise DomainError(CommonErrorCode.INVALID, "The text holds a character that nobody has.", ["email"])
    return text.strip().lower()

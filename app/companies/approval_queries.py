"""Reading approvals: staff see all, approvers their company's, and everybody what they asked for themselves."""

import uuid
from collections.abc import Sequence

from app import db
from app.companies.models import ApprovalState
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

CURSOR = "order-approvals"
# What nobody has looked at since its time was over is over nevertheless.
_STATE = (
    "CASE WHEN a.state IN ('PENDING', 'APPROVED') AND a.expires_at <= business_now() THEN 'EXPIRED' ELSE a.state END"
)
_APPROVALS = f"""
    SELECT a.id, a.company_id, c.name AS company_name, a.customer_id, asks.email AS asked_by, {_STATE} AS state,
           a.lines, a.delivery, a.total_minor, a.maximum_minor, a.currency_code, a.message, a.comment,
           decides.email AS decided_by, a.staff_id, a.decided_at, a.order_id, a.expires_at, a.created_at
    FROM order_approvals a
    JOIN companies c ON c.id = a.company_id
    LEFT JOIN company_members asks ON asks.company_id = a.company_id AND asks.customer_id = a.customer_id
    LEFT JOIN company_members decides ON decides.company_id = a.company_id AND decides.customer_id = a.approver_id
"""
# Whoever left a company sees nothing of it any more, what they asked for included.
_SEEN_BY = """
    EXISTS (
        SELECT FROM company_members v
        WHERE v.company_id = a.company_id AND v.customer_id = $1 AND (v.role = 'APPROVER' OR a.customer_id = $1)
    )
"""


async def by_ids(approval_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    """For staff, and for mails."""
    rows = await db.fetch(f"{_APPROVALS} WHERE a.id = ANY($1::uuid[])", list(approval_ids))
    return {row["id"]: row for row in rows}


async def seen_by(customer_id: uuid.UUID, approval_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch(f"{_APPROVALS} WHERE a.id = ANY($2::uuid[]) AND {_SEEN_BY}", customer_id, list(approval_ids))
    return {row["id"]: row for row in rows}


async def page(
    request: PageRequest,
    *,
    viewer_id: uuid.UUID | None,
    company_id: uuid.UUID | None = None,
    state: ApprovalState | None = None,
    count: bool = False,
) -> PageResult[db.Record]:
    """The newest first.

    Args:
        viewer_id: the account that sees them; None for staff.
    """
    where = f"""
        ($1::uuid IS NULL OR {_SEEN_BY}) AND ($2::uuid IS NULL OR a.company_id = $2)
        AND ($3::text IS NULL OR {_STATE} = $3)
    """
    wanted = (viewer_id, company_id, state and state.value)
    rows = await db.fetch(
        f"{_APPROVALS} WHERE {where} AND ($4::uuid IS NULL OR a.id < $4) ORDER BY a.id DESC LIMIT $5",
        *wanted,
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval(f"SELECT count(*) FROM order_approvals a WHERE {where}", *wanted) if count else None
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR) for row in rows], request, total)


async def approver(member_id: uuid.UUID, company_id: uuid.UUID) -> db.Record | None:
    """The role and the account of a member who joined; None for who is none any more."""
    return await db.fetchrow(
        """
        SELECT m.customer_id, m.role, m.email, k.password_hash
        FROM company_members m JOIN customers k ON k.id = m.customer_id AND k.is_active
        WHERE m.id = $1 AND m.company_id = $2
        """,
        member_id,
        company_id,
    )


async def was_asked_anew(approval_id: uuid.UUID) -> bool:
    """Whether there is a newer one of the same cart."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM order_approvals a JOIN order_approvals newer ON newer.cart_id = a.cart_id AND newer.id > a.id
            WHERE a.id = $1
        )
        """,
        approval_id,
    )
    return found


async def approvers_of(approval_id: uuid.UUID) -> list[db.Record]:
    """Id and address of the company's approvers, but for whoever asks."""
    return await db.fetch(
        """
        SELECT m.id, m.email FROM order_approvals a
        JOIN company_members m ON m.company_id = a.company_id AND m.role = 'APPROVER' AND m.customer_id <> a.customer_id
        WHERE a.id = $1 ORDER BY m.id
        """,
        approval_id,
    )

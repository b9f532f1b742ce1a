"""Reading companies and their members."""

import uuid
from collections.abc import Sequence

from app import db
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

CURSOR = "companies"
# What is owed: see `app.payments.credit.owed_by`.
_COMPANIES = """
    SELECT c.*, (
        SELECT coalesce(sum(p.amount_minor - p.captured_minor), 0)::bigint
        FROM payments p JOIN orders o ON o.id = p.order_id
        WHERE o.company_id = c.id AND p.gateway = 'purchase_order' AND p.state = 'PENDING'
          AND p.currency_code = c.currency_code
    ) AS owed_minor, (
        SELECT json_agg(json_build_object(
            'id', m.id, 'customer_id', m.customer_id, 'email', m.email, 'joined_at', m.joined_at,
            'spending_limit_minor', m.spending_limit_minor, 'role', m.role) ORDER BY m.id)
        FROM company_members m WHERE m.company_id = c.id
    ) AS members
    FROM companies c
"""


async def by_ids(company_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch(f"{_COMPANIES} WHERE c.id = ANY($1::uuid[])", list(company_ids))
    return {row["id"]: row for row in rows}


async def of_customer(customer_id: uuid.UUID) -> list[db.Record]:
    """For which an account buys, with its own limit, by name."""
    return await db.fetch(
        """
        SELECT c.id, c.name, c.tax_id, c.currency_code, c.payment_terms_days, c.approval_threshold_minor,
               m.spending_limit_minor, m.role
        FROM company_members m JOIN companies c ON c.id = m.company_id WHERE m.customer_id = $1 ORDER BY c.name, c.id
        """,
        customer_id,
    )


async def page(request: PageRequest, *, count: bool) -> PageResult[db.Record]:
    """Newest first."""
    rows = await db.fetch(
        f"{_COMPANIES} WHERE $1::uuid IS NULL OR c.id < $1 ORDER BY c.id DESC LIMIT $2",
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval("SELECT count(*) FROM companies") if count else None
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR) for row in rows], request, total)

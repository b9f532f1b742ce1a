"""Who buys for a company."""

import uuid

from app import db
from app.errors import not_found


async def remove(member_id: uuid.UUID) -> uuid.UUID:
    """Take somebody out, or an invitation back. Returns the company's id. Raises DomainError(NOT_FOUND)."""
    company_id: uuid.UUID | None = await db.fetchval(
        "DELETE FROM company_members WHERE id = $1 RETURNING company_id", member_id
    )
    if company_id is None:
        raise not_found("member", ["id"])
    return company_id

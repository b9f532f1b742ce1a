"""Who buys for a company."""

import uuid
from typing import TypedDict

from app import db
from app.companies.models import MemberRole
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.money import Money


class MemberGiven(TypedDict, total=False):
    """What is given changes."""

    role: MemberRole
    spending_limit: Money | None
    """None for no limit."""


async def check_limit(company_id: uuid.UUID, limit: Money | None) -> None:
    """In the open unit of work, with the company's row locked until it ends, so that its currency stays.

    Raises DomainError: NOT_FOUND, OUT_OF_RANGE; INVALID for another currency than the company's.
    """
    currency = await db.fetchval("SELECT currency_code FROM companies WHERE id = $1 FOR NO KEY UPDATE", company_id)
    if currency is None:
        raise not_found("company", ["input", "companyId"])
    if limit is not None and limit.amount_minor < 0:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "A limit is not below zero.", ["input", "spendingLimit"])
    if limit is not None and limit.currency != currency:
        message = f"The company's limits are in {currency}."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "spendingLimit"])


async def update(member_id: uuid.UUID, given: MemberGiven) -> uuid.UUID:
    """Returns the company's id. Raises DomainError: NOT_FOUND, and see `check_limit`."""
    company_id: uuid.UUID | None = await db.fetchval("SELECT company_id FROM company_members WHERE id = $1", member_id)
    if company_id is None:
        raise not_found("member", ["id"])
    limit = given.get("spending_limit")
    async with db.unit_of_work():
        await check_limit(company_id, limit)
        changed = await db.execute(
            """
            UPDATE company_members
            SET role = coalesce($2, role), spending_limit_minor = CASE WHEN $3 THEN $4 ELSE spending_limit_minor END
            WHERE id = $1
            """,
            member_id,
            given["role"].value if "role" in given else None,
            "spending_limit" in given,
            limit.amount_minor if limit else None,
        )
        if not changed:
            raise not_found("member", ["id"])
    return company_id


async def remove(member_id: uuid.UUID) -> uuid.UUID:
    """Take somebody out, or an invitation back. Returns the company's id. Raises DomainError(NOT_FOUND)."""
    company_id: uuid.UUID | None = await db.fetchval(
        "DELETE FROM company_members WHERE id = $1 RETURNING company_id", member_id
    )
    if company_id is None:
        raise not_found("member", ["id"])
    return company_id

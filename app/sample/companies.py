"""The sample shop's business customer: a café that buys on account, with a buyer who may not order for much alone."""

import uuid

from app import db
from app.companies import service
from app.companies.models import MemberRole
from app.customers import identification
from app.kit.ids import new_id
from app.kit.money import Money
from app.sessions import passwords

BUYER_EMAIL, APPROVER_EMAIL = "buyer@harborcafe.example", "manager@harborcafe.example"
PASSWORD = "tradewind-dev"  # noqa: S105 - known to everybody, for development alone


async def make_company() -> None:
    """In the open unit of work."""
    company_id = await service.create(
        {
            "name": "Harbor Café",
            "payment_terms_days": 30,
            "credit_limit": Money(2_000_00, "USD"),
            "approval_threshold": Money(250_00, "USD"),
        }
    )
    password_hash = await passwords.hash_password(PASSWORD)
    buyer = await _account(BUYER_EMAIL, "Bo", password_hash)
    await _join(company_id, buyer, BUYER_EMAIL, MemberRole.BUYER, spending_limit_minor=100_00)
    manager = await _account(APPROVER_EMAIL, "Mar", password_hash)
    await _join(company_id, manager, APPROVER_EMAIL, MemberRole.APPROVER, spending_limit_minor=None)


async def _account(email: str, first_name: str, password_hash: str) -> uuid.UUID:
    """One whose address is verified; nobody is mailed."""
    customer_id = new_id()
    profile_id = await identification.identify(email=email, source="ACCOUNT")
    await db.execute(
        """
        INSERT INTO customers (id, email, email_verified_at, profile_id, password_hash, first_name, last_name,
                               is_active, created_at, updated_at)
        VALUES ($1, $2, clock_timestamp(), $3, $4, $5, 'Harbor', true, clock_timestamp(), clock_timestamp())
        """,
        customer_id,
        email,
        profile_id,
        password_hash,
        first_name,
    )
    return customer_id


async def _join(
    company_id: uuid.UUID, customer_id: uuid.UUID, email: str, role: MemberRole, *, spending_limit_minor: int | None
) -> None:
    await db.execute(
        """
        INSERT INTO company_members (id, company_id, customer_id, email, spending_limit_minor, role, joined_at,
                                     created_at)
        VALUES ($1, $2, $3, $4, $5, $6, business_now(), business_now())
        """,
        new_id(),
        company_id,
        customer_id,
        email,
        spending_limit_minor,
        role.value,
    )

"""That somebody may order for a company is asked once more in the transaction that claims the cart."""

import uuid
from dataclasses import replace

import pytest

from app import db
from app.companies.errors import CompanyErrorCode
from app.companies.ordering import NotAllowed, Permit
from app.errors import ErrorCode
from app.kit.ids import new_id
from app.kit.money import Money
from tests.factories import accounts, companies

pytestmark = pytest.mark.usefixtures("clean_database")


async def a_permit(*, spending_limit_minor: int | None = None, approved: bool = False) -> Permit:
    """For 60.00. `approved`: the company wants to be asked from 50.00 on, and somebody has said yes."""
    company_id = await companies.company(approval_threshold_minor=5_000 if approved else None)
    buyer = await accounts.signed_in()
    await companies.member(company_id, buyer.id, spending_limit_minor=spending_limit_minor)
    return Permit(
        company_id=company_id,
        customer_id=buyer.id,
        total=Money(6_000, "USD"),
        at=["input", "cartId"],
        approval_id=await companies.approval(company_id, buyer.id, state="APPROVED") if approved else None,
    )


async def taken(permit: Permit, attempt_id: uuid.UUID | None = None) -> ErrorCode | None:
    """The refusal, if there is one; what was written then is taken back."""
    try:
        async with db.unit_of_work():
            await permit.take(attempt_id or new_id())
    except NotAllowed as refused:
        (problem,) = refused.problems
        return problem.code
    return None


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        ("DELETE FROM company_members", CompanyErrorCode.NOT_A_MEMBER),
        ("UPDATE company_members SET spending_limit_minor = 5999", CompanyErrorCode.SPENDING_LIMIT_EXCEEDED),
        ("UPDATE companies SET approval_threshold_minor = 5999", CompanyErrorCode.APPROVAL_REQUIRED),
        ("UPDATE companies SET approval_threshold_minor = 6000", None),
    ],
)
async def test_what_staff_change_meanwhile_counts(meanwhile: str, code: CompanyErrorCode | None) -> None:
    permit = await a_permit()
    assert await taken(permit) is None
    await db.execute(meanwhile)
    assert await taken(permit) is code


@pytest.mark.parametrize(
    "meanwhile",
    [
        "UPDATE order_approvals SET state = 'CANCELLED'",
        "UPDATE order_approvals SET state = 'EXPIRED'",
        "UPDATE order_approvals SET expires_at = business_now()",
        "DELETE FROM order_approvals",
    ],
)
async def test_an_approval_that_is_gone_meanwhile_allows_nothing(meanwhile: str) -> None:
    permit, attempt_id = await a_permit(approved=True), new_id()
    assert await taken(permit, attempt_id) is None
    assert await db.fetchval("SELECT attempt_id FROM order_approvals") == attempt_id
    await db.execute(meanwhile)
    assert await taken(permit) is CompanyErrorCode.APPROVAL_REQUIRED


async def test_an_approval_is_of_one_company_and_one_buyer() -> None:
    permit, other = await a_permit(approved=True), await a_permit(approved=True)
    colleague = await accounts.signed_in()
    await companies.member(permit.company_id, colleague.id)
    for stranger in (replace(permit, customer_id=colleague.id), replace(permit, approval_id=other.approval_id)):
        assert await taken(stranger) is CompanyErrorCode.APPROVAL_REQUIRED
    assert await db.fetchval("SELECT count(*) FROM order_approvals WHERE attempt_id IS NOT NULL") == 0

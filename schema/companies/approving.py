"""Asking for approvals, and deciding on them: buyers, approvers and staff, each what is theirs."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app import db, rate_limit
from app.companies import approval_queries, approvals
from app.companies.approvals import Decider
from app.companies.models import ApprovalState
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from schema.access import CUSTOMER, PUBLIC, STAFF, mutation, query
from schema.checkout.inputs import cart_key
from schema.companies.approvals import APPROVAL_PREFIX, OrderApproval, OrderApprovalPayload
from schema.companies.types import COMPANY_PREFIX
from schema.connections import After, Connection, First
from schema.context import Info
from schema.money import MoneyInput
from schema.nodes import Node, node_loader
from schema.selection import Selection

UNSET = strawberry.UNSET
MAX_REQUESTS = 20
"""Approvals that one account asks for in an hour: each is a mail to every approver."""
ApprovalId = Annotated[strawberry.ID, strawberry.argument(description="Id of the approval.")]
Comment = Annotated[
    str | None, strawberry.argument(description="For whoever asked, and on the order; up to 2,000 characters.")
]


@strawberry.input(description="What a buyer asks their company's approvers for.")
class OrderApprovalRequestInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart, which is bought for a company.")
    maximum_total: MoneyInput | None = strawberry.field(
        default=UNSET,
        description="What the order may come to with shipping and taxes, in the cart's currency; left out, what the "
        "cart and its checkout come to now.",
    )
    message: str | None = strawberry.field(default=UNSET, description="Why, up to 2,000 characters.")


OfCompany = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this company.")]
InState = Annotated[ApprovalState | None, strawberry.argument(description="Only those that stand so.")]


@strawberry.type
class OrderApprovalQueries:
    @query(access=STAFF(Permission.COMPANIES_READ), description="Approvals of all companies, the newest first.")
    async def order_approvals(
        self,
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        company_id: OfCompany = UNSET,
        state: InState = UNSET,
    ) -> Connection[OrderApproval]:
        return await _page(info, viewer_id=None, first=first, after=after, company_id=company_id, state=state)

    @query(
        access=CUSTOMER,
        description="Approvals, the newest first: all of a company for its approvers, and for its other members those "
        "that they asked for.",
    )
    async def my_order_approvals(
        self,
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        company_id: OfCompany = UNSET,
        state: InState = UNSET,
    ) -> Connection[OrderApproval]:
        customer = info.context.customer
        if customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        return await _page(info, viewer_id=customer.id, first=first, after=after, company_id=company_id, state=state)


async def _page(
    info: Info,
    *,
    viewer_id: uuid.UUID | None,
    first: int | None,
    after: str | None,
    company_id: str | None,
    state: ApprovalState | None,
) -> Connection[OrderApproval]:
    page = await approval_queries.page(
        page_request(None if first is UNSET else first, after or None, order=approval_queries.CURSOR),
        viewer_id=viewer_id,
        company_id=ids.decode(COMPANY_PREFIX, company_id, ["companyId"]) if company_id else None,
        state=state or None,
        count="totalCount" in Selection.of(info),
    )
    return Connection[OrderApproval].of(page, [OrderApproval.of(row) for row in page.items])


@strawberry.type
class OrderApprovalMutations:
    @mutation(
        access=CUSTOMER,
        description="Ask the company's approvers to let one order the cart, where it comes to more than one may order "
        "for by oneself. They are written to. Of the same cart, what was asked for before is void.",
    )
    async def order_approval_request(
        self, info: Info, input: Annotated[OrderApprovalRequestInput, strawberry.argument(description="For what.")]
    ) -> OrderApprovalPayload:
        key, customer, most = cart_key(input.cart_id, ["input", "cartId"]), info.context.customer, input.maximum_total
        if customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        await rate_limit.allow("order_approval_requests", str(customer.id), limit=MAX_REQUESTS, window_seconds=3600)
        approval_id = await approvals.request(
            key,
            customer,
            maximum=most.parsed(["input", "maximumTotal", "amount"]) if most else None,
            message=input.message or None,
        )
        return await _payload(info, approval_id)

    @mutation(
        access=CUSTOMER, description="Take back what one has asked for, or been allowed. Nothing is ordered by it then."
    )
    async def order_approval_cancel(self, info: Info, id: ApprovalId) -> OrderApprovalPayload:
        approval_id, customer = ids.decode(APPROVAL_PREFIX, id, ["id"]), info.context.customer
        if customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        await approvals.cancel(approval_id, customer.id)
        return await _payload(info, approval_id)

    @mutation(
        access=PUBLIC,
        description="Let somebody order what they ask for, for a time: an approver of the company, signed in, or "
        "staff. Nobody decides on what they ask for themselves.",
    )
    async def order_approval_approve(
        self, info: Info, id: ApprovalId, comment: Comment = UNSET
    ) -> OrderApprovalPayload:
        return await _decide(info, id, ApprovalState.APPROVED, comment)

    @mutation(
        access=PUBLIC, description="Say no to what somebody asks for: an approver of the company, signed in, or staff."
    )
    async def order_approval_reject(self, info: Info, id: ApprovalId, comment: Comment = UNSET) -> OrderApprovalPayload:
        return await _decide(info, id, ApprovalState.REJECTED, comment)


async def _decide(info: Info, text: str, decision: ApprovalState, comment: str | None) -> OrderApprovalPayload:
    customer, staff = info.context.customer, info.context.staff
    by_staff = staff if _may(info, Permission.COMPANIES_WRITE) else None
    if customer is None and by_staff is None:
        if staff is not None:
            raise DomainError(CommonErrorCode.FORBIDDEN, f"This needs the permission {Permission.COMPANIES_WRITE}.")
        raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
    approval_id = ids.decode(APPROVAL_PREFIX, text, ["id"])
    await approvals.decide(approval_id, Decider(customer.id if customer else None, by_staff), decision, comment or None)
    return await _payload(info, approval_id)


def _may(info: Info, permission: Permission) -> bool:
    staff = info.context.staff
    return staff is not None and staff.may(permission)


async def _seen(info: Info, approval_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    customer = info.context.customer
    if _may(info, Permission.COMPANIES_READ):
        return await approval_queries.by_ids(approval_ids)
    return await approval_queries.seen_by(customer.id, approval_ids) if customer else {}


async def _payload(info: Info, approval_id: uuid.UUID) -> OrderApprovalPayload:
    row = (await _seen(info, [approval_id])).get(approval_id)
    return OrderApprovalPayload(order_approval=OrderApproval.of(row) if row else None)


@node_loader(APPROVAL_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(APPROVAL_PREFIX, text, ["id"]) for text in texts]
    rows = await _seen(info, wanted)
    return [OrderApproval.of(rows[one]) if one in rows else None for one in wanted]

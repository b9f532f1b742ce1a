"""Companies: kept by staff, joined by their members, chosen for a cart."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.companies import buying, invitations, members, queries, service
from app.companies.members import MemberGiven
from app.companies.models import MemberRole
from app.companies.service import CompanyGiven
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from schema.access import CUSTOMER, STAFF, mutation, query
from schema.addresses import AddressInput
from schema.cart.inputs import cart_key
from schema.cart.operations import CartId, answered, wanted_cart
from schema.cart.types import CartPayload
from schema.companies.types import (
    COMPANY_PREFIX,
    MEMBER_PREFIX,
    Company,
    CompanyInvitationAcceptPayload,
    CompanyPayload,
    OwnCompany,
)
from schema.connections import Connection
from schema.context import Info
from schema.money import MoneyInput
from schema.nodes import Node, node_loader
from schema.selection import Selection

UNSET = strawberry.UNSET
_READ, _WRITE = STAFF(Permission.COMPANIES_READ), STAFF(Permission.COMPANIES_WRITE)
CompanyId = Annotated[strawberry.ID, strawberry.argument(description="Id of the company.")]


@strawberry.input(description="A company. In an update, what is left out stays as it is; null takes it away.")
class CompanyInput:
    name: str | None = strawberry.field(default=UNSET, description="Needed in a new one.")
    tax_id: str | None = strawberry.field(default=UNSET, description="Its VAT number or the like; it is checked.")
    address: AddressInput | None = strawberry.field(default=UNSET, description="Where it is.")
    payment_terms_days: int | None = strawberry.field(
        default=UNSET, description="Days to pay an order on account, up to 365; null, it does not buy on account."
    )
    credit_limit: MoneyInput | None = strawberry.field(
        default=UNSET, description="What it may owe at once, in one currency; null for no limit."
    )
    approval_threshold: MoneyInput | None = strawberry.field(
        default=UNSET,
        description="What an order may come to before an approver other than the buyer has to approve, in the same "
        "currency; null for any.",
    )
    price_list_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="Prices that hold for it beside the market's; the lowest wins."
    )
    note: str | None = strawberry.field(default=UNSET, description="Staff's own, up to 2,000 characters.")

    def given(self) -> CompanyGiven:
        """Raises DomainErrors."""
        given = CompanyGiven()
        if self.name is not UNSET:
            given["name"] = self.name
        if self.tax_id is not UNSET:
            given["tax_id"] = self.tax_id
        if self.address is not UNSET:
            given["address"] = self.address.parsed(["input", "address"]) if self.address else None
        if self.payment_terms_days is not UNSET:
            given["payment_terms_days"] = self.payment_terms_days
        if self.credit_limit is not UNSET:
            limit = self.credit_limit
            given["credit_limit"] = limit.parsed(["input", "creditLimit", "amount"]) if limit else None
        if self.approval_threshold is not UNSET:
            above = self.approval_threshold
            given["approval_threshold"] = above.parsed(["input", "approvalThreshold", "amount"]) if above else None
        if self.price_list_id is not UNSET:
            text = self.price_list_id
            given["price_list_id"] = ids.decode("plist", text, ["input", "priceListId"]) if text else None
        if self.note is not UNSET:
            given["note"] = self.note
        return given


@strawberry.input(description="Somebody who shall buy for a company.")
class CompanyMemberInviteInput:
    company_id: strawberry.ID = strawberry.field(description="The company.")
    email: str = strawberry.field(description="Where the link goes; it is good for a week.")
    spending_limit: MoneyInput | None = strawberry.field(
        default=UNSET, description="What one order may come to, in the company's currency; left out, no limit."
    )
    role: MemberRole = strawberry.field(default=MemberRole.BUYER, description="What they shall do for the company.")


@strawberry.input(description="What changes of a member. What is left out stays as it is.")
class CompanyMemberInput:
    role: MemberRole | None = strawberry.field(default=UNSET, description="What they do for the company.")
    spending_limit: MoneyInput | None = strawberry.field(
        default=UNSET, description="What one order may come to, in the company's currency; null for no limit."
    )

    def given(self) -> MemberGiven:
        """Raises DomainError."""
        given = MemberGiven()
        if self.role:
            given["role"] = self.role
        if self.spending_limit is not UNSET:
            limit = self.spending_limit
            given["spending_limit"] = limit.parsed(["input", "spendingLimit", "amount"]) if limit else None
        return given


@strawberry.type
class CompanyQueries:
    @query(access=_READ, description="Companies, the newest first.")
    async def companies(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = UNSET,
    ) -> Connection[Company]:
        page = await queries.page(
            page_request(None if first is UNSET else first, after or None, order=queries.CURSOR),
            count="totalCount" in Selection.of(info),
        )
        return Connection[Company].of(page, [Company.of(row) for row in page.items])

    @query(access=_READ, description="One company; null when there is none.")
    async def company(self, info: Info, id: CompanyId) -> Company | None:
        return await _find(ids.decode(COMPANY_PREFIX, id, ["id"]))

    @query(access=CUSTOMER, description="The companies that the signed-in customer buys for, by name.")
    async def my_companies(self, info: Info) -> list[OwnCompany]:
        customer = info.context.customer
        return [OwnCompany.of(row) for row in await queries.of_customer(customer.id)] if customer else []


@strawberry.type
class CompanyMutations:
    @mutation(access=_WRITE, description="Make a company.")
    async def company_create(
        self, info: Info, input: Annotated[CompanyInput, strawberry.argument(description="The company.")]
    ) -> CompanyPayload:
        return await _payload(info, await service.create(input.given()))

    @mutation(access=_WRITE, description="Change a company and its terms; orders that were placed stay as they are.")
    async def company_update(
        self,
        info: Info,
        id: CompanyId,
        input: Annotated[CompanyInput, strawberry.argument(description="What changes.")],
    ) -> CompanyPayload:
        company_id = ids.decode(COMPANY_PREFIX, id, ["id"])
        await service.update(company_id, input.given())
        return await _payload(info, company_id)

    @mutation(access=_WRITE, description="Mail somebody a link to join a company. Invited again, they get a new one.")
    async def company_member_invite(
        self, info: Info, input: Annotated[CompanyMemberInviteInput, strawberry.argument(description="Whom.")]
    ) -> CompanyPayload:
        company_id = ids.decode(COMPANY_PREFIX, input.company_id, ["input", "companyId"])
        limit = input.spending_limit
        await invitations.invite(
            company_id,
            email=input.email,
            spending_limit=limit.parsed(["input", "spendingLimit", "amount"]) if limit else None,
            role=input.role,
        )
        return await _payload(info, company_id)

    @mutation(
        access=_WRITE,
        description="Change what a member does for a company and may order for, or somebody who is invited will. What "
        "was approved already stays approved.",
    )
    async def company_member_update(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of the member.")],
        input: Annotated[CompanyMemberInput, strawberry.argument(description="What changes.")],
    ) -> CompanyPayload:
        member_id = ids.decode(MEMBER_PREFIX, id, ["id"])
        return await _payload(info, await members.update(member_id, input.given()))

    @mutation(access=_WRITE, description="Take somebody out of a company, or an invitation back.")
    async def company_member_remove(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the member.")]
    ) -> CompanyPayload:
        return await _payload(info, await members.remove(ids.decode(MEMBER_PREFIX, id, ["id"])))

    @mutation(access=CUSTOMER, description="Join a company by the link that was mailed; it works once.")
    async def company_invitation_accept(
        self, info: Info, token: Annotated[str, strawberry.argument(description="From the link.")]
    ) -> CompanyInvitationAcceptPayload:
        customer = info.context.customer
        if customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        company_id = await invitations.accept(token, customer.id)
        own = [OwnCompany.of(row) for row in await queries.of_customer(customer.id) if row["id"] == company_id]
        return CompanyInvitationAcceptPayload(company=own[0] if own else None)

    @mutation(
        access=CUSTOMER,
        description="Buy a cart for a company, at its prices, with its VAT number and exemptions; or for oneself "
        "again. Who completes its checkout has to be signed in as a member, within their limit or with an approval.",
    )
    async def cart_company_update(
        self,
        info: Info,
        cart_id: CartId,
        company_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="One of `myCompanies`; left out or null, none.")
        ] = UNSET,
    ) -> CartPayload:
        view, key, customer = wanted_cart(info), cart_key(cart_id), info.context.customer
        if customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        chosen = ids.decode(COMPANY_PREFIX, company_id, ["companyId"]) if company_id else None
        return await answered(info, view, await buying.choose(key, customer, chosen))


async def _find(company_id: uuid.UUID) -> Company | None:
    row = (await queries.by_ids([company_id])).get(company_id)
    return Company.of(row) if row else None


def _may_read(info: Info) -> bool:
    staff = info.context.staff
    return staff is not None and staff.may(Permission.COMPANIES_READ)


async def _payload(info: Info, company_id: uuid.UUID) -> CompanyPayload:
    """To change a company is not to read it."""
    return CompanyPayload(company=await _find(company_id) if _may_read(info) else None)


@node_loader(COMPANY_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(COMPANY_PREFIX, text, ["id"]) for text in texts]
    rows = await queries.by_ids(wanted) if _may_read(info) else {}
    return [Company.of(rows[company_id]) if company_id in rows else None for company_id in wanted]

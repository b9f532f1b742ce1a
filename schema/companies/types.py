"""Companies as clients see them."""

import datetime as dt
import uuid
from typing import Any

import orjson
import strawberry

from app import db
from app.addresses.postal import PostalAddress
from app.companies.models import MemberRole
from app.kit import ids
from schema.addresses import Address
from schema.enums import describe_enum
from schema.errors import UserError
from schema.money import Money
from schema.nodes import Node

COMPANY_PREFIX, MEMBER_PREFIX = "comp", "cmem"

CompanyMemberRole = describe_enum(
    MemberRole,
    "What somebody does for a company.",
    BUYER="Orders within their limits, and asks for an approval of more.",
    APPROVER="Orders, too, and decides on what other members ask for.",
)


@strawberry.type(description="Somebody who buys for a company, or was invited to.")
class CompanyMember:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    customer_id: strawberry.ID | None = strawberry.field(description="The account; null until they have joined.")
    email: str = strawberry.field(description="Where the invitation went.")
    role: MemberRole = strawberry.field(description="What they do for the company.")
    spending_limit: Money | None = strawberry.field(
        description="What one order may come to without an approval; null for no limit."
    )
    joined_at: dt.datetime | None = strawberry.field(description="When they joined; null while they are invited.")

    @classmethod
    def of(cls, row: dict[str, Any], currency: str) -> "CompanyMember":
        limit, customer = row["spending_limit_minor"], row["customer_id"]
        return cls(
            id=strawberry.ID(ids.encode(MEMBER_PREFIX, uuid.UUID(row["id"]))),
            customer_id=strawberry.ID(ids.encode("cus", uuid.UUID(customer))) if customer else None,
            email=row["email"],
            role=MemberRole(row["role"]),
            spending_limit=None if limit is None else Money.of(limit, currency),
            joined_at=dt.datetime.fromisoformat(row["joined_at"]) if row["joined_at"] else None,
        )


@strawberry.type(description="A business that buys on terms of its own. For staff.")
class Company(Node):
    name: str = strawberry.field(description="Its name.")
    tax_id: str | None = strawberry.field(description="Its VAT number or the like.")
    address: Address | None = strawberry.field(description="Where it is.")
    payment_terms_days: int | None = strawberry.field(
        description="Days to pay an order on account; null where it does not buy on account."
    )
    credit_limit: Money | None = strawberry.field(description="What it may owe at once; null for no limit.")
    approval_threshold: Money | None = strawberry.field(
        description="What an order may come to before an approver other than the buyer has to approve; null for any."
    )
    owed: Money = strawberry.field(description="What its orders on account have not been paid yet.")
    price_list_id: strawberry.ID | None = strawberry.field(description="Prices that hold for it beside the others.")
    note: str | None = strawberry.field(description="Staff's own.")
    members: list[CompanyMember] = strawberry.field(description="Who buys for it, and who was invited to.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def of(cls, row: db.Record) -> "Company":
        currency, limit, threshold = row["currency_code"], row["credit_limit_minor"], row["approval_threshold_minor"]
        return cls(
            id=strawberry.ID(ids.encode(COMPANY_PREFIX, row["id"])),
            name=row["name"],
            tax_id=row["tax_id"],
            address=Address.of(PostalAddress.from_json(orjson.loads(row["address"]))) if row["address"] else None,
            payment_terms_days=row["payment_terms_days"],
            credit_limit=None if limit is None else Money.of(limit, currency),
            approval_threshold=None if threshold is None else Money.of(threshold, currency),
            owed=Money.of(row["owed_minor"], currency),
            price_list_id=strawberry.ID(ids.encode("plist", row["price_list_id"])) if row["price_list_id"] else None,
            note=row["note"],
            members=[CompanyMember.of(one, currency) for one in orjson.loads(row["members"] or "[]")],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


@strawberry.type(description="A company that the signed-in customer buys for.")
class OwnCompany:
    id: strawberry.ID = strawberry.field(description="For `cartCompanyUpdate`.")
    name: str = strawberry.field(description="Its name.")
    tax_id: str | None = strawberry.field(description="Its VAT number or the like.")
    buys_on_account: bool = strawberry.field(description="Whether PURCHASE_ORDER is a way to pay.")
    role: MemberRole = strawberry.field(description="What the customer does for it.")
    spending_limit: Money | None = strawberry.field(
        description="What one order of theirs may come to without an approval; null for no limit."
    )
    approval_threshold: Money | None = strawberry.field(
        description="What any member's order may come to without an approval; null for no limit."
    )

    @classmethod
    def of(cls, row: db.Record) -> "OwnCompany":
        limit, threshold = row["spending_limit_minor"], row["approval_threshold_minor"]
        return cls(
            id=strawberry.ID(ids.encode(COMPANY_PREFIX, row["id"])),
            name=row["name"],
            tax_id=row["tax_id"],
            buys_on_account=row["payment_terms_days"] is not None,
            role=MemberRole(row["role"]),
            spending_limit=None if limit is None else Money.of(limit, row["currency_code"]),
            approval_threshold=None if threshold is None else Money.of(threshold, row["currency_code"]),
        )


@strawberry.type(description="Answer to mutations of companies.")
class CompanyPayload:
    company: Company | None = strawberry.field(
        default=None, description="The company as it is now, for those who may see companies."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `companyInvitationAccept`.")
class CompanyInvitationAcceptPayload:
    company: OwnCompany | None = strawberry.field(default=None, description="The company that one buys for now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")

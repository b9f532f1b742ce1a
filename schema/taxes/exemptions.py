"""Who pays no tax."""

import datetime as dt
import uuid
from typing import Annotated

import strawberry

from app import db
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from app.tax import exemptions
from schema.access import STAFF, mutation, query
from schema.accounts.showing import CUSTOMER_PREFIX
from schema.companies.types import COMPANY_PREFIX
from schema.connections import Connection
from schema.context import Info
from schema.errors import UserError
from schema.scalars import CountryCode
from schema.selection import Selection

EXEMPTION_PREFIX = "texm"
_WRITE = STAFF(Permission.TAXES_WRITE)


@strawberry.type(description="That somebody pays no tax, by a certificate.")
class TaxExemption:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    customer_id: strawberry.ID | None = strawberry.field(
        description="The account that it is for, in what it buys for itself."
    )
    company_id: strawberry.ID | None = strawberry.field(
        description="The company that it is for, in what its members buy for it."
    )
    country_code: CountryCode | None = strawberry.field(description="Where it holds; null for everywhere.")
    province_code: str | None = strawberry.field(description="In which part of the country; null for all of it.")
    certificate_number: str = strawberry.field(description="As the order's tax lines name it.")
    valid_until: dt.date | None = strawberry.field(description="The last day on which it holds, in the shop's time.")
    created_at: dt.datetime = strawberry.field(description="When it was noted.")

    @classmethod
    def of(cls, row: db.Record) -> "TaxExemption":
        customer_id, company_id = row["customer_id"], row["company_id"]
        return cls(
            id=strawberry.ID(ids.encode(EXEMPTION_PREFIX, row["id"])),
            customer_id=None if customer_id is None else strawberry.ID(ids.encode(CUSTOMER_PREFIX, customer_id)),
            company_id=None if company_id is None else strawberry.ID(ids.encode(COMPANY_PREFIX, company_id)),
            country_code=None if row["country_code"] is None else CountryCode(row["country_code"]),
            province_code=row["province_code"],
            certificate_number=row["certificate_number"],
            valid_until=row["valid_until"],
            created_at=row["created_at"],
        )


@strawberry.input(description="A certificate that somebody has shown: of a customer or of a company, one of the two.")
class TaxExemptionInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The account that it is for, in what it buys for itself."
    )
    company_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The company that it is for, in what its members buy for it."
    )
    country_code: CountryCode | None = strawberry.field(
        default=strawberry.UNSET, description="Where it holds; left out or null, everywhere."
    )
    province_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="A state or province of that country, by code or name."
    )
    certificate_number: str = strawberry.field(description="Up to 64 characters; it appears on orders and invoices.")
    valid_until: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description="The last day on which it holds; left out or null, without end."
    )

    def draft(self) -> exemptions.ExemptionDraft:
        """Raises DomainError(INVALID_ID)."""
        return exemptions.ExemptionDraft(
            customer_id=_decoded(CUSTOMER_PREFIX, self.customer_id, "customerId"),
            company_id=_decoded(COMPANY_PREFIX, self.company_id, "companyId"),
            country_code=self.country_code or None,
            province_code=self.province_code or None,
            certificate_number=self.certificate_number,
            valid_until=self.valid_until or None,
        )


def _decoded(prefix: str, text: str | None, name: str) -> uuid.UUID | None:
    return ids.decode(prefix, text, ["input", name]) if text else None


@strawberry.type(description="Answer to `taxExemptionCreate`.")
class TaxExemptionPayload:
    tax_exemption: TaxExemption | None = strawberry.field(default=None, description="The exemption.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `taxExemptionDelete`.")
class TaxExemptionDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the exemption that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class TaxExemptionQueries:
    @query(access=_WRITE, description="Staff: exemptions, the newest first.")
    async def tax_exemptions(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        customer_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only those of this account.")
        ] = strawberry.UNSET,
        company_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only those of this company.")
        ] = strawberry.UNSET,
    ) -> Connection[TaxExemption]:
        page = await exemptions.page(
            page_request(None if first is strawberry.UNSET else first, after or None, order=exemptions.CURSOR),
            customer_id=ids.decode(CUSTOMER_PREFIX, customer_id, ["customerId"]) if customer_id else None,
            company_id=ids.decode(COMPANY_PREFIX, company_id, ["companyId"]) if company_id else None,
            count="totalCount" in Selection.of(info),
        )
        return Connection[TaxExemption].of(page, [TaxExemption.of(row) for row in page.items])


@strawberry.type
class TaxExemptionMutations:
    @mutation(
        access=_WRITE, description="Staff: note that somebody pays no tax. Carts of theirs are taxed anew at once."
    )
    async def tax_exemption_create(
        self, info: Info, input: Annotated[TaxExemptionInput, strawberry.argument(description="The certificate.")]
    ) -> TaxExemptionPayload:
        staff = info.context.staff
        exemption_id = await exemptions.create(input.draft(), created_by=staff.id if staff else None)
        rows = await exemptions.by_ids([exemption_id])
        return TaxExemptionPayload(tax_exemption=next((TaxExemption.of(row) for row in rows), None))

    @mutation(access=_WRITE, description="Staff: end an exemption. Orders keep what they were charged.")
    async def tax_exemption_delete(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of the exemption.")],
    ) -> TaxExemptionDeletePayload:
        await exemptions.delete(ids.decode(EXEMPTION_PREFIX, id, ["id"]))
        return TaxExemptionDeletePayload(deleted_id=id)

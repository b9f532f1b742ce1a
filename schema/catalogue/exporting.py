"""Exporting products, for staff."""

import datetime as dt
from typing import Annotated

import strawberry

from app.catalogue.exporting import service
from app.catalogue.exporting.selecting import ExportFilters
from app.catalogue.exporting.service import ExportFormat
from app.catalogue.models import ProductStatus
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.context import Info
from schema.enums import describe_enum
from schema.jobs import JobPayload, queued

describe_enum(
    ExportFormat,
    "The kind of file that an export makes.",
    SHOPIFY_CSV="Shopify's product CSV, with columns of Tradewind's own for what Shopify's cannot say. "
    "`productsImport` reads it back: into an empty shop the same products, into the same shop no change.",
)


@strawberry.input(description="What to export; without conditions, every product. All conditions have to hold.")
class ProductsExportInput:
    format: ExportFormat = strawberry.field(default=ExportFormat.SHOPIFY_CSV, description="The kind of file.")
    query: str | None = strawberry.field(
        default=strawberry.UNSET, description="Words that all have to be in the name, or the SKU of a variant."
    )
    statuses: list[ProductStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Any of these; left out, drafts and archived products too."
    )
    collection_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Only products of this collection."
    )
    updated_since: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Only products that were changed then or later."
    )

    def filters(self) -> ExportFilters:
        """Raises DomainError(INVALID_ID)."""
        collection_id = self.collection_id or None
        return ExportFilters(
            query=self.query or None,
            statuses=tuple(self.statuses or ()),
            collection_id=collection_id and ids.decode("coll", collection_id, ["input", "collectionId"]),
            updated_since=self.updated_since or None,
        )


@strawberry.type
class ExportMutations:
    @mutation(
        access=STAFF(Permission.PRODUCTS_READ),
        description="Write products to a file, with costs and stock. The job ends with a file that `jobDownloadCreate` "
        "gives an address to, for 24 hours. Texts that a spreadsheet would take for a formula begin with an apostrophe "
        "in it. Three exports can be made at a time.",
    )
    async def products_export(
        self,
        info: Info,
        input: Annotated[ProductsExportInput, strawberry.argument(description="Which products, and the format.")],
    ) -> JobPayload:
        staff = info.context.staff
        job_id = await service.request_export(
            input.filters(), format=input.format, created_by=staff.id if staff else None
        )
        return await queued(job_id)

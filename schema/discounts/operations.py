"""Discounts and their codes, for staff."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.kit import ids
from app.kit.pagination import page_request
from app.promotions import codes, generating, queries, service
from app.promotions.models import DiscountStatus
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import After, Connection, First
from schema.context import Info
from schema.discounts.inputs import DiscountInput, DiscountUpdateInput, change_of
from schema.discounts.types import (
    CODE_PREFIX,
    DISCOUNT_PREFIX,
    Discount,
    DiscountCode,
    DiscountCodesPayload,
    DiscountPayload,
)
from schema.jobs import JobPayload, queued
from schema.nodes import Node, node_loader
from schema.selection import Selection


@strawberry.input(description="Codes that staff choose.")
class DiscountCodesAddInput:
    discount_id: strawberry.ID = strawberry.field(
        description="The discount that they bring; none that applies by itself."
    )
    codes: list[str] = strawberry.field(
        description="Up to 250: letters A to Z, digits, hyphens, dots and underscores, up to 64 characters each."
    )
    usage_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many orders can use each of them; left out, any number."
    )


@strawberry.input(description="Codes that are drawn by lot.")
class DiscountCodesGenerateInput:
    discount_id: strawberry.ID = strawberry.field(
        description="The discount that they bring; none that applies by itself."
    )
    count: int = strawberry.field(description="How many, up to 100,000.")
    prefix: str | None = strawberry.field(default=strawberry.UNSET, description="What each begins with: `SPRING-`.")
    length: int = strawberry.field(
        default=generating.USUAL_LENGTH, description="Letters and digits that are drawn behind it, from 8 to 32."
    )
    usage_limit: int | None = strawberry.field(
        default=1, description="How many orders can use each of them; null for any number."
    )


async def _shown(discount_id: uuid.UUID) -> Discount:
    return Discount.of((await queries.discounts_by_ids([discount_id]))[discount_id])


async def _codes_shown(code_ids: Sequence[uuid.UUID]) -> DiscountCodesPayload:
    found = await queries.codes_by_ids(code_ids)
    return DiscountCodesPayload(codes=[DiscountCode.of(found[one]) for one in code_ids])


@strawberry.type
class DiscountQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="Discounts, newest first.")
    async def discounts(  # noqa: PLR0917 - these are the field's arguments
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: Annotated[
            DiscountStatus | None, strawberry.argument(description="Only those with this status.")
        ] = strawberry.UNSET,
        automatic: Annotated[
            bool | None, strawberry.argument(description="Only those that apply by themselves, or only those by code.")
        ] = strawberry.UNSET,
        name: Annotated[
            str | None, strawberry.argument(description="Only those with this in their names, in any case.")
        ] = strawberry.UNSET,
    ) -> Connection[Discount]:
        request = page_request(
            None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR_DISCOUNTS
        )
        page = await queries.discounts_page(
            request,
            status=status or None,
            automatic=None if automatic is strawberry.UNSET else automatic,
            name=name or None,
            count="totalCount" in Selection.of(info),
        )
        return Connection[Discount].of(page, [Discount.of(row) for row in page.items])

    @query(
        access=STAFF(Permission.MARKETING_READ),
        description="Codes of discounts, newest first: those that staff chose, and the coupons that were issued.",
    )
    async def discount_codes(  # noqa: PLR0917 - these are the field's arguments
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        discount_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only codes of this discount.")
        ] = strawberry.UNSET,
        profile_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only coupons of this person.")
        ] = strawberry.UNSET,
        code: Annotated[
            str | None, strawberry.argument(description="What the code begins with, in any case.")
        ] = strawberry.UNSET,
        job_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only codes that this job has drawn.")
        ] = strawberry.UNSET,
        used: Annotated[
            bool | None,
            strawberry.argument(description="Only codes that orders have used, or only those that none has."),
        ] = strawberry.UNSET,
    ) -> Connection[DiscountCode]:
        page = await queries.codes_page(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR_CODES),
            discount_id=ids.decode(DISCOUNT_PREFIX, discount_id, ["discountId"]) if discount_id else None,
            profile_id=ids.decode("prof", profile_id, ["profileId"]) if profile_id else None,
            code=code or None,
            job_id=ids.decode("job", job_id, ["jobId"]) if job_id else None,
            used=None if used is strawberry.UNSET else used,
            count="totalCount" in Selection.of(info),
        )
        return Connection[DiscountCode].of(page, [DiscountCode.of(row) for row in page.items])


DiscountId = Annotated[strawberry.ID, strawberry.argument(description="Id of the discount.")]
CodeIds = Annotated[list[strawberry.ID], strawberry.argument(description="Ids of codes, up to 250.")]


@strawberry.type
class DiscountMutations:
    @mutation(access=STAFF(Permission.DISCOUNTS_WRITE), description="Make a discount. It counts from `startsAt` on.")
    async def discount_create(
        self, input: Annotated[DiscountInput, strawberry.argument(description="Its terms.")]
    ) -> DiscountPayload:
        code = None if input.code is strawberry.UNSET else input.code
        automatic = None if input.automatic is strawberry.UNSET else input.automatic
        made = await service.create_discount(change_of(input), code, automatic=automatic)
        return DiscountPayload(discount=await _shown(made))

    @mutation(
        access=STAFF(Permission.DISCOUNTS_WRITE),
        description="Change a discount's terms. Orders keep what they were placed with; open carts get the new terms.",
    )
    async def discount_update(
        self,
        id: DiscountId,
        input: Annotated[DiscountUpdateInput, strawberry.argument(description="What changes.")],
    ) -> DiscountPayload:
        discount_id = ids.decode(DISCOUNT_PREFIX, id, ["id"])
        await service.update_discount(discount_id, change_of(input))
        return DiscountPayload(discount=await _shown(discount_id))

    @mutation(
        access=STAFF(Permission.DISCOUNTS_WRITE),
        description="Switch a discount off, with all its codes. Checkouts that are being paid at this moment keep it.",
    )
    async def discount_disable(self, id: DiscountId) -> DiscountPayload:
        discount_id = ids.decode(DISCOUNT_PREFIX, id, ["id"])
        await service.switch_discount(discount_id, on=False)
        return DiscountPayload(discount=await _shown(discount_id))

    @mutation(access=STAFF(Permission.DISCOUNTS_WRITE), description="Switch a discount on again.")
    async def discount_enable(self, id: DiscountId) -> DiscountPayload:
        discount_id = ids.decode(DISCOUNT_PREFIX, id, ["id"])
        await service.switch_discount(discount_id, on=True)
        return DiscountPayload(discount=await _shown(discount_id))

    @mutation(
        access=STAFF(Permission.DISCOUNTS_WRITE),
        description="Add codes to a discount, all of them or none. Each brings the same discount, once for an order.",
    )
    async def discount_codes_add(
        self, input: Annotated[DiscountCodesAddInput, strawberry.argument(description="The codes.")]
    ) -> DiscountCodesPayload:
        discount_id = ids.decode(DISCOUNT_PREFIX, input.discount_id, ["input", "discountId"])
        limit = None if input.usage_limit is strawberry.UNSET else input.usage_limit
        return await _codes_shown(await codes.add_codes(discount_id, input.codes, limit))

    @mutation(
        access=STAFF(Permission.DISCOUNTS_WRITE),
        description="Draw codes by lot, for one use each unless told otherwise. The job leaves them as a file for "
        "`jobDownloadCreate`, for a day; `discountCodes(jobId:)` lists them as long as they are there.",
    )
    async def discount_codes_generate(
        self,
        info: Info,
        input: Annotated[
            DiscountCodesGenerateInput, strawberry.argument(description="How many, and what they are like.")
        ],
    ) -> JobPayload:
        staff = info.context.staff
        job_id = await generating.request_codes(
            ids.decode(DISCOUNT_PREFIX, input.discount_id, ["input", "discountId"]),
            count=input.count,
            prefix=input.prefix or None,
            length=input.length,
            usage_limit=input.usage_limit,
            created_by=staff.id if staff else None,
        )
        return await queued(job_id)

    @mutation(
        access=STAFF(Permission.DISCOUNTS_WRITE),
        description="Switch codes off, all of them or none. Checkouts that are being paid at this moment keep theirs.",
    )
    async def discount_codes_disable(self, ids: CodeIds) -> DiscountCodesPayload:
        return await _switched(ids, on=False)

    @mutation(access=STAFF(Permission.DISCOUNTS_WRITE), description="Switch codes on again, all of them or none.")
    async def discount_codes_enable(self, ids: CodeIds) -> DiscountCodesPayload:
        return await _switched(ids, on=True)


async def _switched(texts: Sequence[str], *, on: bool) -> DiscountCodesPayload:
    code_ids = [ids.decode(CODE_PREFIX, text, ["ids", place]) for place, text in enumerate(texts)]
    await codes.switch_codes(code_ids, on=on)
    return await _codes_shown(code_ids)


def _may_see(info: Info) -> bool:
    staff = info.context.staff
    return staff is not None and staff.may(Permission.MARKETING_READ)


@node_loader(DISCOUNT_PREFIX)
async def _discounts(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(DISCOUNT_PREFIX, text, ["id"]) for text in texts]
    found = await queries.discounts_by_ids(wanted) if _may_see(info) else {}
    return [Discount.of(found[one]) if one in found else None for one in wanted]


@node_loader(CODE_PREFIX)
async def _codes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(CODE_PREFIX, text, ["id"]) for text in texts]
    found = await queries.codes_by_ids(wanted) if _may_see(info) else {}
    return [DiscountCode.of(found[one]) if one in found else None for one in wanted]

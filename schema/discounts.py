"""Discounts and their codes, for staff."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app import db
from app.kit import ids
from app.kit.pagination import page_request
from app.promotions import queries, service
from app.promotions.models import DiscountStatus
from app.promotions.service import DiscountChange
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.money import Money, MoneyInput
from schema.nodes import Node, node_loader
from schema.selection import Selection

DISCOUNT_PREFIX, CODE_PREFIX = "disc", "code"

describe_enum(
    DiscountStatus,
    "Whether a discount can be used.",
    ACTIVE="From its beginning to its end, while its limits allow it.",
    DISABLED="Switched off by staff, with all its codes.",
)

First = Annotated[int | None, strawberry.argument(description="Page size, up to 100.")]
After = Annotated[str | None, strawberry.argument(description="Cursor to go on from.")]


@strawberry.type(
    description="Something off the order: a percentage or an amount off the lines, shared out over them. Of the "
    "discounts that apply by themselves a cart gets the best one, and of the codes that were entered the best one on "
    "top of it."
)
class Discount(Node):
    name: str = strawberry.field(description="For shoppers, beside the amount.")
    status: DiscountStatus = strawberry.field(description="Whether it can be used.")
    automatic: bool = strawberry.field(description="Whether it applies by itself; otherwise it takes a code.")
    percentage: Decimal | None = strawberry.field(description="Of 100; null where it is an amount.")
    amount: Money | None = strawberry.field(description="Null where it is a percentage.")
    minimum_subtotal: Money | None = strawberry.field(description="The least that the lines have to cost, if any.")
    usage_limit: int | None = strawberry.field(description="How many orders can have it; null for any number.")
    usage_limit_per_customer: int | None = strawberry.field(
        description="How many orders with the same email (or, without one, phone) can have it; null for any number."
    )
    used_count: int = strawberry.field(description="Orders that have it, and checkouts that are being paid with it.")
    starts_at: dt.datetime | None = strawberry.field(description="From when it counts; null for at once.")
    ends_at: dt.datetime | None = strawberry.field(description="Until when it counts; null for ever.")
    issued: bool = strawberry.field(description="Whether a flow or a referral made it, for the coupons it gives out.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When staff last changed it.")

    @classmethod
    def of(cls, row: db.Record) -> "Discount":
        currency = row["currency_code"]

        def money(minor: int | None) -> Money | None:
            return None if minor is None else Money.of(minor, currency)

        return cls(
            id=strawberry.ID(ids.encode(DISCOUNT_PREFIX, row["id"])),
            name=row["name"],
            status=DiscountStatus(row["status"]),
            automatic=row["automatic"],
            percentage=row["percentage"] and row["percentage"].normalize() + 0,
            amount=money(row["amount_minor"]),
            minimum_subtotal=money(row["minimum_subtotal_minor"]),
            usage_limit=row["usage_limit"],
            usage_limit_per_customer=row["usage_limit_per_customer"],
            used_count=row["used_count"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            issued=row["source_key"] is not None,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


@strawberry.type(description="A code of a discount. A coupon is one that belongs to a person and can be used once.")
class DiscountCode(Node):
    code: str = strawberry.field(description="As it was given out; shoppers may type it in any case.")
    discount_id: strawberry.ID = strawberry.field(description="The discount that it brings.")
    profile_id: strawberry.ID | None = strawberry.field(description="The only person who can use it; null for anybody.")
    usage_limit: int | None = strawberry.field(description="How many orders can use it; null for any number.")
    used_count: int = strawberry.field(description="Orders that used it, and checkouts that are being paid with it.")
    ends_at: dt.datetime | None = strawberry.field(description="Until when it counts, if sooner than its discount.")
    created_at: dt.datetime = strawberry.field(description="When it was made or issued.")

    @classmethod
    def of(cls, row: db.Record) -> "DiscountCode":
        return cls(
            id=strawberry.ID(ids.encode(CODE_PREFIX, row["id"])),
            code=row["code"],
            discount_id=strawberry.ID(ids.encode(DISCOUNT_PREFIX, row["discount_id"])),
            profile_id=strawberry.ID(ids.encode("prof", row["profile_id"])) if row["profile_id"] else None,
            usage_limit=row["usage_limit"],
            used_count=row["used_count"],
            ends_at=row["ends_at"],
            created_at=row["created_at"],
        )


@strawberry.input(
    description="Percentage (of 100) or amount off the order, one of the two; without a code it applies by itself."
)
class DiscountInput:
    name: str = strawberry.field(description="For shoppers, up to 120 characters.")
    code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Letters A to Z, digits, hyphens, dots and underscores, up to 64; upper and lower case are the "
        "same. It cannot be changed later.",
    )
    percentage: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="Above 0 and at most 100, with up to four digits after the point."
    )
    amount: MoneyInput | None = strawberry.field(default=strawberry.UNSET, description="In the shop's currency.")
    minimum_subtotal: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="The least that the lines have to cost before any discount."
    )
    usage_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many orders can have it; left out or null, any number."
    )
    usage_limit_per_customer: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many orders with the same email (or, without one, phone) can have it.",
    )
    starts_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="From when it counts.")
    ends_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Until when it counts.")


@strawberry.input(description="What is left out stays as it is; null takes it away.")
class DiscountUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For shoppers, up to 120 characters.")
    percentage: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="Of 100; to change from an amount, give `amount: null` with it."
    )
    amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="In the shop's currency; to change from a percentage, null that."
    )
    minimum_subtotal: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="The least that the lines have to cost before any discount."
    )
    usage_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many orders can have it; not below those that have."
    )
    usage_limit_per_customer: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many orders of one customer can have it."
    )
    starts_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="From when it counts.")
    ends_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Until when it counts.")


@strawberry.type(description="Answer to everything that makes or changes a discount.")
class DiscountPayload:
    discount: Discount | None = strawberry.field(default=None, description="The discount as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def _change_of(input: DiscountInput | DiscountUpdateInput) -> DiscountChange:
    change: Any = {
        name: getattr(input, name)
        for name in DiscountChange.__annotations__
        if getattr(input, name) is not strawberry.UNSET
    }
    for name, field in (("amount", "amount"), ("minimum_subtotal", "minimumSubtotal")):
        if change.get(name) is not None:
            change[name] = change[name].parsed(["input", field, "amount"])
    checked: DiscountChange = change
    return checked


async def _shown(discount_id: Any) -> Discount:
    return Discount.of((await queries.discounts_by_ids([discount_id]))[discount_id])


@strawberry.type
class DiscountQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="Discounts, newest first.")
    async def discounts(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: Annotated[
            DiscountStatus | None, strawberry.argument(description="Only those with this status.")
        ] = strawberry.UNSET,
    ) -> Connection[Discount]:
        request = page_request(
            None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR_DISCOUNTS
        )
        page = await queries.discounts_page(request, status or None, count="totalCount" in Selection.of(info))
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
    ) -> Connection[DiscountCode]:
        page = await queries.codes_page(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR_CODES),
            discount_id=ids.decode(DISCOUNT_PREFIX, discount_id, ["discountId"]) if discount_id else None,
            profile_id=ids.decode("prof", profile_id, ["profileId"]) if profile_id else None,
            code=code or None,
            count="totalCount" in Selection.of(info),
        )
        return Connection[DiscountCode].of(page, [DiscountCode.of(row) for row in page.items])


DiscountId = Annotated[strawberry.ID, strawberry.argument(description="Id of the discount.")]


@strawberry.type
class DiscountMutations:
    @mutation(access=STAFF(Permission.DISCOUNTS_WRITE), description="Make a discount. It counts from `startsAt` on.")
    async def discount_create(
        self, input: Annotated[DiscountInput, strawberry.argument(description="Its terms.")]
    ) -> DiscountPayload:
        code = None if input.code is strawberry.UNSET else input.code
        return DiscountPayload(discount=await _shown(await service.create_discount(_change_of(input), code)))

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
        await service.update_discount(discount_id, _change_of(input))
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

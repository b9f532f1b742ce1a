"""Refer a friend: the program, people's codes, and what came of them."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app import db
from app.customers import links
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.referrals import service
from app.referrals.models import ReferralState
from app.referrals.rules import ReferralRefusal
from app.referrals.service import Program, ProgramChange, Worth
from app.shop import queries as shop
from app.staff.permissions import Permission
from schema.access import PUBLIC, STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.money import Money, MoneyInput
from schema.selection import Selection

_CURSOR_ORDER = "referrals"

describe_enum(
    ReferralState,
    "What came of a referral.",
    PENDING="The friend has ordered and not yet paid.",
    REWARDED="The friend's first order is paid, and the reward issued.",
    REFUSED="There is no reward; `reason` says why.",
)
describe_enum(
    ReferralRefusal,
    "Why a referral brings no reward.",
    SELF_REFERRAL="Friend and referrer share a profile, mailbox, phone number or address.",
    EXISTING_CUSTOMER="The friend had ordered before.",
    ALREADY_REFERRED="The friend came by another referral before.",
    ORDER_CANCELLED="The order was cancelled before it was paid.",
    PROGRAM_ENDED="The program was switched off before the order was paid.",
)


@strawberry.type(description="The terms of refer-a-friend.")
class ReferralProgram:
    enabled: bool = strawberry.field(description="Whether codes work and rewards are issued.")
    friend_percentage: Decimal | None = strawberry.field(description="Off the friend's first order, of 100.")
    friend_amount: Money | None = strawberry.field(description="Off the friend's first order.")
    reward_percentage: Decimal | None = strawberry.field(description="Off an order of who recommended, of 100.")
    reward_amount: Money | None = strawberry.field(description="Off an order of who recommended.")
    reward_valid_days: int = strawberry.field(description="How long the reward's coupon lives.")

    @classmethod
    async def now(cls) -> "ReferralProgram":
        return cls._of(await service.program(), (await shop.current()).currency_code)

    @classmethod
    def _of(cls, program: Program, currency: str) -> "ReferralProgram":
        def percentage(worth: Worth | None) -> Decimal | None:
            return None if worth is None or worth.percentage is None else worth.percentage.normalize() + 0

        def amount(worth: Worth | None) -> Money | None:
            return None if worth is None or worth.amount_minor is None else Money.of(worth.amount_minor, currency)

        return cls(
            enabled=program.enabled,
            friend_percentage=percentage(program.friend),
            friend_amount=amount(program.friend),
            reward_percentage=percentage(program.reward),
            reward_amount=amount(program.reward),
            reward_valid_days=program.reward_valid_days,
        )


@strawberry.type(description="A friend's order that came by somebody's code.")
class Referral:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    referrer_id: strawberry.ID = strawberry.field(description="Who recommended the shop.")
    friend_id: strawberry.ID = strawberry.field(description="Who ordered.")
    order_id: strawberry.ID = strawberry.field(description="The friend's order.")
    state: ReferralState = strawberry.field(description="What came of it.")
    reason: ReferralRefusal | None = strawberry.field(description="Why there is no reward; null otherwise.")
    reward_code: str | None = strawberry.field(description="The reward's coupon.")
    created_at: dt.datetime = strawberry.field(description="When the order came.")
    settled_at: dt.datetime | None = strawberry.field(description="When it was rewarded or refused.")


@strawberry.input(description="All terms at once. A percentage or an amount for each side.")
class ReferralProgramInput:
    enabled: bool = strawberry.field(description="Whether codes work and rewards are issued.")
    friend_percentage: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="Off the friend's first order, of 100."
    )
    friend_amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Off the friend's first order, in the shop's currency."
    )
    reward_percentage: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="Off an order of who recommended, of 100."
    )
    reward_amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Off an order of who recommended, in the shop's currency."
    )
    reward_valid_days: int = strawberry.field(default=90, description="How long the reward's coupon lives.")


@strawberry.type(description="Answer to `referralProgramUpdate`.")
class ReferralProgramPayload:
    program: ReferralProgram | None = strawberry.field(default=None, description="The program as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.input(description="Whose code: one of the two.")
class ReferralCodeInput:
    token: str | None = strawberry.field(
        default=strawberry.UNSET, description="The last part of the preference page's link in one's own mail."
    )
    profile_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="For staff with CUSTOMERS_WRITE."
    )


@strawberry.type(description="Answer to `referralCodeCreate`.")
class ReferralCodePayload:
    code: str | None = strawberry.field(default=None, description="To give to friends, who enter it in their cart.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


_LIST = """
    SELECT r.id, r.friend_profile_id, r.order_id, r.state, r.reason, r.created_at, r.settled_at,
           c.profile_id AS referrer_id, k.code AS reward_code
    FROM referrals r
    JOIN referral_codes c ON c.id = r.referral_code_id
    LEFT JOIN discount_codes k ON k.id = r.reward_code_id
    WHERE ($1::uuid IS NULL OR c.profile_id = $1) AND ($2::uuid IS NULL OR r.id < $2)
    ORDER BY r.id DESC LIMIT $3
"""
_COUNT = """
    SELECT count(*) FROM referrals r JOIN referral_codes c ON c.id = r.referral_code_id
    WHERE $1::uuid IS NULL OR c.profile_id = $1
"""


def _shown(row: db.Record) -> Referral:
    return Referral(
        id=strawberry.ID(ids.encode("referral", row["id"])),
        referrer_id=strawberry.ID(ids.encode("prof", row["referrer_id"])),
        friend_id=strawberry.ID(ids.encode("prof", row["friend_profile_id"])),
        order_id=strawberry.ID(ids.encode("ord", row["order_id"])),
        state=ReferralState(row["state"]),
        reason=ReferralRefusal(row["reason"]) if row["reason"] else None,
        reward_code=row["reward_code"],
        created_at=row["created_at"],
        settled_at=row["settled_at"],
    )


@strawberry.type
class ReferralQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="The terms of refer-a-friend.")
    async def referral_program(self, info: Info) -> ReferralProgram:
        return await ReferralProgram.now()

    @query(access=STAFF(Permission.CUSTOMERS_READ), description="Orders that came by people's codes, newest first.")
    async def referrals(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        referrer_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only those of this person's code.")
        ] = strawberry.UNSET,
    ) -> Connection[Referral]:
        request = page_request(None if first is strawberry.UNSET else first, after or None, order=_CURSOR_ORDER)
        referrer = ids.decode("prof", referrer_id, ["referrerId"]) if referrer_id else None
        rows = await db.fetch(_LIST, referrer, request.cursor_id(), request.fetch_limit)
        total = await db.fetchval(_COUNT, referrer) if "totalCount" in Selection.of(info) else None
        page = page_of(rows, [encode_cursor([row["id"].hex], _CURSOR_ORDER) for row in rows], request, total)
        return Connection[Referral].of(page, [_shown(row) for row in page.items])


@strawberry.type
class ReferralMutations:
    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Set the terms of refer-a-friend. Codes that people have keep working, with the new discount.",
    )
    async def referral_program_update(
        self, info: Info, input: Annotated[ReferralProgramInput, strawberry.argument(description="All terms.")]
    ) -> ReferralProgramPayload:
        await service.update_program(
            ProgramChange(
                enabled=input.enabled,
                friend=_one(input.friend_percentage, input.friend_amount, "friend"),
                reward=_one(input.reward_percentage, input.reward_amount, "reward"),
                reward_valid_days=input.reward_valid_days,
            )
        )
        return ReferralProgramPayload(program=await ReferralProgram.now())

    @mutation(
        access=PUBLIC,
        description="One's own code for friends, the same at every call. Who has a message of the shop asks with its "
        "token, staff for a profile.",
    )
    async def referral_code_create(
        self, info: Info, input: Annotated[ReferralCodeInput, strawberry.argument(description="Whose.")]
    ) -> ReferralCodePayload:
        return ReferralCodePayload(code=await service.code_of(_whose(info, input)))


def _one(percentage: Decimal | None, amount: MoneyInput | None, side: str) -> Any:
    chosen = percentage if isinstance(percentage, Decimal) else None
    money = amount.parsed(["input", f"{side}Amount", "amount"]) if amount else None
    if chosen is not None and money is not None:
        message = "Give a percentage or an amount, one of the two."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", f"{side}Amount"])
    return money if money is not None else chosen


def _whose(info: Info, input: ReferralCodeInput) -> uuid.UUID:
    """Raises DomainError: INVALID, UNAUTHENTICATED, FORBIDDEN."""
    if bool(input.token) == bool(input.profile_id):
        raise DomainError(CommonErrorCode.INVALID, "Give a token or a profileId, one of the two.", ["input"])
    if input.token:
        target = links.read_preferences(input.token)
        if target is None:
            raise DomainError(CommonErrorCode.INVALID, "This is not a link of ours.", ["input", "token"])
        return target.profile_id
    STAFF(Permission.CUSTOMERS_WRITE).check(info)
    return ids.decode("prof", input.profile_id or "", ["input", "profileId"])

"""Campaigns: newsletters and other messages that staff send to many at once."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from app import db
from app.campaigns import queries, service
from app.campaigns.models import CampaignStatus
from app.campaigns.queries import CampaignStatistics
from app.campaigns.service import CampaignChange
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import page_request
from app.shop import queries as shop
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.channels import MessageChannel
from schema.connections import After, Connection, First
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.flows.enums import skip_reason
from schema.flows.types import SkipCount
from schema.inputs import given_fields
from schema.money import Money
from schema.nodes import Node, node_loader
from schema.selection import Selection

PREFIX = "camp"

describe_enum(
    CampaignStatus,
    "How far a campaign is.",
    DRAFT="Being written; nobody gets it.",
    SCHEDULED="Starts by itself at its time.",
    SENDING="Its receivers are settled, and it is going out.",
    PAUSED="Stopped by staff; it can go on.",
    SENT="Everybody was written to or skipped.",
    CANCELLED="Stopped for good.",
)


@strawberry.type(description="What came of a campaign so far.")
class CampaignStats:
    recipients: int = strawberry.field(description="Receivers that are settled.")
    handled: int = strawberry.field(
        description="Receivers that were decided on: a message was reserved, or skipped with a reason."
    )
    waiting: int = strawberry.field(description="Messages that are reserved and not sent yet.")
    sent: int = strawberry.field(description="Messages that their provider took.")
    failed: int = strawberry.field(description="Messages that were not sent, or nobody knows.")
    skipped: list[SkipCount] = strawberry.field(description="Messages not sent on purpose, most frequent reason first.")
    delivered: int = strawberry.field(description="Messages that arrived, as their provider told.")
    bounced: int = strawberry.field(description="Messages that came back for good.")
    complained: int = strawberry.field(description="Messages that were reported as spam.")
    clicked: int = strawberry.field(description="Messages in which a person followed a link.")
    unsubscribed: int = strawberry.field(description="Messages through which consent was withdrawn.")
    orders: int = strawberry.field(description="Orders after a click, by the last click before each.")
    revenue: Money = strawberry.field(description="What these orders came to, in the shop's currency.")

    @classmethod
    def of(cls, found: CampaignStatistics, currency: str) -> "CampaignStats":
        return cls(
            recipients=found.recipients,
            handled=found.handled,
            waiting=found.waiting,
            sent=found.sent,
            failed=found.failed,
            skipped=[SkipCount(reason=skip_reason(reason), count=count) for reason, count in found.skipped.items()],
            delivered=found.delivered,
            bounced=found.bounced,
            complained=found.complained,
            clicked=found.clicked,
            unsubscribed=found.unsubscribed,
            orders=found.orders,
            revenue=Money.of(found.revenue_minor, currency),
        )


@strawberry.type(
    description="A message to everybody who consented, or to a segment: once, now or at a time. Consent, frequency "
    "caps, quiet hours and suppressions count as for flows."
)
class Campaign(Node):
    name: str = strawberry.field(description="For staff, and in `utm_campaign`.")
    status: CampaignStatus = strawberry.field(description="How far it is.")
    channel: MessageChannel = strawberry.field(description="Its template's.")
    template_key: str = strawberry.field(description="The template that it sends; the newest published version.")
    segment_id: strawberry.ID | None = strawberry.field(
        description="Who gets it, as the segment is when it starts; null for everybody who consented."
    )
    send_at: dt.datetime | None = strawberry.field(description="When it goes out; null for a draft.")
    in_local_time: bool = strawberry.field(
        description="Whether it goes out when each receiver's clock shows what the shop's shows at `sendAt`."
    )
    per_minute: int | None = strawberry.field(
        description="How many messages it reserves a minute at most; null for as fast as the provider takes them."
    )
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it last changed.")
    started_at: dt.datetime | None = strawberry.field(description="When it started.")
    finished_at: dt.datetime | None = strawberry.field(description="When it was through, or cancelled.")
    stats: CampaignStats = strawberry.field(description="What came of it so far; read only when asked for.")


@strawberry.input(description="A new campaign.")
class CampaignInput:
    name: str = strawberry.field(description="For staff, up to 120 characters.")
    template_key: str = strawberry.field(
        description="Of a marketing template that speaks of no event. Its channel is the campaign's."
    )
    segment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Who gets it; null or left out for everybody who consented."
    )
    per_minute: int | None = strawberry.field(
        default=strawberry.UNSET, description="Messages a minute at most, 1 to 100,000; null for no limit of its own."
    )


@strawberry.input(description="What is left out stays as it is.")
class CampaignUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For staff, up to 120 characters.")
    template_key: str | None = strawberry.field(default=strawberry.UNSET, description="Of a marketing template.")
    segment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Who gets it; null for everybody who consented."
    )
    per_minute: int | None = strawberry.field(
        default=strawberry.UNSET, description="Messages a minute at most; null for no limit of its own."
    )


@strawberry.input(description="When a campaign goes out.")
class CampaignScheduleInput:
    send_at: dt.datetime = strawberry.field(description="The moment, within two years.")
    in_local_time: bool = strawberry.field(
        default=False,
        description="Send to each receiver when their clock shows what the shop's shows at `sendAt`, on that day. "
        "Whose time zone is not known gets it in the shop's; whose time is over already gets it at once.",
    )


@strawberry.type(description="Answer to what makes or changes a campaign.")
class CampaignPayload:
    campaign: Campaign | None = strawberry.field(default=None, description="The campaign as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `campaignDelete`.")
class CampaignDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of what was deleted.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `campaignTestSend`.")
class CampaignTestSendPayload:
    message_id: strawberry.ID | None = strawberry.field(
        default=None, description="The message, reserved and on its way; see `messages`."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _show(rows: Sequence[db.Record], *, with_stats: bool) -> list[Campaign]:
    found: dict[uuid.UUID, CampaignStatistics] = {}
    if with_stats:
        found = await queries.statistics([row["id"] for row in rows])
    currency = (await shop.current()).currency_code
    return [
        Campaign(
            id=strawberry.ID(ids.encode(PREFIX, row["id"])),
            name=row["name"],
            status=CampaignStatus(row["status"]),
            channel=MessageChannel(row["channel"]),
            template_key=row["template_key"],
            segment_id=strawberry.ID(ids.encode("seg", row["segment_id"])) if row["segment_id"] else None,
            send_at=row["scheduled_at"],
            in_local_time=row["local_time"] is not None,
            per_minute=row["per_minute"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            stats=CampaignStats.of(found.get(row["id"], CampaignStatistics()), currency),
        )
        for row in rows
    ]


async def _payload(info: Info, campaign_id: uuid.UUID) -> CampaignPayload:
    row = (await queries.by_ids([campaign_id]))[campaign_id]
    (campaign,) = await _show([row], with_stats=Selection.of(info).asks_for("campaign", "stats"))
    return CampaignPayload(campaign=campaign)


def _change_of(input: CampaignInput | CampaignUpdateInput) -> CampaignChange:
    given: Any = given_fields(input)
    if given.get("segment_id") is not None:
        given["segment_id"] = ids.decode("seg", given["segment_id"], ["input", "segmentId"])
    change: CampaignChange = given
    return change


def _id(text: strawberry.ID) -> uuid.UUID:
    return ids.decode(PREFIX, text, ["id"])


CampaignId = Annotated[strawberry.ID, strawberry.argument(description="Id of the campaign.")]


@strawberry.type
class CampaignQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="Campaigns, newest first.")
    async def campaigns(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: Annotated[
            CampaignStatus | None, strawberry.argument(description="Only those with this status.")
        ] = strawberry.UNSET,
    ) -> Connection[Campaign]:
        selection = Selection.of(info)
        request = page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR)
        page = await queries.page(request, status or None, count="totalCount" in selection)
        shown = await _show(page.items, with_stats="stats" in selection.nodes())
        return Connection[Campaign].of(page, shown)

    @query(access=STAFF(Permission.MARKETING_READ), description="One campaign; null when there is none.")
    async def campaign(self, info: Info, id: CampaignId) -> Campaign | None:
        rows = await queries.by_ids([_id(id)])
        shown = await _show(list(rows.values()), with_stats="stats" in Selection.of(info))
        return shown[0] if shown else None


@strawberry.type
class CampaignMutations:
    @mutation(access=STAFF(Permission.MARKETING_WRITE), description="Make a draft of a campaign.")
    async def campaign_create(
        self, info: Info, input: Annotated[CampaignInput, strawberry.argument(description="The campaign.")]
    ) -> CampaignPayload:
        return await _payload(info, await service.create_campaign(_change_of(input)))

    @mutation(access=STAFF(Permission.MARKETING_WRITE), description="Change a campaign that has not started.")
    async def campaign_update(
        self,
        info: Info,
        id: CampaignId,
        input: Annotated[CampaignUpdateInput, strawberry.argument(description="What changes.")],
    ) -> CampaignPayload:
        await service.update_campaign(_id(id), _change_of(input))
        return await _payload(info, _id(id))

    @mutation(access=STAFF(Permission.MARKETING_WRITE), description="Delete a campaign that has not started.")
    async def campaign_delete(self, id: CampaignId) -> CampaignDeletePayload:
        await service.delete_campaign(_id(id))
        return CampaignDeletePayload(deleted_id=id)

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Send the campaign's template to an address of yours, marked as a test. It asks for no consent "
        "and counts nowhere.",
    )
    async def campaign_test_send(
        self,
        info: Info,
        id: CampaignId,
        to: Annotated[str, strawberry.argument(description="An email address, or a number with its country code.")],
        language: Annotated[
            str | None, strawberry.argument(description="Of the template's languages; null for the first.")
        ] = strawberry.UNSET,
        profile_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Whose data fills it, for staff with CUSTOMERS_READ; null for examples."),
        ] = strawberry.UNSET,
    ) -> CampaignTestSendPayload:
        staff = info.context.staff
        about = ids.decode("prof", profile_id, ["profileId"]) if profile_id else None
        if about is not None and not (staff and staff.may(Permission.CUSTOMERS_READ)):
            message = f"Somebody's data needs the permission {Permission.CUSTOMERS_READ}."
            raise DomainError(CommonErrorCode.FORBIDDEN, message, ["profileId"])
        message_id = await service.send_test(
            _id(id),
            to,
            language=language or None,
            profile_id=about,
            staff_id=staff.id if staff else None,
        )
        return CampaignTestSendPayload(message_id=strawberry.ID(ids.encode("msg", message_id)))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Let a campaign start by itself at a time. Again, it moves it; `campaignPause` holds it back.",
    )
    async def campaign_schedule(
        self,
        info: Info,
        id: CampaignId,
        input: Annotated[CampaignScheduleInput, strawberry.argument(description="When.")],
    ) -> CampaignPayload:
        await service.schedule_campaign(_id(id), input.send_at, in_local_time=input.in_local_time)
        return await _payload(info, _id(id))

    @mutation(access=STAFF(Permission.MARKETING_WRITE), description="Start a campaign now.")
    async def campaign_send(self, info: Info, id: CampaignId) -> CampaignPayload:
        await service.send_campaign(_id(id))
        return await _payload(info, _id(id))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Hold a campaign back: from now on nobody is written to, and messages that are reserved wait. "
        "What is being sent at this moment cannot be called back.",
    )
    async def campaign_pause(self, info: Info, id: CampaignId) -> CampaignPayload:
        await service.pause_campaign(_id(id))
        return await _payload(info, _id(id))

    @mutation(access=STAFF(Permission.MARKETING_WRITE), description="Let a paused campaign go on where it stopped.")
    async def campaign_resume(self, info: Info, id: CampaignId) -> CampaignPayload:
        await service.resume_campaign(_id(id))
        return await _payload(info, _id(id))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Stop a campaign for good. Messages that are reserved are called off.",
    )
    async def campaign_cancel(self, info: Info, id: CampaignId) -> CampaignPayload:
        await service.cancel_campaign(_id(id))
        return await _payload(info, _id(id))


@node_loader(PREFIX)
async def _campaigns(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [_id(strawberry.ID(text)) for text in texts]
    staff = info.context.staff
    if staff is None or not staff.may(Permission.MARKETING_READ):
        return [None] * len(wanted)
    rows = list((await queries.by_ids(wanted)).values())
    shown = await _show(rows, with_stats="stats" in selection)
    found = {row["id"]: campaign for row, campaign in zip(rows, shown, strict=True)}
    return [found.get(one) for one in wanted]

"""Addresses that get no marketing, and the texts that people sent to the shop. For staff."""

import datetime as dt
from typing import Annotated

import strawberry

from app import db
from app.addresses.contact import normalise_email, normalise_phone
from app.customers import consent_queries, suppressions
from app.customers.models import SuppressionReason
from app.customers.suppressions import SuppressionRow, row_of
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.kit.problems import Problems
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.channels import MessageChannel, SmsKeyword
from schema.connections import After, Connection, First
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.selection import Selection

SUPPRESSION_PREFIX = "supp"
INBOUND_PREFIX = "insms"
PROFILE_PREFIX = "prof"

describe_enum(
    SuppressionReason,
    "Why an address gets no marketing.",
    HARD_BOUNCE="Mail to it came back for good. It gets no mail at all, not even about orders.",
    COMPLAINT="Its owner reported the shop's mail as spam.",
    PROVIDER_UNSUBSCRIBED="Its owner told the provider to stop. START from that number ends it.",
    ERASED="Its owner's data were erased. Only a hash of the address is left.",
    STAFF="Somebody of the shop put it on the list.",
)


@strawberry.type(description="An address that gets no marketing from anything.")
class Suppression:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    channel: MessageChannel = strawberry.field(description="Texts and calls go to one number.")
    address: str | None = strawberry.field(description="Null after an erasure: then only a hash is left.")
    reason: SuppressionReason = strawberry.field(description="Why.")
    detail: str | None = strawberry.field(description="The provider's code, or staff's note.")
    created_at: dt.datetime = strawberry.field(description="Since when.")
    lifted_at: dt.datetime | None = strawberry.field(description="When it ended; null while it counts.")

    @classmethod
    def of(cls, row: SuppressionRow) -> "Suppression":
        return cls(
            id=strawberry.ID(ids.encode(SUPPRESSION_PREFIX, row.id)),
            channel=row.channel,
            address=row.address,
            reason=row.reason,
            detail=row.detail,
            created_at=row.created_at,
            lifted_at=row.lifted_at,
        )


@strawberry.type(description="A text message that somebody sent to the shop.")
class InboundSms:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    sender: str = strawberry.field(description="The number it came from, in E.164.")
    text: str = strawberry.field(description="What it says.")
    keyword: SmsKeyword | None = strawberry.field(description="What it was taken for; null for people to read.")
    profile_id: strawberry.ID | None = strawberry.field(description="Who sent it, where that is known.")
    received_at: dt.datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, row: db.Record) -> "InboundSms":
        return cls(
            id=strawberry.ID(ids.encode(INBOUND_PREFIX, row["id"])),
            sender=row["sender"],
            text=row["body"],
            keyword=SmsKeyword(row["keyword"]) if row["keyword"] else None,
            profile_id=strawberry.ID(ids.encode(PROFILE_PREFIX, row["profile_id"])) if row["profile_id"] else None,
            received_at=row["received_at"],
        )


@strawberry.input(description="An address to leave alone.")
class SuppressionAddInput:
    channel: MessageChannel = strawberry.field(description="EMAIL, SMS or VOICE.")
    address: str = strawberry.field(description="Email address, or a number in international form.")
    note: str | None = strawberry.field(default=strawberry.UNSET, description="Why; up to 200 characters.")


@strawberry.type(description="Answer to `suppressionAdd` and `suppressionLift`.")
class SuppressionPayload:
    suppression: Suppression | None = strawberry.field(default=None, description="As it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class SuppressionQueries:
    @query(access=STAFF(Permission.CUSTOMERS_READ), description="The suppression list, newest first.")
    async def suppressions(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        channel: Annotated[
            MessageChannel | None, strawberry.argument(description="Only of this channel.")
        ] = strawberry.UNSET,
        active: Annotated[
            bool | None, strawberry.argument(description="Only those that count, or only those that were lifted.")
        ] = strawberry.UNSET,
    ) -> Connection[Suppression]:
        request = page_request(
            None if first is strawberry.UNSET else first, None if after is strawberry.UNSET else after, order="supp"
        )
        only, counting = channel or None, None if active is strawberry.UNSET else active
        rows = await consent_queries.suppressions(request, only, counting)
        total = None
        if "totalCount" in Selection.of(info):
            total = await consent_queries.count_suppressions(only, counting)
        page = page_of(rows, [encode_cursor([row["id"].hex], "supp") for row in rows], request, total)
        return Connection[Suppression].of(page, [Suppression.of(row_of(row)) for row in page.items])

    @query(
        access=STAFF(Permission.CUSTOMERS_READ),
        description="Text messages that people sent to the shop, newest first, keywords included.",
    )
    async def inbound_sms(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection[InboundSms]:
        request = page_request(
            None if first is strawberry.UNSET else first, None if after is strawberry.UNSET else after, order="insms"
        )
        rows = await consent_queries.received_texts(request)
        total = await consent_queries.count_received_texts() if "totalCount" in Selection.of(info) else None
        page = page_of(rows, [encode_cursor([row["id"].hex], "insms") for row in rows], request, total)
        return Connection[InboundSms].of(page, [InboundSms.of(row) for row in page.items])


@strawberry.type
class SuppressionMutations:
    @mutation(
        access=STAFF(Permission.CUSTOMERS_WRITE),
        description="Send no marketing to an address, whatever its owner agreed to. Doing it again changes nothing.",
    )
    async def suppression_add(
        self, info: Info, input: Annotated[SuppressionAddInput, strawberry.argument(description="Which.")]
    ) -> SuppressionPayload:
        problems = Problems()
        note = problems.line(input.note or None, "note", max_chars=suppressions.MAX_DETAIL_CHARS)
        problems.raise_if_any()
        field: list[str | int] = ["input", "address"]
        address = (
            normalise_email(input.address, field)
            if input.channel is MessageChannel.EMAIL
            else normalise_phone(input.address, None, field)
        )
        row = await suppressions.add_by_staff(input.channel, address, note)
        return SuppressionPayload(suppression=Suppression.of(row))

    @mutation(
        access=STAFF(Permission.CUSTOMERS_WRITE),
        description="End a suppression: what its owner agreed to counts again. Lifting it twice changes nothing.",
    )
    async def suppression_lift(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which.")]
    ) -> SuppressionPayload:
        row = await suppressions.lift(ids.decode(SUPPRESSION_PREFIX, id, ["id"]))
        return SuppressionPayload(suppression=Suppression.of(row))

"""Messages to shoppers: the send ledger for staff, and the developer's inbox."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, cast

import strawberry

from app import db
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.messaging import dev_inbox, queries, service
from app.messaging.models import MessagePurpose, MessageReason, MessageState
from app.messaging.queries import MessageFilter
from app.messaging.sms import sms_length
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.channels import MessageChannel
from schema.connections import After, Connection, First
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.scalars import JSON
from schema.selection import Selection

describe_enum(
    MessagePurpose,
    "Why a message is sent.",
    TRANSACTIONAL="Because of an order: it needs no consent, and advertises nothing.",
    MARKETING="To sell more: only with consent.",
)
describe_enum(
    MessageState,
    "How far a message has got.",
    RESERVED="Decided, and waiting to be sent, perhaps again after a temporary failure.",
    SENDING="Being handed to the provider.",
    SENT="The provider took it.",
    FAILED="It was not sent, and will not be.",
    SKIPPED="It was right not to send it.",
    UNKNOWN="Nobody can tell whether it was sent: no answer came, or the process died.",
)
describe_enum(
    MessageReason,
    "Why a message was skipped, has failed or is unknown.",
    ORDER_PLACED="An order came first.",
    EXITED="Something ended the run of its flow before.",
    FLOW_PAUSED="Its flow was paused.",
    CAMPAIGN_CANCELLED="Its campaign was cancelled.",
    TOO_LATE="It came up later than its step allows.",
    CONDITION_NOT_MET="Its step's condition did not hold.",
    NO_ADDRESS="There is no address or number to send it to.",
    NO_CONSENT="Nobody agreed to get it.",
    CONSENT_REVOKED="The receiver has withdrawn their consent.",
    CONSENT_UNCONFIRMED="The receiver has not confirmed their consent yet.",
    SUPPRESSED="The address is on the suppression list: it bounced, complained or was erased.",
    FREQUENCY_CAP="The receiver got another marketing message too short a time ago.",
    QUIET_HOURS="It is night where the receiver is, or may be.",
    HIGHER_PRIORITY="A message that is nearer to a purchase goes first.",
    MARKETING_HELD="Marketing to this person is on hold, after a complaint or a bad score.",
    OUT_OF_STOCK="What it is about cannot be bought any more.",
    HOLDOUT="The run is in the share that gets nothing, to measure what the flow brings.",
    TEMPLATE_UNAVAILABLE="Its template has no published version.",
    CHANNEL_DISABLED="The shop has turned this channel off.",
    ORDER_CANCELLED="The order was cancelled before.",
    SUPERSEDED="Something newer made it pointless.",
    NOT_CONFIGURED="The shop has no provider for this channel.",
    UNSUBSCRIBED="The receiver told the provider to stop.",
    REFUSED="The provider refuses this message or receiver for good.",
    RETRIES_EXHAUSTED="The provider was away, or refused our sign-in, for too long. The dead letter can be replayed.",
    RENDERING_FAILED="The template and the order do not fit; `detail` names the place.",
    NO_ANSWER="The connection broke after the message was handed over.",
    PROCESS_DIED="The sending process died before it noted the outcome.",
)


@strawberry.type(description="One message to one receiver: the decision to send it, and what became of it.")
class Message(Node):
    channel: MessageChannel = strawberry.field(description="How it goes out.")
    purpose: MessagePurpose = strawberry.field(description="Why it is sent.")
    template: str = strawberry.field(description="Name of its template, such as `order_shipped`.")
    recipient: str = strawberry.field(description="Email address, or phone number in E.164.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it is about.")
    state: MessageState = strawberry.field(description="How far it has got.")
    reason: MessageReason | None = strawberry.field(description="Why it was skipped, has failed or is unknown.")
    detail: str | None = strawberry.field(description="The provider's code, or what the template lacked.")
    attempts: int = strawberry.field(description="How often it was handed to the provider.")
    provider_reference: str | None = strawberry.field(description="What the provider calls it.")
    resend_of: strawberry.ID | None = strawberry.field(description="The message that staff asked to send again.")
    profile_id: strawberry.ID | None = strawberry.field(description="The person whom it is for, where they are known.")
    flow_id: strawberry.ID | None = strawberry.field(description="The flow that sent it.")
    flow_key: str | None = strawberry.field(description="The key of that flow.")
    run_id: strawberry.ID | None = strawberry.field(description="The person's run through that flow.")
    step_key: str | None = strawberry.field(description="The step of that flow.")
    campaign_id: strawberry.ID | None = strawberry.field(description="The campaign that sent it.")
    cart_id: strawberry.ID | None = strawberry.field(
        description="The cart that it reminds of, without its secret: it opens nothing."
    )
    provider: str | None = strawberry.field(description="Which of the shop's providers took it.")
    sms_segments: int | None = strawberry.field(description="Parts that a carrier bills; null unless a text message.")
    delivered_at: dt.datetime | None = strawberry.field(description="When the provider saw it arrive.")
    clicked_at: dt.datetime | None = strawberry.field(description="The first click of a person; scanners do not count.")
    bounced_at: dt.datetime | None = strawberry.field(description="When it came back.")
    complained_at: dt.datetime | None = strawberry.field(description="When its receiver called it spam.")
    unsubscribed_at: dt.datetime | None = strawberry.field(
        description="When its receiver opted out by a link in it, or by a reply to it."
    )
    created_at: dt.datetime = strawberry.field(description="When it was decided on.")
    sent_at: dt.datetime | None = strawberry.field(description="When the provider took it.")

    @classmethod
    def of(cls, row: db.Record) -> "Message":
        return cls(
            id=strawberry.ID(ids.encode("msg", row["id"])),
            channel=MessageChannel(row["channel"]),
            purpose=MessagePurpose(row["purpose"]),
            template=row["template"],
            recipient=row["recipient"],
            order_id=_id("ord", row["order_id"]),
            state=MessageState(row["state"]),
            reason=MessageReason(row["reason"]) if row["reason"] else None,
            detail=row["detail"],
            attempts=row["attempts"],
            provider_reference=row["provider_reference"],
            resend_of=_id("msg", row["resend_of"]),
            profile_id=_id("prof", row["profile_id"]),
            flow_id=_id("flow", row["flow_id"]),
            flow_key=row["flow_key"],
            run_id=_id("frun", row["run_id"]),
            step_key=row["step_key"],
            campaign_id=_id("camp", row["campaign_id"]),
            cart_id=_id("cart", row["cart_id"]),
            provider=row["provider"],
            sms_segments=row["segments"],
            delivered_at=row["delivered_at"],
            clicked_at=row["clicked_at"],
            bounced_at=row["bounced_at"],
            complained_at=row["complained_at"],
            unsubscribed_at=row["unsubscribed_at"],
            created_at=row["created_at"],
            sent_at=row["sent_at"],
        )

    @classmethod
    async def load(cls, message_id: uuid.UUID) -> "Message":
        """A message that was written just now."""
        (row,) = await queries.by_ids([message_id])
        return cls.of(row)


def _id(prefix: str, value: uuid.UUID | None) -> strawberry.ID | None:
    return strawberry.ID(ids.encode(prefix, value)) if value is not None else None


@strawberry.type(description="Answer to `messageResend`.")
class MessagePayload:
    message: Message | None = strawberry.field(default=None, description="The new message.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Development only: a message as its receiver got it.")
class DevMessage:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    channel: MessageChannel = strawberry.field(description="Email or text message.")
    to: str = strawberry.field(description="Who got it.")
    subject: str | None = strawberry.field(description="Null for a text message.")
    html: str | None = strawberry.field(description="The mail's HTML part; null for a text message.")
    text: str = strawberry.field(description="The mail's text part, or the text message.")
    headers: JSON = strawberry.field(description="The mail's headers by name; empty for a text message.")
    purpose: MessagePurpose = strawberry.field(description="Why it was sent.")
    flow_key: str | None = strawberry.field(description="The flow that sent it; null for a message about an order.")
    step_key: str | None = strawberry.field(description="The flow's step; null for a message about an order.")
    template: str = strawberry.field(description="Name of its template.")
    deliveries: int = strawberry.field(
        description="How often it arrived with the same Message-ID; a mail program shows it once."
    )
    sms_segments: int | None = strawberry.field(description="Parts that a carrier bills; null for an email.")
    sent_at: dt.datetime = strawberry.field(description="When it arrived, in business time.")

    @classmethod
    def of(cls, message: dev_inbox.InboxMessage) -> "DevMessage":
        return cls(
            id=strawberry.ID(ids.encode("dmsg", message.id)),
            channel=message.channel,
            to=message.to,
            subject=message.subject,
            html=message.html,
            text=message.text,
            headers=cast(JSON, message.headers),
            purpose=message.purpose,
            flow_key=message.flow_key,
            step_key=message.step_key,
            template=message.template,
            deliveries=message.deliveries,
            sms_segments=sms_length(message.text).segments if message.channel is MessageChannel.SMS else None,
            sent_at=message.sent_at,
        )


@node_loader("msg")
async def _message_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Message | None]:
    staff = info.context.staff
    if staff is None or not staff.may(Permission.OPERATIONS):
        return [None] * len(texts)
    wanted = [ids.decode("msg", text, ["id"]) for text in texts]
    found = {row["id"]: Message.of(row) for row in await queries.by_ids(wanted)}
    return [found.get(message_id) for message_id in wanted]


@strawberry.type
class MessagingQueries:
    @query(
        access=STAFF(Permission.OPERATIONS),
        description="The send ledger, newest first: every message that the shop decided to send, or not to.",
    )
    async def messages(  # noqa: PLR0917 - arguments of a GraphQL field have names
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        order_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what is about this order.")
        ] = strawberry.UNSET,
        state: Annotated[
            MessageState | None, strawberry.argument(description="Only what has got this far.")
        ] = strawberry.UNSET,
        flow_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this flow sent, or did not.")
        ] = strawberry.UNSET,
        run_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this run sent, or did not.")
        ] = strawberry.UNSET,
        profile_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what is for this person.")
        ] = strawberry.UNSET,
        campaign_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this campaign sent, or did not.")
        ] = strawberry.UNSET,
        channel: Annotated[
            MessageChannel | None, strawberry.argument(description="Only what goes out this way.")
        ] = strawberry.UNSET,
        reason: Annotated[
            MessageReason | None, strawberry.argument(description="Only what was skipped, or failed, for this reason.")
        ] = strawberry.UNSET,
    ) -> Connection[Message]:
        request = page_request(
            None if first is strawberry.UNSET else first,
            None if after is strawberry.UNSET else after,
            order="messages",
        )
        only = MessageFilter(
            order_id=ids.decode("ord", order_id, ["orderId"]) if order_id else None,
            state=state or None,
            flow_id=ids.decode("flow", flow_id, ["flowId"]) if flow_id else None,
            run_id=ids.decode("frun", run_id, ["runId"]) if run_id else None,
            profile_id=ids.decode("prof", profile_id, ["profileId"]) if profile_id else None,
            campaign_id=ids.decode("camp", campaign_id, ["campaignId"]) if campaign_id else None,
            channel=channel or None,
            reason=reason or None,
        )
        rows = await queries.page(request, only)
        total = await queries.count(only) if "totalCount" in Selection.of(info) else None
        page = page_of(rows, [encode_cursor([row["id"].hex], "messages") for row in rows], request, total)
        return Connection[Message].of(page, [Message.of(row) for row in page.items])


@strawberry.type
class MessagingMutations:
    @mutation(
        access=STAFF(Permission.OPERATIONS),
        description="Write a message about an order once more, to the same receiver.",
    )
    async def message_resend(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the message.")]
    ) -> MessagePayload:
        message_id = await service.resend(ids.decode("msg", id, ["id"]))
        return MessagePayload(message=await Message.load(message_id))


@strawberry.type
class DevInboxQueries:
    @query(
        access=STAFF(Permission.OPERATIONS),
        description="Development only: what the shop sent, newest first, as its receivers would see it.",
    )
    async def dev_inbox(
        self,
        info: Info,
        to: Annotated[
            str | None, strawberry.argument(description="Only to this address or number.")
        ] = strawberry.UNSET,
        first: Annotated[
            int | None, strawberry.argument(description="How many, up to 100; 50 if left out.")
        ] = strawberry.UNSET,
    ) -> list[DevMessage]:
        limit = first if isinstance(first, int) else dev_inbox.DEFAULT_LISTED
        if not 1 <= limit <= dev_inbox.MAX_LISTED:
            message = f"first must be from 1 to {dev_inbox.MAX_LISTED}."
            raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["first"])
        return [DevMessage.of(message) for message in await dev_inbox.list_messages(to or None, limit)]

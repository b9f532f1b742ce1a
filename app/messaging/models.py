"""The send ledger, and in development what the receivers got."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class MessageChannel(StrEnum):
    EMAIL = "EMAIL"
    SMS = "SMS"


class MessagePurpose(StrEnum):
    TRANSACTIONAL = "TRANSACTIONAL"
    MARKETING = "MARKETING"


class MessageState(StrEnum):
    RESERVED = "RESERVED"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    UNKNOWN = "UNKNOWN"
    """The process died, or the connection broke, between handing it over and hearing the answer."""


class MessageReason(StrEnum):
    """Why a message was skipped, has failed, or may or may not have arrived."""

    ORDER_CANCELLED = "ORDER_CANCELLED"
    SUPERSEDED = "SUPERSEDED"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    REFUSED = "REFUSED"
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"
    RENDERING_FAILED = "RENDERING_FAILED"
    NO_ANSWER = "NO_ANSWER"
    PROCESS_DIED = "PROCESS_DIED"


class Message(Model):
    id = fields.UUIDField(primary_key=True)
    dedupe_key = fields.CharField(max_length=200, unique=True)
    """One row for each reason to write, template and channel."""
    channel = fields.CharEnumField(MessageChannel, max_length=8)
    purpose = fields.CharEnumField(MessagePurpose, max_length=16)
    template = fields.CharField(max_length=80)
    recipient = fields.CharField(max_length=254)
    order_id = fields.UUIDField(null=True)
    context = fields.JSONField[dict[str, object]](default=dict)
    """Ids that the template's merge data is built from."""
    state = fields.CharEnumField(MessageState, max_length=16, default=MessageState.RESERVED)
    reason = fields.CharField(max_length=200, null=True)
    """A `MessageReason`: why it was skipped, has failed or is unknown."""
    detail = fields.CharField(max_length=200, null=True)
    """The provider's code, or what the template lacked; without personal data."""
    resend_of = fields.UUIDField(null=True)
    """The row that staff asked to send again."""
    attempts = fields.IntField(default=0)
    leased_until = fields.DatetimeField(null=True)
    provider_reference = fields.CharField(max_length=255, null=True)
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)

    class Meta:
        table = "messages"


class DevMessage(Model):
    """Development only: one message as its receiver got it."""

    id = fields.UUIDField(primary_key=True)
    message_id = fields.UUIDField(unique=True)
    """The ledger row."""
    channel = fields.CharEnumField(MessageChannel, max_length=8)
    purpose = fields.CharEnumField(MessagePurpose, max_length=16)
    recipient = fields.CharField(max_length=254)
    content = fields.BinaryField()
    """MIME for email, UTF-8 text for SMS."""
    template = fields.CharField(max_length=80)
    deliveries = fields.IntField(default=1)
    """How often it arrived; a mail program would show it once."""
    sent_at = fields.DatetimeField()

    class Meta:
        table = "dev_messages"

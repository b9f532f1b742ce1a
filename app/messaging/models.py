"""The send ledger, templates, links and clicks, what providers told us, and in development what receivers got."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class MessageChannel(StrEnum):
    EMAIL = "EMAIL"
    SMS = "SMS"
    VOICE = "VOICE"
    """A call that reads a text aloud; only where the shop turned it on."""


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
    """Why a message was skipped, has failed, or may or may not have arrived. `SkipReason` to GraphQL's flows."""

    ORDER_PLACED = "ORDER_PLACED"
    EXITED = "EXITED"
    """An exit rule ended the run between reserving and sending."""
    FLOW_PAUSED = "FLOW_PAUSED"
    CAMPAIGN_CANCELLED = "CAMPAIGN_CANCELLED"
    TOO_LATE = "TOO_LATE"
    """Past the step's maximum lateness."""
    CONDITION_NOT_MET = "CONDITION_NOT_MET"
    NO_ADDRESS = "NO_ADDRESS"
    NO_CONSENT = "NO_CONSENT"
    CONSENT_REVOKED = "CONSENT_REVOKED"
    CONSENT_UNCONFIRMED = "CONSENT_UNCONFIRMED"
    SUPPRESSED = "SUPPRESSED"
    FREQUENCY_CAP = "FREQUENCY_CAP"
    QUIET_HOURS = "QUIET_HOURS"
    HIGHER_PRIORITY = "HIGHER_PRIORITY"
    """A message nearer to a purchase goes first."""
    MARKETING_HELD = "MARKETING_HELD"
    """After a complaint or a bad score."""
    OUT_OF_STOCK = "OUT_OF_STOCK"
    HOLDOUT = "HOLDOUT"
    TEMPLATE_UNAVAILABLE = "TEMPLATE_UNAVAILABLE"
    CHANNEL_DISABLED = "CHANNEL_DISABLED"

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
    profile_id = fields.UUIDField(null=True)
    flow_id = fields.UUIDField(null=True)
    run_id = fields.UUIDField(null=True)
    step_key = fields.CharField(max_length=80, null=True)
    campaign_id = fields.UUIDField(null=True)
    cart_id = fields.UUIDField(null=True)
    """The cart that it reminds of: its lock decides whether an order came first."""
    template_version_id = fields.UUIDField(null=True)
    """The exact version it was reserved with; None for the built-in notices."""
    priority = fields.IntField(default=0, db_default=0)
    segments = fields.SmallIntField(null=True)
    """Parts that a carrier bills, of a text message."""
    provider = fields.CharField(max_length=40, null=True)
    """Which of the shop's providers took it."""
    delivered_at = fields.DatetimeField(null=True)
    bounced_at = fields.DatetimeField(null=True)
    complained_at = fields.DatetimeField(null=True)
    clicked_at = fields.DatetimeField(null=True)
    """The first click of a person."""
    unsubscribed_at = fields.DatetimeField(null=True)
    """Consent was withdrawn by a link in it, or by a reply to it."""
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
    flow_key = fields.CharField(max_length=80, null=True)
    step_key = fields.CharField(max_length=80, null=True)
    deliveries = fields.IntField(default=1)
    """How often it arrived; a mail program would show it once."""
    sent_at = fields.DatetimeField()

    class Meta:
        table = "dev_messages"


class MessageTemplate(Model):
    """What flows and campaigns write; its text is in versions."""

    id = fields.UUIDField(primary_key=True)
    key = fields.CharField(max_length=80, unique=True)
    name = fields.CharField(max_length=120)
    channel = fields.CharEnumField(MessageChannel, max_length=8)
    purpose = fields.CharEnumField(MessagePurpose, max_length=16)
    trigger = fields.CharField(max_length=80, null=True)
    """The event type whose merge data it may use besides what every template has."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "message_templates"


class MessageTemplateVersion(Model):
    """One text in one language, never changed once written; the newest published one of a language is sent."""

    id = fields.UUIDField(primary_key=True)
    template_id = fields.UUIDField()
    language = fields.CharField(max_length=35)
    number = fields.IntField()
    subject = fields.TextField(null=True)
    """Liquid; email only."""
    preheader = fields.TextField(null=True)
    mjml = fields.TextField(null=True)
    """MJML with Liquid; email only."""
    text = fields.TextField()
    """Liquid: a mail's text part, a text message, or what a call says."""
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    published_at = fields.DatetimeField(null=True)

    class Meta:
        table = "message_template_versions"


class MessageLink(Model):
    """A link in a message; its code is derived from message and position, so a repetition has the same ones."""

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=24, unique=True)
    message_id = fields.UUIDField()
    position = fields.SmallIntField()
    url = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "message_links"


class MessageClick(Model):
    id = fields.BigIntField(primary_key=True)
    message_id = fields.UUIDField()
    link_id = fields.BigIntField()
    is_bot = fields.BooleanField()
    """A scanner, a prefetcher or a crawler: never counted, never waited for."""
    clicked_at = fields.DatetimeField()

    class Meta:
        table = "message_clicks"


class Attribution(Model):
    """An order that followed a click: the last click within the shop's window gets it."""

    id = fields.BigIntField(primary_key=True)
    order_id = fields.UUIDField(unique=True)
    message_id = fields.UUIDField()
    flow_id = fields.UUIDField(null=True)
    step_key = fields.CharField(max_length=80, null=True)
    campaign_id = fields.UUIDField(null=True)
    revenue_minor = fields.BigIntField()
    attributed_at = fields.DatetimeField()

    class Meta:
        table = "attributions"


class ProviderNotice(Model):
    """Something a provider told us by webhook, kept once: repetitions change nothing."""

    id = fields.UUIDField(primary_key=True)
    provider = fields.CharField(max_length=40)
    external_id = fields.CharField(max_length=255)
    kind = fields.CharField(max_length=24)
    """DELIVERED, HARD_BOUNCE, SOFT_BOUNCE, COMPLAINT, UNSUBSCRIBED, FAILED."""
    message_id = fields.UUIDField(null=True)
    received_at = fields.DatetimeField()

    class Meta:
        table = "provider_notices"


class InboundSms(Model):
    """A text that somebody sent to the shop, and what it was taken for. Kept once by the provider's id."""

    id = fields.UUIDField(primary_key=True)
    provider = fields.CharField(max_length=40)
    external_id = fields.CharField(max_length=255)
    sender = fields.CharField(max_length=32)
    body = fields.TextField()
    keyword = fields.CharField(max_length=12, null=True)
    """STOP, START, YES, HELP, or None for anything else."""
    profile_id = fields.UUIDField(null=True)
    """Who sent it, where that is known: households share numbers."""
    received_at = fields.DatetimeField()

    class Meta:
        table = "inbound_sms"


class MarketingSettings(Model):
    """How the shop does marketing. Exactly one row."""

    id = fields.SmallIntField(primary_key=True)
    email_cap_hours = fields.IntField(default=16)
    sms_cap_hours = fields.IntField(default=24)
    quiet_from = fields.CharField(max_length=5, default="21:00")
    quiet_until = fields.CharField(max_length=5, default="08:00")
    double_opt_in = fields.JSONField[dict[str, list[str]]](default=dict)
    """Sources that need a confirmation, by channel: `{"EMAIL": ["NEWSLETTER"], "SMS": []}`."""
    attribution_days = fields.IntField(default=5)
    voice_enabled = fields.BooleanField(default=False)
    utm_source = fields.CharField(max_length=80, default="tradewind")
    help_text = fields.CharField(max_length=160, null=True)
    """What HELP is answered with, after the brand; None for the shop's contact."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "marketing_settings"

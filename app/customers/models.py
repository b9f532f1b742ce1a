"""Profiles, visitors, the timeline of what people did, and the append-only record of their consent."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.messaging.models import MessageChannel


class LifecycleStage(StrEnum):
    VISITOR = "VISITOR"
    """Nobody knows who it is."""
    LEAD = "LEAD"
    """Can be written to, and has not ordered."""
    FIRST_TIME = "FIRST_TIME"
    """Has ordered once, lately."""
    ACTIVE = "ACTIVE"
    """Has ordered more than once, and is within their usual time."""
    AT_RISK = "AT_RISK"
    """The usual time to the next order is over."""
    LAPSED = "LAPSED"
    """The win-back moment has passed: 60 days, or the own median interval x 1.5."""
    DORMANT = "DORMANT"
    """Lapsed, and winning back did not work."""


class Profile(Model):
    """One person, from anonymous visitor to customer."""

    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254, null=True)
    """Normalised; unique over living profiles, ignoring case."""
    phone = fields.CharField(max_length=32, null=True)
    """E.164. Households share numbers, so it is unique only among profiles without email."""
    first_name = fields.CharField(max_length=255, null=True)
    last_name = fields.CharField(max_length=255, null=True)
    language = fields.CharField(max_length=35, null=True)
    """A language tag; None means the shop's."""
    country_code = fields.CharField(max_length=2, null=True)
    postal_code = fields.CharField(max_length=32, null=True)
    time_zone = fields.CharField(max_length=64, null=True)
    """IANA name, where it is known."""
    properties = fields.JSONField[dict[str, object]](default=dict)
    """The merchant's own: text, numbers, booleans, ISO dates such as `birthday`."""
    stage = fields.CharEnumField(LifecycleStage, max_length=16, default=LifecycleStage.VISITOR)
    recency_score = fields.SmallIntField(null=True)
    frequency_score = fields.SmallIntField(null=True)
    monetary_score = fields.SmallIntField(null=True)
    """1 to 5 each; None before the first order."""
    order_count = fields.IntField(default=0)
    total_spent_minor = fields.BigIntField(default=0)
    first_order_at = fields.DatetimeField(null=True)
    last_order_at = fields.DatetimeField(null=True)
    median_interval_seconds = fields.BigIntField(null=True)
    """Between this person's orders; None before the second."""
    next_order_expected_at = fields.DatetimeField(null=True)
    """The last order, plus the own or else the products' usual time to the next one."""
    lapses_at = fields.DatetimeField(null=True)
    """The last order plus 60 days, or plus the own median interval x 1.5 where that is known."""
    marketing_held_until = fields.DatetimeField(null=True)
    """No marketing before: after a complaint or a bad score."""
    merged_into_id = fields.UUIDField(null=True)
    """This profile lives on in that one; its row stays so that old ids lead there."""
    erased_at = fields.DatetimeField(null=True)
    """What was known of this person is gone. The row stays for the figures and for ids in orders: nothing joins it."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField(null=True)

    class Meta:
        table = "profiles"


class Visitor(Model):
    """A browser or app; its signed id was given out by the server."""

    id = fields.UUIDField(primary_key=True)
    profile_id = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "visitors"


class ProfileEvent(Model):
    """The timeline: one thing that somebody did or that happened to them, beside the outbox event of that type."""

    id = fields.UUIDField(primary_key=True)
    """The outbox event's id."""
    profile_id = fields.UUIDField()
    type = fields.CharField(max_length=80)
    occurred_at = fields.DatetimeField()
    product_id = fields.UUIDField(null=True)
    collection_id = fields.UUIDField(null=True)
    cart_id = fields.UUIDField(null=True)
    order_id = fields.UUIDField(null=True)
    data = fields.JSONField[dict[str, object]](default=dict)

    class Meta:
        table = "profile_events"


class Reorder(Model):
    """One product that somebody bought again, and how long after the time before: what its usual time is taken from."""

    id = fields.BigIntField(primary_key=True)
    product_id = fields.UUIDField()
    order_id = fields.UUIDField()
    interval_seconds = fields.BigIntField()
    ordered_at = fields.DatetimeField()

    class Meta:
        table = "product_reorders"


class FigureCount(Model):
    """How many customers have a figure within a bucket: what frequency and monetary scores are measured by.

    Sharded by profile, so that orders placed at the same time do not queue on one row.
    """

    id = fields.BigIntField(primary_key=True)
    figure = fields.CharField(max_length=12)
    """FREQUENCY or MONETARY."""
    bucket = fields.SmallIntField()
    shard = fields.SmallIntField()
    profiles = fields.BigIntField(default=0)

    class Meta:
        table = "figure_counts"


class ConsentText(Model):
    """A wording that consent is given to. Never changed: a new wording is a new version."""

    id = fields.UUIDField(primary_key=True)
    channel = fields.CharEnumField(MessageChannel, max_length=8)
    language = fields.CharField(max_length=35)
    version = fields.IntField()
    text = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "consent_texts"


class ConsentAction(StrEnum):
    REQUESTED = "REQUESTED"
    """Asked for, and to be confirmed by the receiver (double opt-in); nothing but the confirmation may be sent."""
    GRANTED = "GRANTED"
    REVOKED = "REVOKED"


class ConsentSource(StrEnum):
    NEWSLETTER = "NEWSLETTER"
    CART = "CART"
    CHECKOUT = "CHECKOUT"
    CONFIRMATION = "CONFIRMATION"
    PREFERENCES = "PREFERENCES"
    ONE_CLICK = "ONE_CLICK"
    SMS_REPLY = "SMS_REPLY"
    PROVIDER = "PROVIDER"
    STAFF = "STAFF"
    API = "API"
    ACCOUNT = "ACCOUNT"
    """Somebody who was signed in."""


class Consent(Model):
    """Append-only: the latest row of a channel and address is what holds for marketing there."""

    id = fields.UUIDField(primary_key=True)
    profile_id = fields.UUIDField()
    channel = fields.CharEnumField(MessageChannel, max_length=8)
    address = fields.CharField(max_length=254)
    """Normalised email or E.164; emptied when the person is erased."""
    address_hash = fields.BinaryField()
    action = fields.CharEnumField(ConsentAction, max_length=12)
    purpose = fields.CharField(max_length=16, default="MARKETING")
    source = fields.CharEnumField(ConsentSource, max_length=16)
    text_id = fields.UUIDField(null=True)
    """The wording, for REQUESTED and GRANTED."""
    confirms_id = fields.UUIDField(null=True)
    """The REQUESTED row that this GRANTED one confirms."""
    ip = fields.CharField(max_length=45, null=True)
    user_agent = fields.CharField(max_length=300, null=True)
    detail = fields.CharField(max_length=200, null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "consents"


class SuppressionReason(StrEnum):
    HARD_BOUNCE = "HARD_BOUNCE"
    COMPLAINT = "COMPLAINT"
    PROVIDER_UNSUBSCRIBED = "PROVIDER_UNSUBSCRIBED"
    ERASED = "ERASED"
    STAFF = "STAFF"


class Suppression(Model):
    """An address that gets no marketing from anything (and after a hard bounce, no mail at all)."""

    id = fields.UUIDField(primary_key=True)
    channel = fields.CharEnumField(MessageChannel, max_length=8)
    address = fields.CharField(max_length=254, null=True)
    """None after an erasure: then only the hash is left."""
    address_hash = fields.BinaryField()
    reason = fields.CharEnumField(SuppressionReason, max_length=24)
    detail = fields.CharField(max_length=200, null=True)
    created_at = fields.DatetimeField()
    lifted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "suppressions"

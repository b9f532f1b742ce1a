"""Campaigns and their receivers."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.messaging.models import MessageChannel


class CampaignStatus(StrEnum):
    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    SENDING = "SENDING"
    PAUSED = "PAUSED"
    SENT = "SENT"
    CANCELLED = "CANCELLED"


class Campaign(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    status = fields.CharEnumField(CampaignStatus, max_length=12, default=CampaignStatus.DRAFT)
    channel = fields.CharEnumField(MessageChannel, max_length=8)
    segment_id = fields.UUIDField(null=True)
    """None: everybody who consented."""
    template_key = fields.CharField(max_length=80)
    scheduled_at = fields.DatetimeField(null=True)
    local_time = fields.CharField(max_length=5, null=True)
    """HH:MM in each receiver's own time zone, on the scheduled day."""
    per_minute = fields.IntField(null=True)
    """Throttle; None for as fast as the provider takes them."""
    audience = fields.IntField(null=True)
    """Receivers, once they are settled."""
    enlisted_until = fields.UUIDField(null=True)
    """Last profile id that was looked at while the audience was settled."""
    revision = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "campaigns"


class CampaignRecipient(Model):
    """One receiver; when it is due, it becomes one row of the ledger."""

    id = fields.BigIntField(primary_key=True)
    campaign_id = fields.UUIDField()
    profile_id = fields.UUIDField()
    due_at = fields.DatetimeField()
    handled_at = fields.DatetimeField(null=True)
    tries = fields.SmallIntField(default=0, db_default=0)
    """Decisions that failed for a reason that nobody foresaw."""
    failure = fields.CharField(max_length=80, null=True)
    """What kind of fault it was, once it is given up."""

    class Meta:
        table = "campaign_recipients"

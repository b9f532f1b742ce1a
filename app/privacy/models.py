"""Requests of people about their own data, and how long each kind of data is kept."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class PrivacyRequestKind(StrEnum):
    EXPORT = "EXPORT"
    ERASURE = "ERASURE"


class PrivacyRequestStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class PrivacyRequest(Model):
    """Kept as the proof that it was done; it names nobody once the person is erased."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(PrivacyRequestKind, max_length=8)
    status = fields.CharEnumField(PrivacyRequestStatus, max_length=8, default=PrivacyRequestStatus.PENDING)
    profile_id = fields.UUIDField(null=True)
    customer_id = fields.UUIDField(null=True)
    requested_by_staff_id = fields.UUIDField(null=True)
    """None where the person asked."""
    result = fields.JSONField[dict[str, object]](null=True)
    """An export's document, until it ends; of an erasure, how many rows of each kind were emptied."""
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    """Real time at which an export's document is deleted."""
    addresses = fields.BinaryField(null=True)
    """Of an erasure that is not done: the emails and numbers that it still looks for, encrypted under the key ring."""

    class Meta:
        table = "privacy_requests"


class RetentionPeriod(Model):
    """How long the shop keeps a kind of data, where it wants another period than the built-in one."""

    kind = fields.CharField(max_length=40, primary_key=True)
    days = fields.IntField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "retention_periods"

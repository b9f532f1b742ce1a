"""Where events are sent to, and every delivery."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class WebhookEndpoint(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    url = fields.TextField()
    event_types = fields.JSONField[list[str]](default=list)
    """Empty: all that are public."""
    secret_generation = fields.IntField(default=1)
    """The signing secret is derived from the key ring; raising this makes a new one."""
    secret_rotated_at = fields.DatetimeField(null=True)
    """Real time; for a day after it, the secret before it signs as well."""
    enabled = fields.BooleanField(default=True)
    failing_since = fields.DatetimeField(null=True)
    disabled_reason = fields.CharField(max_length=80, null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "webhook_endpoints"


class DeliveryState(StrEnum):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class WebhookDelivery(Model):
    id = fields.UUIDField(primary_key=True)
    """Also the `webhook-id` header: the same at every attempt."""
    endpoint_id = fields.UUIDField()
    event_id = fields.UUIDField()
    event_type = fields.CharField(max_length=80)
    dedupe_key = fields.CharField(max_length=200, unique=True)
    body = fields.TextField()
    state = fields.CharEnumField(DeliveryState, max_length=12, default=DeliveryState.PENDING)
    attempts = fields.IntField(default=0)
    status_code = fields.IntField(null=True)
    detail = fields.CharField(max_length=200, null=True)
    replay_of = fields.UUIDField(null=True)
    run_id = fields.UUIDField(null=True)
    """The flow run whose step asked for it."""
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_deliveries"

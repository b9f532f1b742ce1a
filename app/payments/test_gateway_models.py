"""What the `test` gateway keeps: it stands for a provider's own database, and only that gateway reads it."""

from tortoise import fields
from tortoise.models import Model


class TestGatewayPayment(Model):
    id = fields.UUIDField(primary_key=True)
    idempotency_key = fields.CharField(max_length=255, unique=True)
    token = fields.CharField(max_length=80)
    amount_minor = fields.BigIntField()
    currency_code = fields.CharField(max_length=3)
    state = fields.CharField(max_length=24)
    return_url = fields.TextField(null=True)
    saves = fields.BooleanField(default=False, db_default=False)
    """Asked to keep the card: the payment stands for it from then on."""
    forgotten_at = fields.DatetimeField(null=True)
    """Asked to keep it no longer."""
    captured_minor = fields.BigIntField(default=0, db_default=0)
    refunded_minor = fields.BigIntField(default=0, db_default=0)
    authorized_until = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "test_gateway_payments"


class TestGatewayOperation(Model):
    """Captures and refunds at the same provider."""

    id = fields.UUIDField(primary_key=True)
    idempotency_key = fields.CharField(max_length=255, unique=True)
    payment_id = fields.UUIDField()
    kind = fields.CharField(max_length=16)
    """CAPTURE or REFUND."""
    amount_minor = fields.BigIntField()
    state = fields.CharField(max_length=16)
    created_at = fields.DatetimeField()

    class Meta:
        table = "test_gateway_operations"

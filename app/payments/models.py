"""Payments and the append-only ledger of what was asked of gateways."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class PaymentMethod(StrEnum):
    CARD = "CARD"
    CASH_ON_DELIVERY = "CASH_ON_DELIVERY"


class PaymentState(StrEnum):
    PENDING = "PENDING"
    """Recorded; the gateway may or may not have been asked."""
    REQUIRES_ACTION = "REQUIRES_ACTION"
    AUTHORIZED = "AUTHORIZED"
    CAPTURING = "CAPTURING"
    """To be taken; a worker asks the gateway until it confirms."""
    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    VOIDING = "VOIDING"
    """To be given back; a worker asks the gateway until it confirms."""
    VOIDED = "VOIDED"


class Payment(Model):
    id = fields.UUIDField(primary_key=True)
    """Also the idempotency key towards the gateway."""
    attempt_id = fields.UUIDField(unique=True)
    order_id = fields.UUIDField(null=True)
    gateway = fields.CharField(max_length=40)
    method = fields.CharField(max_length=24)
    amount_minor = fields.BigIntField()
    currency_code = fields.CharField(max_length=3)
    state = fields.CharEnumField(PaymentState, max_length=16, default=PaymentState.PENDING)
    reference = fields.CharField(max_length=255, null=True)
    """The gateway's own id."""
    token = fields.TextField(null=True)
    """The client's one-time token, kept until the gateway has answered."""
    saved_method_id = fields.UUIDField(null=True)
    """What an account saved and pays with, in the place of a token."""
    saves = fields.BooleanField(default=False, db_default=False)
    """Whether the account is to keep what it was paid with."""
    return_url = fields.TextField(null=True)
    """Where the shopper goes after an action at the provider's."""
    action = fields.JSONField[dict[str, object]](null=True)
    captured_minor = fields.BigIntField(default=0)
    refunded_minor = fields.BigIntField(default=0)
    failure_code = fields.CharField(max_length=80, null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "payments"


class PaymentTransaction(Model):
    id = fields.UUIDField(primary_key=True)
    payment: fields.ForeignKeyRelation[Payment] = fields.ForeignKeyField(
        "tradewind.Payment", related_name="transactions", on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=16)
    """AUTHORIZE, CAPTURE, VOID or REFUND."""
    succeeded = fields.BooleanField()
    amount_minor = fields.BigIntField()
    reference = fields.CharField(max_length=255, null=True)
    failure_code = fields.CharField(max_length=80, null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "payment_transactions"


class SavedPaymentMethod(Model):
    """What an account may pay with again: the gateway keeps the card, and gave a reference to it."""

    id = fields.UUIDField(primary_key=True)
    customer_id = fields.UUIDField()
    gateway = fields.CharField(max_length=40)
    method = fields.CharField(max_length=24)
    reference = fields.CharField(max_length=255)
    """The gateway's own; never shown."""
    brand = fields.CharField(max_length=40, null=True)
    last_characters = fields.CharField(max_length=4, null=True)
    expires_month = fields.SmallIntField(null=True)
    expires_year = fields.SmallIntField(null=True)
    created_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)
    """Gone for everybody; the row stays until the gateway has forgotten it."""

    class Meta:
        table = "saved_payment_methods"


class TestGatewayPayment(Model):
    """What the `test` gateway knows: it stands for a provider's own database, and only that gateway reads it."""

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
    created_at = fields.DatetimeField()

    class Meta:
        table = "test_gateway_payments"

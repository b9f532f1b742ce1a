"""Checkouts, and every attempt to complete one."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.cart.models import Cart


class AttemptState(StrEnum):
    PROCESSING = "PROCESSING"
    """Stock is held and the payment is being asked for; leased to a process."""
    REQUIRES_ACTION = "REQUIRES_ACTION"
    """The shopper has to do something (3-D Secure) until `hold_until`."""
    SUCCEEDED = "SUCCEEDED"
    REFUSED = "REFUSED"
    """Declined, expired, or refused before any payment; `refusal` says what the client was told."""


class Checkout(Model):
    id = fields.UUIDField(primary_key=True)
    cart: fields.OneToOneRelation[Cart] = fields.OneToOneField(
        "tradewind.Cart", related_name="checkout", on_delete=fields.CASCADE
    )
    email = fields.CharField(max_length=254, null=True)
    phone = fields.CharField(max_length=32, null=True)
    shipping_address = fields.JSONField[dict[str, str]](null=True)
    billing_address = fields.JSONField[dict[str, str]](null=True)
    shipping_quote_id = fields.TextField(null=True)
    """The signed quote itself."""
    started_event_at = fields.DatetimeField(null=True)
    """When `checkout.started` was recorded: once, as soon as somebody can be written to."""
    reserved_since = fields.DatetimeField(null=True)
    """Business time at which the units of its cart were held first, today."""
    reserved_until = fields.DatetimeField(null=True)
    """Business time until which they are held; what is over is let go of by a timer."""
    confirmed_age = fields.IntField(null=True)
    """The buyer was confirmed to have this age at least. When they were born is not kept."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "checkouts"


class CheckoutAttempt(Model):
    """One idempotency key's life: what was promised, asked, and answered."""

    id = fields.UUIDField(primary_key=True)
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField(
        "tradewind.Cart", related_name="attempts", on_delete=fields.CASCADE
    )
    idempotency_key = fields.CharField(max_length=255)
    fingerprint = fields.BinaryField()
    """SHA-256 over the input; another input under the same key is refused."""
    state = fields.CharEnumField(AttemptState, max_length=16)
    draft = fields.JSONField[dict[str, object]](null=True)
    """The order as it will be written: lines, prices, addresses, shipping, all frozen."""
    refusal = fields.JSONField[list[dict[str, object]]](null=True)
    payment_id = fields.UUIDField(null=True)
    order_id = fields.UUIDField(null=True)
    leased_until = fields.DatetimeField(null=True)
    """Real time; the process that works on it renews it."""
    hold_until = fields.DatetimeField(null=True)
    """Business time until which the stock is held."""
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "checkout_attempts"

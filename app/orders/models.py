"""Orders: what was sold, frozen at the moment it was sold."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class OrderStatus(StrEnum):
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class PaymentStatus(StrEnum):
    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    PAID = "PAID"
    VOIDED = "VOIDED"


class FulfillmentStatus(StrEnum):
    UNFULFILLED = "UNFULFILLED"
    PARTIALLY_FULFILLED = "PARTIALLY_FULFILLED"
    FULFILLED = "FULFILLED"
    NOT_REQUIRED = "NOT_REQUIRED"
    """Nothing in it ships."""


class Order(Model):
    id = fields.UUIDField(primary_key=True)
    number = fields.BigIntField(unique=True)
    attempt_id = fields.UUIDField(unique=True)
    cart_id = fields.UUIDField(unique=True)
    token_hash = fields.BinaryField()
    """SHA-256 of the token on the receipt, which is derived from the key ring."""
    email = fields.CharField(max_length=254, null=True)
    phone = fields.CharField(max_length=32, null=True)
    status = fields.CharEnumField(OrderStatus, max_length=16, default=OrderStatus.OPEN)
    payment_status = fields.CharEnumField(PaymentStatus, max_length=24)
    fulfillment_status = fields.CharEnumField(FulfillmentStatus, max_length=24)
    payment_method = fields.CharField(max_length=24, null=True)
    currency_code = fields.CharField(max_length=3)
    subtotal_minor = fields.BigIntField()
    discount_minor = fields.BigIntField()
    shipping_minor = fields.BigIntField()
    tax_minor = fields.BigIntField()
    tax_included = fields.BooleanField(default=False)
    total_minor = fields.BigIntField()
    shipping_address = fields.JSONField[dict[str, str]](null=True)
    billing_address = fields.JSONField[dict[str, str]](null=True)
    shipping_quote = fields.JSONField[dict[str, object]](null=True)
    """What was promised: carrier, service, price, dates."""
    note = fields.TextField(null=True)
    attributes = fields.JSONField[list[dict[str, str]]](default=list)
    profile_id = fields.UUIDField(null=True)
    customer_id = fields.UUIDField(null=True)
    """The account in whose history it is: of who was signed in, or of the verified address it was placed with."""
    discounts = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """What took something off, as it was then: `[{"id", "code_id", "name", "code", "amount_minor"}, …]`."""
    placed_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    cancelled_at = fields.DatetimeField(null=True)
    cancel_reason = fields.TextField(null=True)
    confirmed_age = fields.IntField(null=True)
    """Years that the buyer was confirmed to have at least, where something in it asked for that."""
    pickup_location_id = fields.UUIDField(null=True)
    """The warehouse that it is fetched from; what was said of it then is in `shipping_quote`."""
    pickup_ready_at = fields.DatetimeField(null=True)
    picked_up_at = fields.DatetimeField(null=True)

    class Meta:
        table = "orders"


class OrderLine(Model):
    id = fields.UUIDField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "tradewind.Order", related_name="lines", on_delete=fields.RESTRICT
    )
    position = fields.IntField()
    product_id = fields.UUIDField()
    variant_id = fields.UUIDField()
    product_name = fields.CharField(max_length=255)
    variant_name = fields.CharField(max_length=800)
    sku = fields.CharField(max_length=255, null=True)
    image_url = fields.TextField(null=True)
    selected_options = fields.JSONField[list[dict[str, str]]](default=list)
    attributes = fields.JSONField[list[dict[str, str]]](default=list)
    quantity = fields.IntField()
    unit_price_minor = fields.BigIntField()
    subtotal_minor = fields.BigIntField()
    discount_minor = fields.BigIntField()
    tax_minor = fields.BigIntField()
    total_minor = fields.BigIntField()
    weight_grams = fields.IntField(default=0)
    requires_shipping = fields.BooleanField(default=True)
    track_inventory = fields.BooleanField(default=True, db_default=True)
    """Whether its units were taken from stock."""
    fulfilled_quantity = fields.IntField(default=0)

    class Meta:
        table = "order_lines"

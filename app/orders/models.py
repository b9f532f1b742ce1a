"""Orders: what was sold, frozen at the moment it was sold."""

from enum import StrEnum

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class OrderStatus(StrEnum):
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class PaymentStatus(StrEnum):
    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"


class FulfillmentStatus(StrEnum):
    UNFULFILLED = "UNFULFILLED"
    PARTIALLY_FULFILLED = "PARTIALLY_FULFILLED"
    FULFILLED = "FULFILLED"
    NOT_REQUIRED = "NOT_REQUIRED"
    """Nothing in it ships."""


class OrderHold(StrEnum):
    """Why an order may not be fulfilled yet."""

    DEPOSIT = "DEPOSIT"
    """A part of the money has to come in."""
    GUARANTEE = "GUARANTEE"
    """Staff have to confirm a guarantee, such as a bank's."""
    DISPUTE = "DISPUTE"
    """The buyer disputes the payment; released by itself once the shop has won."""


class OrderSource(StrEnum):
    """How it came about."""

    CHECKOUT = "CHECKOUT"
    DRAFT = "DRAFT"
    QUOTATION = "QUOTATION"


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
    tax_estimated = fields.BooleanField(default=False, db_default=False)
    """The tax engine did not answer, so the shop's own rates were charged."""
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
    """What took something off, as it was then: `[{"id", "code_id", "name", "code", "amount_minor", "target"}, …]`. What
    was taken off shipping lies inside `shipping_minor`, all else adds up to `discount_minor`."""
    gift_wrap_minor = fields.BigIntField(default=0, db_default=0)
    """Of the whole order and of its lines."""
    rounding_minor = fields.BigIntField(default=0, db_default=0)
    """What rounding to payable coins added, or took when below zero; inside the total."""
    tax_lines = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """Of everything: `[{"name", "rate", "amount_minor", "base_minor", "code", "compound", "reverse_charge"}, …]`."""
    shipping_tax_lines = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """The part of shipping in `tax_lines`."""
    gift_wrap_tax_lines = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """The part in `tax_lines` of the wrap that is the whole order's."""
    gift_card_minor = fields.BigIntField(default=0, db_default=0)
    store_credit_minor = fields.BigIntField(default=0, db_default=0)
    stored_value = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """What pays those two: `[{"id", "kind", "amount_minor"}, …]`."""
    amount_due_minor = fields.BigIntField(null=True)
    """What payments have to cover: the total less stored value. NULL is the whole total."""
    shop_rate = fields.DecimalField(max_digits=44, decimal_places=22, null=True)
    """Minor units of the shop's currency for one of the order's, as the market exchanged when it was placed; NULL where
    both are the same. See `shop_currency.sql_of_shop_total`."""
    market_id = fields.UUIDField(null=True)
    company_id = fields.UUIDField(null=True)
    tax_id = fields.CharField(max_length=32, null=True)
    """The buyer's VAT number or the like."""
    reverse_charge = fields.BooleanField(default=False, db_default=False)
    """The buyer accounts for the tax."""
    gift_options = fields.JSONField[dict[str, object]](null=True)
    language = fields.CharField(max_length=16, null=True)
    purchase_order_number = fields.CharField(max_length=64, null=True)
    payment_due_at = fields.DatetimeField(null=True)
    """By when an order on account is to be paid."""
    holds = ArrayField(element_type="text", default=list, db_default=[])
    """Why it may not be fulfilled yet; empty when it may."""
    source = fields.CharEnumField(OrderSource, max_length=16, default=OrderSource.CHECKOUT, db_default="CHECKOUT")
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
    tax_lines = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """As the order's; with the tax on the line's wrap."""
    discounts = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """What fell to this line: `[{"id", "label", "code", "amount_minor"}, …]`."""
    customizations = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    gift_options = fields.JSONField[dict[str, object]](null=True)
    gift_wrap_minor = fields.BigIntField(default=0, db_default=0)
    """For all of its units; not in `total_minor`."""
    expected_at = fields.DatetimeField(null=True)
    """When what is back-ordered or pre-ordered is promised for."""
    product_kind = fields.CharField(max_length=16, null=True)
    tax_class_id = fields.UUIDField(null=True)

    class Meta:
        table = "order_lines"


class OrderEventType(StrEnum):
    """What a timeline tells. Triggers write what follows from a change of rows (see the migrations
    `order_records` and `order_edits`)."""

    PLACED = "PLACED"
    STATUS_CHANGED = "STATUS_CHANGED"
    PAYMENT_STATUS_CHANGED = "PAYMENT_STATUS_CHANGED"
    FULFILLMENT_STATUS_CHANGED = "FULFILLMENT_STATUS_CHANGED"
    FULFILLMENT_CREATED = "FULFILLMENT_CREATED"
    SHIPMENT_STATUS_CHANGED = "SHIPMENT_STATUS_CHANGED"
    MESSAGE_SENT = "MESSAGE_SENT"
    NOTE_ADDED = "NOTE_ADDED"
    ORDER_EDITED = "ORDER_EDITED"
    HOLDS_CHANGED = "HOLDS_CHANGED"
    PAYMENT_CHANGED = "PAYMENT_CHANGED"
    PAYMENT_REQUESTED = "PAYMENT_REQUESTED"
    CAPTURE_ENDED = "CAPTURE_ENDED"
    REFUND_CREATED = "REFUND_CREATED"
    REFUND_CHANGED = "REFUND_CHANGED"
    DISPUTE_CHANGED = "DISPUTE_CHANGED"
    INVOICE_ISSUED = "INVOICE_ISSUED"
    APPROVED = "APPROVED"


class OrderActorKind(StrEnum):
    """Who is behind an event: one of `ActorKind` of the audit log, or nobody of the shop."""

    GUEST = "GUEST"
    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"
    API_KEY = "API_KEY"
    OPERATOR = "OPERATOR"
    SYSTEM = "SYSTEM"


class OrderEvent(Model):
    """Append-only; its position orders what happened in one moment."""

    id = fields.UUIDField(primary_key=True)
    position = fields.BigIntField()
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "tradewind.Order", related_name="events", on_delete=fields.CASCADE
    )
    type = fields.CharField(max_length=40)
    """An `OrderEventType`."""
    occurred_at = fields.DatetimeField()
    """Business time."""
    actor_kind = fields.CharField(max_length=16)
    """An `OrderActorKind`."""
    actor_id = fields.UUIDField(null=True)
    """The member of staff or the API key; the account that approved an order. Any other customer is the order's."""
    reason = fields.TextField(null=True)
    """In the words of whoever did it."""
    data = fields.JSONField[dict[str, object]](default=dict)
    """Ids and states; no personal data."""

    class Meta:
        table = "order_events"


class OrderEdit(Model):
    """A change of what was sold. Amounts are minor units of the order's currency."""

    id = fields.UUIDField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "tradewind.Order", related_name="edits", on_delete=fields.CASCADE
    )
    changes = fields.JSONField[dict[str, object]]()
    """`{"lines": [{"order_line_id", "variant_id", "before", "after"}, …], "shipping_address": true, …}`: units before
    and after of each line that was changed, and the names of what else was; no personal data."""
    reason = fields.TextField(null=True)
    """In the words of whoever edited."""
    actor_kind = fields.CharField(max_length=16)
    """An `OrderActorKind`."""
    notify_customer = fields.BooleanField()
    total_before_minor = fields.BigIntField()
    total_after_minor = fields.BigIntField()
    due_before_minor = fields.BigIntField()
    """What payments had to cover."""
    due_after_minor = fields.BigIntField()
    refund_minor = fields.BigIntField(default=0, db_default=0)
    """What of the money that had been taken goes back."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "order_edits"

"""Payments and the append-only ledger of what was asked of gateways."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class PaymentMethod(StrEnum):
    CARD = "CARD"
    WALLET = "WALLET"
    PAYPAL = "PAYPAL"
    CASH_ON_DELIVERY = "CASH_ON_DELIVERY"
    BANK_TRANSFER = "BANK_TRANSFER"
    PURCHASE_ORDER = "PURCHASE_ORDER"


class PaymentState(StrEnum):
    """What may follow what: `app.payments.states`."""

    PENDING = "PENDING"
    """Recorded; the gateway may or may not have been asked."""
    REQUIRES_ACTION = "REQUIRES_ACTION"
    AUTHORIZED = "AUTHORIZED"
    CAPTURING = "CAPTURING"
    """All or a part is to be taken; a worker asks the gateway until it confirms."""
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    """The rest is still set aside."""
    CAPTURED = "CAPTURED"
    """Nothing more will be taken; `captured_minor` may be less than what was set aside."""
    FAILED = "FAILED"
    VOIDING = "VOIDING"
    """What is not captured is to be given back; a worker asks the gateway until it confirms."""
    VOIDED = "VOIDED"


class PaymentPurpose(StrEnum):
    """What an order is paid for by it."""

    CHECKOUT = "CHECKOUT"
    DEPOSIT = "DEPOSIT"
    BALANCE = "BALANCE"
    """What is left: of a deposit, of an order that was edited, of one that is paid by a link."""


class PaymentRequestState(StrEnum):
    OPEN = "OPEN"
    PAID = "PAID"
    CANCELLED = "CANCELLED"


class CaptureState(StrEnum):
    PENDING = "PENDING"
    """A worker asks the gateway until it confirms."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class RefundTarget(StrEnum):
    ORIGINAL = "ORIGINAL"
    """The way it was paid."""
    STORE_CREDIT = "STORE_CREDIT"


class RefundSource(StrEnum):
    STAFF = "STAFF"
    CANCELLATION = "CANCELLATION"
    PROVIDER = "PROVIDER"
    """Made at the provider's dashboard, and found here afterwards."""
    RECONCILIATION = "RECONCILIATION"
    """Money that has no order."""
    DISPUTE = "DISPUTE"
    """The buyer's bank took it back. No credit note: what was sold has not changed, it is just not paid."""
    EDIT = "EDIT"
    """The order costs less since it was edited. Its new invoice says so, so that no credit note does."""


class RefundState(StrEnum):
    """Of a refund, and of each of its parts. What may follow what: `app.payments.states`."""

    PENDING = "PENDING"
    """A worker asks the gateways until they confirm."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """Refused, in part at least; what was refused can be refunded again, another way."""


class DisputeState(StrEnum):
    """What may follow what: `app.payments.states`."""

    INQUIRY = "INQUIRY"
    """The buyer or the bank asks; no money has been taken back yet."""
    NEEDS_RESPONSE = "NEEDS_RESPONSE"
    """The money is withheld, and the shop has to answer at the provider's."""
    UNDER_REVIEW = "UNDER_REVIEW"
    """The money is withheld, and others decide."""
    WON = "WON"
    """The shop keeps the money: it was decided so, or the buyer withdrew, or an inquiry led to nothing."""
    LOST = "LOST"
    """The buyer has the money."""


class CapturePolicy(StrEnum):
    EACH_SHIPMENT = "EACH_SHIPMENT"
    """With each shipment what has been shipped, where the gateway can do that."""
    FIRST_SHIPMENT = "FIRST_SHIPMENT"
    """All of it with the first one."""


class DiscrepancyKind(StrEnum):
    MONEY_WITHOUT_ORDER = "MONEY_WITHOUT_ORDER"
    ORDER_WITHOUT_MONEY = "ORDER_WITHOUT_MONEY"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    UNANSWERED = "UNANSWERED"
    """The gateway has not confirmed for long what it was asked for."""
    LAPSING = "LAPSING"
    """What is set aside lapses soon, and has not been captured."""


class Payment(Model):
    id = fields.UUIDField(primary_key=True)
    """Also the idempotency key towards the gateway."""
    attempt_id = fields.UUIDField(unique=True, null=True)
    """The attempt to check out that it belongs to; None for what is paid for an order that exists."""
    order_id = fields.UUIDField(null=True)
    purpose = fields.CharField(max_length=16, default=PaymentPurpose.CHECKOUT, db_default="CHECKOUT")
    request_id = fields.UUIDField(null=True)
    """What of an order's it pays, see `PaymentRequest`."""
    idempotency_key = fields.CharField(max_length=255, null=True)
    """Of who pays for an order that exists; with the order's id it is unique."""
    fingerprint = fields.BinaryField(null=True)
    """SHA-256 over the input under that key."""
    gateway = fields.CharField(max_length=40)
    method = fields.CharField(max_length=24)
    amount_minor = fields.BigIntField()
    currency_code = fields.CharField(max_length=3)
    state = fields.CharEnumField(PaymentState, max_length=24, default=PaymentState.PENDING)
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
    """Confirmed by the gateway."""
    failure_code = fields.CharField(max_length=80, null=True)
    authorized_until = fields.DatetimeField(null=True)
    """When what is set aside lapses, as the gateway says."""
    leased_until = fields.DatetimeField(null=True)
    """Of a payment for an order that exists: real time; the process that asks the gateway renews it."""
    hold_until = fields.DatetimeField(null=True)
    """Of the same: business time until which the shopper may confirm it."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "payments"


class PaymentRequest(Model):
    """A part of an order's price that is asked for: a deposit, a balance, a whole draft order."""

    id = fields.UUIDField(primary_key=True)
    order_id = fields.UUIDField()
    purpose = fields.CharEnumField(PaymentPurpose, max_length=16)
    amount_minor = fields.BigIntField()
    currency_code = fields.CharField(max_length=3)
    state = fields.CharEnumField(PaymentRequestState, max_length=16, default=PaymentRequestState.OPEN)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "payment_requests"


class PaymentCapture(Model):
    """A part of a payment that is taken, or all of it."""

    id = fields.UUIDField(primary_key=True)
    """Also the idempotency key towards the gateway."""
    payment_id = fields.UUIDField()
    amount_minor = fields.BigIntField()
    is_final = fields.BooleanField()
    """Nothing more will be taken."""
    state = fields.CharEnumField(CaptureState, max_length=16, default=CaptureState.PENDING)
    failure_code = fields.CharField(max_length=80, null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "payment_captures"


class Refund(Model):
    """What an order's buyer gets back."""

    id = fields.UUIDField(primary_key=True)
    order_id = fields.UUIDField(null=True)
    """None for money that has no order."""
    source = fields.CharEnumField(RefundSource, max_length=16)
    target = fields.CharEnumField(RefundTarget, max_length=16)
    state = fields.CharEnumField(RefundState, max_length=16, default=RefundState.PENDING)
    amount_minor = fields.BigIntField()
    shipping_minor = fields.BigIntField(default=0)
    """The part of the amount that is for shipping."""
    currency_code = fields.CharField(max_length=3)
    lines = fields.JSONField[list[dict[str, object]]](default=list)
    """`[{"order_line_id", "quantity", "restock", "amount_minor"}, …]`"""
    reason = fields.TextField(null=True)
    """In the words of whoever refunded; the buyer's mail shows it."""
    notify_customer = fields.BooleanField(default=True)
    idempotency_key = fields.CharField(max_length=255, null=True)
    fingerprint = fields.BinaryField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "refunds"


class RefundPart(Model):
    """What of a refund goes back through one payment, or as stored value."""

    id = fields.UUIDField(primary_key=True)
    """Also the idempotency key towards the gateway."""
    refund: fields.ForeignKeyRelation[Refund] = fields.ForeignKeyField(
        "tradewind.Refund", related_name="parts", on_delete=fields.RESTRICT
    )
    payment_id = fields.UUIDField(null=True)
    """None for stored value."""
    amount_minor = fields.BigIntField()
    state = fields.CharEnumField(RefundState, max_length=16, default=RefundState.PENDING)
    reference = fields.CharField(max_length=255, null=True)
    """The gateway's own id."""
    failure_code = fields.CharField(max_length=80, null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "refund_parts"


class PaymentSettings(Model):
    """How the shop lets people pay; one row."""

    id = fields.SmallIntField(primary_key=True)
    capture_policy = fields.CharEnumField(CapturePolicy, max_length=16, default=CapturePolicy.EACH_SHIPMENT)
    cash_on_delivery = fields.BooleanField(default=True)
    bank_transfer = fields.BooleanField(default=False)
    bank_account_holder = fields.CharField(max_length=140, null=True)
    bank_name = fields.CharField(max_length=140, null=True)
    bank_iban = fields.CharField(max_length=34, null=True)
    bank_bic = fields.CharField(max_length=11, null=True)
    bank_instructions = fields.TextField(null=True)
    bank_days_to_pay = fields.SmallIntField(default=14)
    """Business days are days: then the order is cancelled."""
    bank_reminder_days = fields.SmallIntField(default=4)
    """So many days before that a reminder is sent; 0 for none."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "payment_settings"


class PaymentDiscrepancy(Model):
    """Where the shop and a gateway did not agree, and what became of it."""

    id = fields.UUIDField(primary_key=True)
    gateway = fields.CharField(max_length=40)
    kind = fields.CharEnumField(DiscrepancyKind, max_length=24)
    payment_id = fields.UUIDField()
    """By the id that the gateway was asked with; the shop may have no row of it."""
    order_id = fields.UUIDField(null=True)
    reference = fields.CharField(max_length=255, null=True)
    amount_minor = fields.BigIntField()
    currency_code = fields.CharField(max_length=3)
    detail = fields.TextField()
    found_at = fields.DatetimeField()
    settled_at = fields.DatetimeField(null=True)
    settlement = fields.CharField(max_length=40, null=True)
    """How it was settled, in a word."""

    class Meta:
        table = "payment_discrepancies"


class PaymentDispute(Model):
    """A buyer's dispute over a payment at the provider's: a chargeback, a claim, an inquiry."""

    id = fields.UUIDField(primary_key=True)
    payment: fields.ForeignKeyRelation[Payment] = fields.ForeignKeyField(
        "tradewind.Payment", related_name="disputes", on_delete=fields.RESTRICT
    )
    gateway = fields.CharField(max_length=40)
    reference = fields.CharField(max_length=255)
    """The provider's own id; one row for each."""
    state = fields.CharEnumField(DisputeState, max_length=16)
    amount_minor = fields.BigIntField()
    """What is disputed; once it is lost, what the buyer got."""
    currency_code = fields.CharField(max_length=3)
    reason = fields.CharField(max_length=80, null=True)
    """The provider's code for it."""
    respond_by = fields.DatetimeField(null=True)
    """Real time, as the provider says."""
    refund_id = fields.UUIDField(null=True)
    """What the books have of the loss."""
    fee_minor = fields.BigIntField(null=True)
    """What the provider has charged for it so far, less what it gave back; None where it does not say."""
    fee_currency_code = fields.CharField(max_length=3, null=True)
    """Of the provider's account."""
    opened_at = fields.DatetimeField()
    """Real time, as the provider says."""
    closed_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "payment_disputes"


class GatewayWatermark(Model):
    """Up to when a gateway's payments have been compared with the shop's (real time)."""

    gateway = fields.CharField(max_length=40, primary_key=True)
    compared_until = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "gateway_watermarks"


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

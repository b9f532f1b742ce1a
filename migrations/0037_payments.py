"""More ways to pay, captures in parts, refunds, payments of orders that exist, and what differs from the providers.

The release before goes on beside it: it writes no column of these, and its payments are those of checkouts.
"""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from app.payments.models import (
    CapturePolicy,
    CaptureState,
    DiscrepancyKind,
    PaymentPurpose,
    PaymentRequestState,
    RefundSource,
    RefundState,
    RefundTarget,
)

# contract: a wider varchar and a column that may be null are changes of the catalogue alone, no row is read or written;
# the release before writes into both what it did. The three indexes are for rows that only this release writes, so they
# are empty, but building them reads `payments` once: a second for a million of them.
FORWARD = """
ALTER TABLE payments ALTER COLUMN state TYPE varchar(24);
ALTER TABLE payments ALTER COLUMN attempt_id DROP NOT NULL;
ALTER TABLE payments ADD CONSTRAINT payments_of_something CHECK (num_nonnulls(attempt_id, order_id) > 0) NOT VALID;
CREATE UNIQUE INDEX payments_order_key ON payments (order_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX payments_set_aside ON payments (authorized_until)
    WHERE authorized_until IS NOT NULL AND state IN ('AUTHORIZED', 'PARTIALLY_CAPTURED');
CREATE INDEX payments_request ON payments (request_id) WHERE request_id IS NOT NULL;

ALTER TABLE payment_requests
    ADD CONSTRAINT payment_requests_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    ADD CONSTRAINT payment_requests_amount CHECK (amount_minor > 0);
CREATE INDEX payment_requests_of_order ON payment_requests (order_id, created_at);

ALTER TABLE payment_captures
    ADD CONSTRAINT payment_captures_payment FOREIGN KEY (payment_id) REFERENCES payments (id) ON DELETE CASCADE,
    ADD CONSTRAINT payment_captures_amount CHECK (amount_minor > 0);
-- One at a time, so nothing is taken twice.
CREATE UNIQUE INDEX payment_captures_open ON payment_captures (payment_id) WHERE state = 'PENDING';
CREATE INDEX payment_captures_payment_id ON payment_captures (payment_id);

ALTER TABLE refunds
    ADD CONSTRAINT refunds_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    ADD CONSTRAINT refunds_amounts CHECK (amount_minor > 0 AND shipping_minor BETWEEN 0 AND amount_minor);
CREATE INDEX refunds_of_order ON refunds (order_id, id);
CREATE INDEX refunds_open ON refunds (updated_at) WHERE state = 'PENDING';
CREATE UNIQUE INDEX refunds_order_key ON refunds (order_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

ALTER TABLE refund_parts
    ADD CONSTRAINT refund_parts_payment FOREIGN KEY (payment_id) REFERENCES payments (id),
    ADD CONSTRAINT refund_parts_amount CHECK (amount_minor > 0);
CREATE INDEX refund_parts_refund ON refund_parts (refund_id, id);
CREATE INDEX refund_parts_of_payment ON refund_parts (payment_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX refund_parts_reference ON refund_parts (payment_id, reference) WHERE reference IS NOT NULL;

ALTER TABLE payment_settings
    ADD CONSTRAINT payment_settings_only_row CHECK (id = 1),
    ADD CONSTRAINT payment_settings_account CHECK (NOT bank_transfer OR bank_account_holder IS NOT NULL),
    ADD CONSTRAINT payment_settings_days CHECK (bank_days_to_pay > 0 AND bank_reminder_days >= 0);
INSERT INTO payment_settings (id, capture_policy, cash_on_delivery, bank_transfer, bank_days_to_pay,
                              bank_reminder_days, updated_at)
VALUES (1, 'EACH_SHIPMENT', true, false, 14, 4, clock_timestamp());

CREATE UNIQUE INDEX payment_discrepancies_open ON payment_discrepancies (payment_id, kind) WHERE settled_at IS NULL;
CREATE INDEX payment_discrepancies_recent ON payment_discrepancies (id DESC);

ALTER TABLE test_gateway_operations ADD CONSTRAINT test_gateway_operations_payment
    FOREIGN KEY (payment_id) REFERENCES test_gateway_payments (id) ON DELETE CASCADE;
CREATE INDEX test_gateway_operations_payment_id ON test_gateway_operations (payment_id);
UPDATE test_gateway_payments SET captured_minor = amount_minor WHERE state = 'CAPTURED';

SELECT versioned_table('payment_settings', 'payments');
SELECT audit_table('payment_settings');
SELECT audit_table('payment_discrepancies');
SELECT audit_table(name, person => audit_person('order')) FROM unnest(ARRAY['refunds', 'payment_requests']::regclass[])
    AS name;
"""


def _instants() -> list[tuple[str, fields.Field]]:
    return [("created_at", fields.DatetimeField()), ("updated_at", fields.DatetimeField())]


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0036_taxes")]
    operations = [
        ops.AddField(
            model_name="Payment",
            name="purpose",
            field=fields.CharField(max_length=16, default=PaymentPurpose.CHECKOUT, db_default="CHECKOUT"),
        ),
        ops.AddField(model_name="Payment", name="request_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Payment", name="idempotency_key", field=fields.CharField(max_length=255, null=True)),
        ops.AddField(model_name="Payment", name="fingerprint", field=fields.BinaryField(null=True)),
        ops.AddField(model_name="Payment", name="authorized_until", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Payment", name="leased_until", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Payment", name="hold_until", field=fields.DatetimeField(null=True)),
        ops.AddField(
            model_name="TestGatewayPayment",
            name="captured_minor",
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="TestGatewayPayment",
            name="refunded_minor",
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(model_name="TestGatewayPayment", name="authorized_until", field=fields.DatetimeField(null=True)),
        ops.CreateModel(
            name="PaymentRequest",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("order_id", fields.UUIDField()),
                ("purpose", fields.CharEnumField(PaymentPurpose, max_length=16)),
                ("amount_minor", fields.BigIntField()),
                ("currency_code", fields.CharField(max_length=3)),
                ("state", fields.CharEnumField(PaymentRequestState, max_length=16, default=PaymentRequestState.OPEN)),
                *_instants(),
            ],
            options={"table": "payment_requests", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentCapture",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("payment_id", fields.UUIDField()),
                ("amount_minor", fields.BigIntField()),
                ("is_final", fields.BooleanField()),
                ("state", fields.CharEnumField(CaptureState, max_length=16, default=CaptureState.PENDING)),
                ("failure_code", fields.CharField(max_length=80, null=True)),
                *_instants(),
            ],
            options={"table": "payment_captures", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Refund",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("order_id", fields.UUIDField(null=True)),
                ("source", fields.CharEnumField(RefundSource, max_length=16)),
                ("target", fields.CharEnumField(RefundTarget, max_length=16)),
                ("state", fields.CharEnumField(RefundState, max_length=16, default=RefundState.PENDING)),
                ("amount_minor", fields.BigIntField()),
                ("shipping_minor", fields.BigIntField(default=0)),
                ("currency_code", fields.CharField(max_length=3)),
                ("lines", fields.JSONField(default=list)),
                ("reason", fields.TextField(null=True, unique=False)),
                ("notify_customer", fields.BooleanField(default=True)),
                ("idempotency_key", fields.CharField(max_length=255, null=True)),
                ("fingerprint", fields.BinaryField(null=True)),
                *_instants(),
            ],
            options={"table": "refunds", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefundPart",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                (
                    "refund",
                    fields.ForeignKeyField(
                        "tradewind.Refund",
                        source_field="refund_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="parts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("payment_id", fields.UUIDField(null=True)),
                ("amount_minor", fields.BigIntField()),
                ("state", fields.CharEnumField(RefundState, max_length=16, default=RefundState.PENDING)),
                ("reference", fields.CharField(max_length=255, null=True)),
                ("failure_code", fields.CharField(max_length=80, null=True)),
                *_instants(),
            ],
            options={"table": "refund_parts", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentSettings",
            fields=[
                ("id", fields.SmallIntField(primary_key=True)),
                (
                    "capture_policy",
                    fields.CharEnumField(CapturePolicy, max_length=16, default=CapturePolicy.EACH_SHIPMENT),
                ),
                ("cash_on_delivery", fields.BooleanField(default=True)),
                ("bank_transfer", fields.BooleanField(default=False)),
                ("bank_account_holder", fields.CharField(max_length=140, null=True)),
                ("bank_name", fields.CharField(max_length=140, null=True)),
                ("bank_iban", fields.CharField(max_length=34, null=True)),
                ("bank_bic", fields.CharField(max_length=11, null=True)),
                ("bank_instructions", fields.TextField(null=True, unique=False)),
                ("bank_days_to_pay", fields.SmallIntField(default=14)),
                ("bank_reminder_days", fields.SmallIntField(default=4)),
                ("updated_at", fields.DatetimeField()),
            ],
            options={"table": "payment_settings", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentDiscrepancy",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("gateway", fields.CharField(max_length=40)),
                ("kind", fields.CharEnumField(DiscrepancyKind, max_length=24)),
                ("payment_id", fields.UUIDField()),
                ("order_id", fields.UUIDField(null=True)),
                ("reference", fields.CharField(max_length=255, null=True)),
                ("amount_minor", fields.BigIntField()),
                ("currency_code", fields.CharField(max_length=3)),
                ("detail", fields.TextField(unique=False)),
                ("found_at", fields.DatetimeField()),
                ("settled_at", fields.DatetimeField(null=True)),
                ("settlement", fields.CharField(max_length=40, null=True)),
            ],
            options={"table": "payment_discrepancies", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="GatewayWatermark",
            fields=[
                ("gateway", fields.CharField(primary_key=True, max_length=40)),
                ("compared_until", fields.DatetimeField()),
                ("updated_at", fields.DatetimeField()),
            ],
            options={"table": "gateway_watermarks", "app": "tradewind", "pk_attr": "gateway"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TestGatewayOperation",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("idempotency_key", fields.CharField(unique=True, max_length=255)),
                ("payment_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=16)),
                ("amount_minor", fields.BigIntField()),
                ("state", fields.CharField(max_length=16)),
                ("created_at", fields.DatetimeField()),
            ],
            options={"table": "test_gateway_operations", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(FORWARD),
    ]
